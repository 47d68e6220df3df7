import { describe, expect, test } from 'vitest'
import { Grant, InputError } from '../../src/index.js'
import { Exchange } from '../../src/x402/index.js'
import { stranger } from '../chain/guardScene.js'
import { at, type Behaviour, redirect, startHostile } from './hostile.js'
import { grantOf } from './kit.js'

const payTo = stranger()
const served: Behaviour = (visit) => {
  visit.challenge = () => void visit.response.end('found')
}

/** Opens and sends. */
async function ask(url: string, init?: RequestInit, options?: Exchange.SendOptions) {
  const opened = await Exchange.open(url, init)
  return opened.allowed ? Exchange.send(opened.outgoing, options) : opened
}

describe('open', () => {
  test('default', async () => {
    const opened = await Exchange.open('https://API.example.com:443/v1?q=1#part')
    expect(opened).toMatchObject({
      allowed: true,
      outgoing: {
        url: 'https://api.example.com/v1?q=1',
        host: 'api.example.com',
        method: 'GET',
        body: undefined,
      },
    })
  })

  test.each([
    ['http://127.0.0.1:4021/a', '127.0.0.1:4021'],
    ['https://127.0.0.1:4021/a', '127.0.0.1:4021'],
    ['http://localhost/', 'localhost'],
    ['http://[::1]:80/', '[::1]'],
    ['https://api.example.com:8443/', 'api.example.com:8443'],
    ['https://xn--80ak6aa92e.com/', 'xn--80ak6aa92e.com'],
    // Not the host that it looks like, whatever a grant says.
    ['https://api.example.com.evil.io/', 'api.example.com.evil.io'],
    ['https://evil-api.example.com/', 'evil-api.example.com'],
    ['https://\u0430pi.example.com/', 'xn--pi-6kc.example.com'],
    ['https://api.example.com\\@evil.io/', 'api.example.com'],
    ['https://api.example.com%2eevil.io/', 'api.example.com.evil.io'],
    ['https://\uff41pi.example.com/', 'api.example.com'],
    ['https://2130706433/', '127.0.0.1:443'],
  ])('behavior: %s goes to %s', async (url, host) => {
    const opened = await Exchange.open(url)
    expect(opened.allowed && opened.outgoing.host).toBe(host)
    expect(opened.allowed && new URL(opened.outgoing.url).username).toBe('')
  })

  test.each([
    'http://api.example.com/',
    'http://127.0.0.1.evil.io/',
    'https://user:secret@api.example.com/',
    'https://api.example.com@evil.io/',
    'https://api.example.com./',
    'ftp://api.example.com/',
    'file:///etc/hosts',
    'data:text/plain,x',
    '/v1',
    '',
  ])('error: %s', async (url) => {
    const opened = await Exchange.open(url)
    expect(opened).toMatchObject({ allowed: false, code: 'NOT_ALLOWED' })
    expect(JSON.stringify(opened)).not.toContain('secret')
  })

  test('args: a Request, with its body and headers', async () => {
    const request = new Request('https://api.example.com/', {
      method: 'POST',
      body: 'a',
      headers: { x: '1' },
    })
    const opened = await Exchange.open(request, { headers: { y: '2' } })
    if (!opened.allowed) throw new Error(opened.reason)
    const { method, body, headers } = opened.outgoing
    expect([method, new TextDecoder().decode(body), headers.get('x'), headers.get('y')]).toEqual([
      'POST',
      'a',
      null,
      '2',
    ])
  })

  test.each([
    'https://api.example.com.evil.io/',
    'https://evil-api.example.com/',
    'https://example.com/',
    'https://api.example.com:8443/',
    'https://\u0430pi.example.com/',
    'https://api.example.com%2eevil.io/',
    'https://evil.io/https://api.example.com/',
    'https://evil.io/?api.example.com#api.example.com',
    'https://api-example.com/',
    'https://127.0.0.1:4021/',
  ])('behavior: %s is none that a grant of api.example.com allows', async (url) => {
    const grant = grantOf('api.example.com', payTo)
    const hostOf = async (url: string) => {
      const opened = await Exchange.open(url)
      return opened.allowed ? opened.outgoing.host : undefined
    }
    const allows = async (url: string) =>
      Grant.isAllowed(grant, { host: await hostOf(url), to: payTo }).allowed
    expect(await hostOf(url)).toBeDefined()
    expect([await allows(url), await allows('https://API.EXAMPLE.com:443/')]).toEqual([false, true])
  })

  test('error: a payment of the caller, or another host', async () => {
    for (const name of ['PAYMENT-SIGNATURE', 'x-payment', 'Host'])
      await expect(
        Exchange.open('https://api.example.com/', { headers: { [name]: 'e30=' } }),
      ).rejects.toThrow(InputError)
  })
})

