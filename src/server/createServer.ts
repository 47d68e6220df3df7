/** Puts the server together: what every request passes, then the routes. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import * as Access from './Access.js'
import * as Events from './Events.js'
import * as Metrics from './Metrics.js'
import { type ServerOptions, type Settings, settings } from './Options.js'
import { known, Problem, toJson } from './Problem.js'
import { auth } from './routes/auth.js'
import { grants } from './routes/grants.js'
import { increases } from './routes/increases.js'
import type { App } from './routes/kit.js'
import { requests } from './routes/requests.js'
import { system } from './routes/system.js'

export type Server = {
  /** Answers a request. `env` is what a runtime adds, such as @hono/node-server's `{ incoming }`. */
  readonly fetch: (request: Request, env?: unknown) => Promise<Response>
  /** Ends the streams. Store and records are the caller's to close. */
  readonly close: () => Promise<void>
}

/**
 * The HTTP interface of hardcap, for owners and backends: `fetch` goes into Hono, Next, Express or Node. It reads the
 * books, keeps what owners are asked for in `records`, and has no private key of anybody.
 *
 * @example
 * ```ts
 * const server = createServer({ store, records: sqliteRecords('server.db'), client, origin: 'https://agents.example.com' })
 * serve({ fetch: server.fetch, port: 8787 })
 * ```
 * @throws InputError
 */
export function createServer(options: ServerOptions): Server {
  const own = settings(options)
  const hub = Events.hub(own)
  const metrics = Metrics.metrics(own, hub)
  const app: App = new OpenAPIHono({
    defaultHook(result) {
      if (result.success) return
      const issues = result.error.issues.slice(0, 10).map(({ path, message }) => ({
        path: path.map(String).join('.').slice(0, 200),
        message: message.slice(0, 200),
      }))
      const [first] = issues
      const message = `${first?.path || 'The request'}: ${first?.message ?? 'not valid'}`
      throw new Problem(400, 'INVALID_INPUT', message, { figures: { issues } })
    },
  })
  guard(app, own, metrics)
  system(app, own, metrics)
  requests(app, own)
  auth(app, own)
  grants(app, own, hub)
  increases(app, own)
  describe(app, own)
  app.notFound((c) => refuse(c, metrics, new Problem(404, 'NOT_FOUND', 'There is nothing here.')))
  app.onError((error, c) => {
    const problem = known(error)
    if (problem) return refuse(c, metrics, problem)
    own.onError(error)
    return refuse(c, metrics, new Problem(500, 'INTERNAL', 'Something went wrong here. It was noted.'))
  })
  return { fetch: async (request, env) => app.fetch(request, env as object), close: hub.close }
}

function refuse(c: Context, metrics: Metrics.Metrics, problem: Problem): Response {
  metrics.refused(problem.code)
  for (const [name, value] of Object.entries(problem.headers)) c.header(name, value)
  return c.json(toJson(problem), problem.status)
}

/** What every request passes, from the outside in. */
function guard(app: App, own: Settings, metrics: Metrics.Metrics): void {
  const { origin, origins, limits, limiters } = own
  app.use(async (c, next) => {
    const began = performance.now()
    await next()
    const seconds = (performance.now() - began) / 1000
    metrics.observe({ method: methodOf(c), route: routePath(c, -1), status: c.res.status, seconds })
  })
  app.use(
    secureHeaders({
      // Answers are data: nothing in them is ever to run, or to be framed.
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      strictTransportSecurity: origin.protocol === 'https:' ? 'max-age=31536000' : false,
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      crossOriginResourcePolicy: origins.length > 1 ? 'cross-origin' : 'same-origin',
    }),
  )
  app.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
  })
  app.use(
    cors({
      origin: (from) => (origins.includes(from) ? from : null),
      credentials: true,
      allowHeaders: ['content-type', 'x-csrf-token', 'last-event-id'],
      maxAge: 600,
    }),
  )
  app.use(async (c, next) => {
    limiters.perAddress.take(Access.callerOf(c, own))
    await next()
  })
  const late = new Problem(504, 'TIMEOUT', `There was no answer within ${limits.timeoutMs} ms.`)
  // Before the body is read, so that nobody holds it by sending slowly.
  app.use(async (c, next) => {
    const ending = new AbortController()
    c.set('late', ending.signal)
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        ending.abort()
        reject(late)
      }, limits.timeoutMs)
    })
    await Promise.race([next(), isLate]).finally(() => clearTimeout(timer))
  })
  const tooLarge = new Problem(413, 'TOO_LARGE', `A body may have ${limits.bodyBytes} bytes.`)
  app.use(bodyLimit({ maxSize: limits.bodyBytes, onError: (c) => refuse(c, metrics, tooLarge) }))
  app.use(async (c, next) => {
    const type = c.req.header('content-type')
    // A form of another page can send any other type without asking first.
    if (type !== undefined && !/^application\/json(;|$)/i.test(type.trim()))
      throw new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send application/json.')
    await next()
  })
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE'])

function methodOf(c: Context): string {
  return methods.has(c.req.method) ? c.req.method : 'other'
}

/** The OpenAPI document, from the schemas that requests are held to. */
function describe(app: App, { origin }: Settings): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: Access.cookieName(origin),
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'csrf', {
    type: 'apiKey',
    in: 'header',
    name: 'x-csrf-token',
  })
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'hardcap',
      version: '1',
      description: 'Expense accounts for AI agents, enforced by the chain.',
    },
    servers: [{ url: origin.origin }],
  })
}
