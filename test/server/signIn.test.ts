import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { concat, encodeAbiParameters, type Hex, numberToHex, size, toFunctionSelector } from 'viem'
import { createSiweMessage } from 'viem/siwe'
import { expect, test } from 'vitest'
import { reader } from '../../src/server/Chain.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

const verify = (running: kit.Running, message: string, signature: Hex, headers = {}) =>
  kit.ask(running, '/v1/auth/verify', { body: { message, signature }, headers })

test('default', async () => {
  const running = await kit.start(base)
  const wallet = await base.createWallet()
  const { cookie, headers, answer } = await kit.signIn(running, wallet)
  expect(answer.body).toMatchObject({ address: wallet.address })
  const { body } = await kit.ask(running, '/v1/auth/session', { headers: { cookie } })
  expect(body).toEqual(answer.body)
  expect((await kit.ask(running, '/v1/auth/logout', { method: 'POST', headers })).status).toBe(204)
  expect((await kit.ask(running, '/v1/auth/session', { headers: { cookie } })).status).toBe(401)
})

test.each([
  ['a passkey', async () => base.createWallet({ owner: 'passkey' as const })],
  ['a wallet that is not deployed yet', async () => base.createWallet({ deployed: false })],
  ['an EOA', async () => base.createAccount()],
])('behavior: %s signs in', async (_, create) => {
  const running = await kit.start(base)
  const wallet = await create()
  expect((await kit.signIn(running, wallet)).answer.body.address).toBe(wallet.address)
})