describe('send', () => {
  test('default', async () => {
    const { origin, visits } = await startHostile({ payTo }, served)
    const answered = await ask(`${origin}/a`, undefined, { headers: { 'payment-signature': 'e30=' } })
    if (!answered.allowed) throw new Error(answered.reason)
    expect(await answered.response.text()).toBe('bought')
    expect(answered.asked.url).toBe(`${origin}/a`)
    expect(visits).toEqual([{ method: 'GET', url: '/a', body: '', paid: true }])
  })

  test.each([
    [301, 'GET', 'GET', ''],
    [301, 'POST', 'GET', ''],
    [301, 'PUT', 'PUT', 'text'],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'text'],
    [308, 'PUT', 'PUT', 'text'],
  ])('behavior: %i after %s asks by %s', async (status, method, next, body) => {
    const { origin, visits, host } = await startHostile(
      { payTo },
      served,
      at('/a', redirect(status, '/b?q=1#part')),
    )
    const init = {
      method,
      headers: { 'content-type': 'text/plain' },
      ...(method === 'GET' ? {} : { body: 'text' }),
    }
    const answered = await ask(`${origin}/a`, init)
    if (!answered.allowed) throw new Error(answered.reason)
    expect(answered.asked).toMatchObject({ url: `${origin}/b?q=1`, host, method: next })
    expect(visits[1]).toMatchObject({ method: next, url: '/b?q=1', body })
    // What describes a body goes with it; and fetch agrees.
    const type = next === method ? 'text/plain' : null
    expect(answered.asked.headers.get('content-type')).toBe(type)
    const fetched = await fetch(`${origin}/a`, init)
    expect([fetched.url, visits[3]?.method, visits[3]?.body]).toEqual([`${origin}/b?q=1`, next, body])
  })

  test.each(['https', 'port', 'name', 'look-alike', 'userinfo', 'scheme'])(
    'error: a redirect elsewhere, by %s, is refused before anybody there is asked',
    async (by) => {
      const other = await startHostile({ payTo }, served)
      const { port } = new URL(other.origin)
      const to = (host: string) =>
        ({
          https: `https://${other.host}/?token=secret`,
          port: `${other.origin}/?token=secret`,
          name: `http://localhost:${port}/?token=secret`,
          'look-alike': `http://${host}.evil.io/?token=secret`,
          userinfo: `http://${host}@${other.host}/?token=secret`,
          scheme: 'data:text/plain,secret',
        })[by] ?? ''
      const merchant = await startHostile({ payTo }, (visit) =>
        redirect(307, to(visit.request.headers.host ?? ''))(visit),
      )
      const refused = await ask(merchant.origin)
      expect(refused).toMatchObject({
        allowed: false,
        code: 'REDIRECT_REFUSED',
        figures: { host: merchant.host },
      })
      expect(JSON.stringify(refused)).not.toContain('secret')
      expect(other.visits).toEqual([])
    },
  )

  test('error: an open redirect back is not followed to begin with', async () => {
    const merchant = await startHostile({ payTo }, served)
    const other = await startHostile({ payTo }, redirect(302, `${merchant.origin}/b`))
    const opener = await startHostile({ payTo }, at('/a', redirect(302, other.origin)))
    expect(await ask(`${opener.origin}/a`)).toMatchObject({ code: 'REDIRECT_REFUSED' })
    expect([other.visits, merchant.visits]).toEqual([[], []])
  })

  test('error: from https to http', async () => {
    // Only a loopback host may be asked by http at all, so both are one; nobody listens with TLS.
    const answers = [new Response(null, { status: 302, headers: { location: 'http://127.0.0.1:4021/b' } })]
    const asked: unknown[] = []
    const fetch = async (url: unknown) => {
      asked.push(url)
      return answers.shift() ?? new Response('found')
    }
    const refused = await ask('https://127.0.0.1:4021/a', {}, { fetch: fetch as typeof globalThis.fetch })
    expect(refused).toMatchObject({ code: 'REDIRECT_REFUSED' })
    expect(asked).toEqual(['https://127.0.0.1:4021/a'])
  })

  test('error: round and round', async () => {
    const { origin, visits } = await startHostile({ payTo }, redirect(302, '/'))
    expect(await ask(origin)).toMatchObject({ code: 'REDIRECT_LOOP', figures: { limit: 5 } })
    expect(visits).toHaveLength(6)
    expect(await ask(origin, {}, { maxRedirects: 0 })).toMatchObject({ code: 'REDIRECT_LOOP' })
    expect(visits).toHaveLength(7)
  })

  test('args: redirect, manual and error', async () => {
    const { origin } = await startHostile({ payTo }, redirect(302, '/b'))
    const manual = await ask(origin, { redirect: 'manual' })
    expect(manual.allowed && manual.response.status).toBe(302)
    expect(await ask(origin, { redirect: 'error' })).toMatchObject({ code: 'REDIRECT_REFUSED' })
  })

  test('args: signal', async () => {
    const { origin, visits } = await startHostile({ payTo }, served)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(ask(origin, { signal })).rejects.toThrow('enough')
    expect(visits).toEqual([])
  })
})
