/**
 * What `npm start` ends with, until somebody ends it: the console on a Base of its own, an agent that pays in the
 * background, and a request that waits for its owner.
 */
import { randomInt } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server'
import type { Hex, LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { consoleFiles } from '../../src/cli/console.js'
import { type Budget, Grant, GrantError, memory, openBudget, Permission } from '../../src/index.js'
import { type Approved, createServer, Key, memoryRecords } from '../../src/server/index.js'
import { type Base, startBase } from '../../src/testing/index.js'
import { built } from '../console/built.js'
import { serveWallet } from '../console/development.js'

export type Console = {
  /** Where the owner watches, and where the request waits. */
  readonly origin: string
  readonly requestUrl: string
  /** Resolves when the agent cannot go on. */
  readonly failed: Promise<Error>
  readonly close: () => Promise<void>
}

/** Between two payments of an agent, about: as long as a block on Base. */
const blockMs = 2_000

const hosts = ['api.weather.example', 'api.maps.example', 'search.example'] as const

/** Listens on loopback; port 0 is a free one. */
export async function openConsole({ port }: { readonly port: number }): Promise<Console> {
  const folder = await built()
  const base = await startBase({ slotsInAnEpoch: 2 })
  const closing = new AbortController()
  const lives: Promise<void>[] = []
  const close = async () => {
    closing.abort()
    await Promise.all(lives)
    await server?.close()
    await site?.close()
    await base.stop()
  }
  let server: ReturnType<typeof createServer> | undefined
  let site: Awaited<ReturnType<typeof listen>> | undefined
  try {
    const [store, records] = [memory(), memoryRecords()]
    const ownerKey = generatePrivateKey()
    const owner = await base.createWallet({ owner: privateKeyToAccount(ownerKey), usdc: 100_000_000n })
    const payees = hosts.map((host) => ({ host, payTo: privateKeyToAccount(generatePrivateKey()).address }))
    const terms = {
      owner: owner.address,
      allow: payees,
      perCallUsd: '0.05',
      expiresAt: '2090-12-31',
    } as const
    const agents = new Map<Hex, LocalAccount>()
    const budgets = new Map<Hex, Promise<Budget>>()
    let fail: (error: Error) => void = () => {}
    const failed = new Promise<Error>((resolve) => {
      fail = resolve
    })

    /** Opens the agent's budget, and pays with it until the console closes. */
    async function begin({
      grant,
      permission,
      signature,
    }: Omit<Approved, 'kind' | 'id' | 'transactionHash'>) {
      const agent = agents.get(grant.agent)
      if (!agent) throw new Error(`Nobody has the key of agent ${grant.agent}.`)
      const opening = openBudget(base.client, { grant, permission, agent, store, pollMs: 500 })
      budgets.set(grant.grantId, opening)
      const budget = await opening
      if (signature) await budget.approve({ signature })
      lives.push(live(base, budget, payees, closing.signal).catch(fail))
    }

    /** What a backend does with an owner's consent. */
    async function submit(approved: Approved): Promise<void> {
      const { kind, grant, permission, signature } = approved
      if (kind === 'request') return begin(approved)
      const budget = await budgets.get(grant.grantId)
      if (budget && signature) await budget.replace({ grant, permission, signature })
    }

    site = await listen(port, {
      page: consoleFiles(`${folder}/console`, { connect: [base.url] }),
      wallet: `${folder}/development/wallet.js`,
      accounts: {
        rpcUrl: base.url,
        accounts: [{ name: 'Owner', kind: 'smart', key: ownerKey, spm: true }],
      },
      answer: async (request, env) =>
        server?.fetch(request, env) ?? new Response('The server is starting.', { status: 503 }),
    })
    const { origin } = site
    server = createServer({
      store,
      records,
      client: base.client,
      origin,
      rpcUrl: base.url,
      development: true,
      onApproved: submit,
      onError: (error) => process.stderr.write(`${String(error)}\n`),
    })

    const first = await base.createAccount()
    agents.set(first.address, first)
    const now = await base.now()
    const caps = { perDayUsd: '5', totalUsd: '50' }
    const grant = Grant.define({ ...terms, ...caps, id: 'Travel agent', agent: first.address }, { now })
    const permission = Permission.fromGrant(grant)
    await begin({ grant, permission, signature: await Permission.sign(owner.account, permission) })

    const second = await base.createAccount()
    agents.set(second.address, second)
    const clock = Math.floor(Date.now() / 1000)
    const { text } = await Key.create(records, { label: 'demo', verbs: ['request'], grants: [] }, clock)
    const asked = await fetch(`${origin}/v1/requests`, {
      method: 'POST',
      headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        grant: { ...terms, id: 'Research agent', agent: second.address, perDayUsd: '2', totalUsd: '25' },
        note: 'To look things up for this week’s report.',
      }),
    })
    if (!asked.ok) throw new Error(`The request for approval was answered with ${asked.status}.`)
    const { url } = (await asked.json()) as { url: string }
    return { origin, requestUrl: url, failed, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Pays somebody about every block, and now and then asks for what the grant does not allow. */
async function live(
  base: Base,
  budget: Budget,
  payees: readonly { readonly host: string; readonly payTo: Hex }[],
  signal: AbortSignal,
): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const { host, payTo } = payees[randomInt(payees.length)] ?? { host: '', payTo: '0x' }
    // Above the cap of a call, once in ten times.
    const amount = BigInt(n % 10 === 9 ? 80_000 : randomInt(2_000, 40_000))
    await budget
      .spend(
        { key: crypto.randomUUID(), to: payTo, amount, host, task: `task-${Math.floor(n / 8)}` },
        { signal },
      )
      .catch(async (error: unknown) => {
        if (signal.aborted) return
        if (!(error instanceof GrantError)) throw error
        // What is refused makes no block, and the chain's time is that of its blocks.
        await base.mine()
      })
    await setTimeout(blockMs, undefined, { signal }).catch(() => {})
  }
  await budget.close()
}

type Site = {
  readonly page: (pathname: string) => Response | undefined
  /** The development wallet, and what it is told. */
  readonly wallet: string
  readonly accounts: Parameters<typeof serveWallet>[1]
  readonly answer: (request: Request, env: unknown) => Promise<Response>
}

function listen(port: number, { page, wallet, accounts, answer }: Site) {
  async function fetch(request: Request, env: HttpBindings | Http2Bindings): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (/^\/(v1\/|openapi\.json$|metrics$|healthz$|readyz$)/.test(pathname)) return answer(request, env)
    return (await serveWallet(request, accounts, wallet)) ?? page(pathname) ?? answer(request, env)
  }
  return new Promise<{ readonly origin: string; readonly close: () => Promise<void> }>((resolve, reject) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' }, (info) =>
      resolve({
        origin: `http://127.0.0.1:${info.port}`,
        close: () =>
          new Promise<void>((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      }),
    )
    server.on('error', reject)
  })
}