test('behavior: the cookie is for this host, over TLS, and not for scripts', async () => {
  const running = await kit.start(base)
  const { answer } = await kit.signIn(running, await base.createWallet())
  const local = answer.headers.getSetCookie()[0]
  expect(local).toMatch(/^hardcap=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/)

  const { createServer, memoryRecords } = await import('../../src/server/index.js')
  const { store, client } = running
  const origin = 'https://agents.example.com'
  const server = createServer({ store, records: memoryRecords(), client, origin })
  const post = (path: string, body?: unknown) =>
    server.fetch(
      new Request(`${origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
  const wallet = await base.createWallet()
  const { nonce } = (await (await post('/v1/auth/nonce')).json()) as { nonce: string }
  const about = { address: wallet.address, chainId: 8453, version: '1', nonce, issuedAt: new Date() } as const
  const message = createSiweMessage({ ...about, domain: 'agents.example.com', uri: origin })
  const signature = await wallet.account.signMessage({ message })
  const secure = await post('/v1/auth/verify', { message, signature })
  expect(secure.status).toBe(200)
  expect(secure.headers.getSetCookie()[0]).toMatch(
    /^__Host-hardcap=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
  expect(secure.headers.get('strict-transport-security')).toBe('max-age=31536000')
})

test('behavior: signing in again ends the session before it', async () => {
  const running = await kit.start(base)
  const wallet = await base.createWallet()
  const first = await kit.signIn(running, wallet)
  const message = await kit.message(running, wallet.address)
  const signature = await wallet.account.signMessage({ message })
  expect((await verify(running, message, signature, { cookie: first.cookie })).status).toBe(200)
  expect((await kit.ask(running, '/v1/auth/session', { headers: first.headers })).status).toBe(401)
})

test('behavior: a session ends by the clock', async () => {
  let now = Math.floor(Date.now() / 1000)
  const running = await kit.start(base, { clock: () => now })
  const { cookie, answer } = await kit.signIn(running, await base.createWallet())
  now = answer.body.expiresAt - 1
  expect((await kit.ask(running, '/v1/auth/session', { headers: { cookie } })).status).toBe(200)
  now += 1
  expect((await kit.ask(running, '/v1/auth/session', { headers: { cookie } })).status).toBe(401)
})

test('behavior: at rest there are hashes alone', async () => {
  const running = await kit.start(base)
  const { cookie } = await kit.signIn(running, await base.createWallet())
  const { authorization } = await kit.key(running)
  const { body } = await kit.ask(running, '/v1/auth/nonce', { method: 'POST' })
  const rows = await running.records.transact('test', async (tx) => [
    ...(await tx.list('server_sessions', {})),
    ...(await tx.list('server_keys', {})),
    ...(await tx.list('server_nonces', {})),
  ])
  expect(rows).toHaveLength(3)
  const kept = JSON.stringify(rows)
  for (const secret of [cookie.split('=')[1], authorization.split('_').slice(2).join('_'), body.nonce])
    expect(kept).not.toContain(secret)
})

test('error: a message is good once', async () => {
  const running = await kit.start(base)
  const wallet = await base.createWallet()
  const message = await kit.message(running, wallet.address)
  const signature = await wallet.account.signMessage({ message })
  const answers = await Promise.all([1, 2, 3].map(() => verify(running, message, signature)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401])
})

test.each([
  ['another domain', { domain: 'evil.example' }],
  ['a domain that begins like ours', { domain: '127.0.0.1' }],
  ['a URI elsewhere', { uri: 'https://evil.example/' }],
  ['another chain', { chainId: 1 }],
  ['a nonce that nobody gave out', { nonce: 'a'.repeat(32) }],
  ['issued before the nonce could have been', { issuedAt: new Date(Date.now() - 3_600_000) }],
  ['issued in the future', { issuedAt: new Date(Date.now() + 3_600_000) }],
  ['expired', { expirationTime: new Date(Date.now() - 1_000) }],
  ['not valid yet', { notBefore: new Date(Date.now() + 3_600_000) }],
  ['another scheme', { scheme: 'https' }],
])('error: %s', async (_, changes) => {
  const running = await kit.start(base)
  const wallet = await base.createWallet()
  const message = await kit.message(running, wallet.address, changes)
  const answer = await verify(running, message, await wallet.account.signMessage({ message }))
  expect(answer).toMatchObject({ status: 401, body: { error: { code: 'SIGN_IN_REFUSED' } } })
  // It is signed as it stands: whoever is refused is told what is wrong with it.
  expect(answer.body.error.message).not.toContain('did not sign')
  expect(answer.headers.getSetCookie()).toEqual([])
})

test('error: a nonce that is too old', async () => {
  let now = Math.floor(Date.now() / 1000)
  const running = await kit.start(base, { clock: () => now })
  const wallet = await base.createWallet()
  const message = await kit.message(running, wallet.address)
  now += 300
  const answer = await verify(running, message, await wallet.account.signMessage({ message }))
  expect(answer.status).toBe(401)
})

test('error: a message that says one thing twice', async () => {
  const running = await kit.start(base)
  const wallet = await base.createWallet()
  const good = await kit.message(running, wallet.address)
  // Behind the chain id of another chain that a wallet may show first.
  const message = good.replace('\n\nURI:', '\n\nChain ID: 1\n\nURI:')
  expect(message).not.toBe(good)
  const answer = await verify(running, message, await wallet.account.signMessage({ message }))
  expect(answer.body.error.message).toContain('EIP-4361')
})

test('error: signed by another wallet, for another address, or not at all', async () => {
  const running = await kit.start(base)
  const [owner, thief] = [await base.createWallet(), await base.createWallet()]
  const tries = [
    (message: string) => thief.account.signMessage({ message }),
    (message: string) => owner.account.signMessage({ message: `${message} ` }),
    async () => `0x${'00'.repeat(65)}` as const,
    async () => '0x00' as const,
  ]
  for (const sign of tries) {
    const message = await kit.message(running, owner.address)
    expect((await verify(running, message, await sign(message))).status).toBe(401)
  }
})

test('error: a chain that does not answer is neither yes nor no', async () => {
  const { endpoint } = await import('../budget/kit.js')
  const broken = endpoint(base)
  const running = await kit.start(base, { client: { ...broken.client, chain: base.chain } })
  const wallet = await base.createWallet()
  const message = await kit.message(running, wallet.address)
  const signature = await wallet.account.signMessage({ message })
  broken.answer = async () => {
    throw new Error('https://endpoint.example/secret')
  }
  const answer = await verify(running, message, signature)
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'CHAIN_UNSEEN' } } })
  expect(JSON.stringify(answer.body)).not.toContain('secret')
})

test('error: a contract that signs cannot have the server ask a URL', async () => {
  const asked: string[] = []
  const trap = createHttpServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(JSON.stringify({ data: `0x${'00'.repeat(32)}` }))
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  kit.later(() => new Promise<void>((resolve) => void trap.close(() => resolve())))
  const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/{sender}/{data}`
  const running = await kit.start(base)
  const address = kit.freshAddress()
  await base.client.setCode({ address, bytecode: lookup(address, url) })
  // It would be followed by a client as viem makes it.
  await running.client.call({ to: address, data: '0x12345678' }).catch(() => {})
  expect(asked.length).toBeGreaterThan(0)
  asked.length = 0
  await reader(running.client)
    .client.call({ to: address, data: '0x12345678' })
    .catch(() => {})
  const message = await kit.message(running, address)
  expect((await verify(running, message, `0x${'11'.repeat(70)}`)).status).toBe(401)
  expect(asked).toEqual([])
})

/** Code that reverts with EIP-3668's OffchainLookup, whatever it is asked. */
function lookup(sender: Hex, url: string): Hex {
  const error = concat([
    toFunctionSelector('OffchainLookup(address,string[],bytes,bytes4,bytes)'),
    encodeAbiParameters(
      ['address', 'string[]', 'bytes', 'bytes4', 'bytes'].map((type) => ({ type })),
      [sender, [url], '0x', '0x12345678', '0x'],
    ),
  ])
  const length = numberToHex(size(error), { size: 2 })
  // codecopy(0, 14, length), revert(0, length)
  return concat(['0x61', length, '0x61000e5f3961', length, '0x5ffd00', '0x', error])
}

test('error: a page of another origin', async () => {
  const running = await kit.start(base)
  const headers = { origin: 'https://evil.example' }
  for (const path of ['/v1/auth/nonce', '/v1/auth/verify']) {
    const answer = await kit.ask(running, path, { body: { message: 'a', signature: '0x00' }, headers })
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'CSRF' } } })
  }
})

test('error: too often', async () => {
  const running = await kit.start(base, { limits: { signIns: 2 } })
  const ask = () => kit.ask(running, '/v1/auth/nonce', { method: 'POST' })
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
  const refused = await ask()
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_REQUESTS' } } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
})
