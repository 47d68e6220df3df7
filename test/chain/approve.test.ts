import { createClient, http } from 'viem'
import { describe, expect, test } from 'vitest'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import { createPasskey } from '../../src/testing/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { approved, mined, scene } from './scene.js'

const base = await useBase()
const { rejection } = kit

describe('approve', () => {
  test('default: an owner approves through the smart wallet', async () => {
    const { owner, permission } = await scene(base)
    expect(await Spm.approve(owner, { permission })).toEqual({ already: false, ...mined })
    expect(await Spm.isApproved(base.client, { permission })).toBe(true)
  })

  test('behavior: a wallet app that is connected as the smart wallet sends it directly', async () => {
    const { wallet, permission } = await scene(base)
    await base.impersonate(wallet.address)
    const app = kit.clientOf(base, wallet.address)
    expect(await Spm.approve(app, { permission })).toEqual({ already: false, ...mined })
  })

  test('behavior: an EOA approves for itself', async () => {
    const { owner, ownerKey, agentKey } = await scene(base)
    const permission = await kit.permissionOf(base, ownerKey.address, agentKey.address)
    expect(await Spm.approve(owner, { permission })).toEqual({ already: false, ...mined })
  })

  for (const [kind, key] of [
    ['EOA', () => base.createAccount()],
    ['passkey', async () => createPasskey()],
  ] as const) {
    for (const deployed of [true, false]) {
      const state = deployed ? 'deployed' : 'counterfactual (ERC-6492)'
      test(`args: signature, by the ${kind} of a ${state} wallet, submitted by a stranger`, async () => {
        const { wallet, permission, stranger, agent } = await scene(base, { owner: await key(), deployed })
        const signature = await Permission.sign(wallet, permission)
        expect(await Spm.approve(stranger, { permission, signature })).toEqual({ already: false, ...mined })
        expect(await wallet.isDeployed()).toBe(true)
        expect(await Spm.spend(agent, { permission, amount: 100n })).toMatchObject({ amount: 100n })
      })
    }
  }

  test('behavior: twice is a success that says so, and sends nothing', async () => {
    const { owner, ownerKey, wallet, permission, stranger, strangerKey } = await approved(base)
    const signature = await Permission.sign(wallet, permission)
    const count = () =>
      Promise.all([ownerKey, strangerKey].map(({ address }) => base.client.getTransactionCount({ address })))
    const before = await count()
    expect(await Spm.approve(owner, { permission })).toEqual({ already: true })
    expect(await Spm.approve(stranger, { permission, signature })).toEqual({ already: true })
    expect(await count()).toEqual(before)
  })

  test('behavior: somebody else is faster with the same signature', async () => {
    const { owner, permission, wallet, strangerKey } = await scene(base)
    const signature = await Permission.sign(wallet, permission)
    const slow = kit.overtaken(base, strangerKey, () => Spm.approve(owner, { permission, signature }))
    expect(await Spm.approve(slow, { permission, signature })).toEqual({ already: true })
  })

  test('error: a revoked permission, which the chain would ignore without a word', async () => {
    const { owner, agent, wallet, permission, stranger } = await scene(base)
    await Spm.revoke(agent, { permission })
    const signature = await Permission.sign(wallet, permission)
    for (const attempt of [
      Spm.approve(owner, { permission }),
      Spm.approve(stranger, { permission, signature }),
    ]) {
      expect(await rejection(attempt)).toMatchObject({
        code: 'ALREADY_REVOKED',
        figures: { permission: Permission.hash(permission) },
        retryable: false,
      })
    }
  })

  test('error: revoked while the approval was on its way', async () => {
    const { owner, permission, wallet, strangerKey } = await scene(base)
    const signature = await Permission.sign(wallet, permission)
    const slow = kit.overtaken(base, strangerKey, () => Spm.revoke(owner, { permission }))
    expect(await rejection(Spm.approve(slow, { permission, signature }))).toMatchObject({
      code: 'ALREADY_REVOKED',
    })
  })

  test('error: a signature of other terms', async () => {
    const { wallet, permission, stranger } = await scene(base)
    const signature = await Permission.sign(wallet, permission)
    const raised = { ...permission, allowance: permission.allowance + 1n }
    const error = await rejection(Spm.approve(stranger, { permission: raised, signature }))
    expect(error).toMatchObject({ code: 'INVALID_SIGNATURE', retryable: false })
  })

  for (const [code, terms] of [
    ['ZERO_TOKEN', { token: '0x0000000000000000000000000000000000000000' }],
    ['ZERO_SPENDER', { spender: '0x0000000000000000000000000000000000000000' }],
    ['ZERO_PERIOD', { period: 0 }],
    ['ZERO_ALLOWANCE', { allowance: 0n }],
    ['INVALID_START_END', { start: 1_000, end: 1_000 }],
  ] as const) {
    test(`error: ${code}`, async () => {
      const { owner, permission } = await scene(base)
      const attempt = Spm.approve(owner, { permission: { ...permission, ...terms } })
      expect(await rejection(attempt)).toMatchObject({ code })
    })
  }

  test('error: a client of neither the account nor an owner', async () => {
    const { stranger, strangerKey, permission } = await scene(base)
    expect(await rejection(Spm.approve(stranger, { permission }))).toMatchObject({
      code: 'WRONG_SENDER',
      figures: { sender: strangerKey.address, expected: permission.account },
    })
  })

  test('error: a smart account as the client', async () => {
    const { wallet, permission } = await scene(base)
    const client = createClient({ account: wallet, chain: base.chain, transport: http(base.url) })
    expect(await rejection(Spm.approve(client, { permission }))).toMatchObject({
      code: 'SMART_ACCOUNT_CLIENT',
    })
  })

  test('error: a client without an account', async () => {
    const { permission } = await scene(base)
    expect(await rejection(Spm.approve(base.client, { permission }))).toMatchObject({
      code: 'ACCOUNT_MISSING',
    })
  })

  test('error: a permission for another chain', async () => {
    const { owner, permission } = await scene(base)
    const attempt = Spm.approve(owner, { permission: { ...permission, chainId: 84532 } })
    expect(await rejection(attempt)).toMatchObject({
      code: 'WRONG_CHAIN',
      figures: { actual: 8453, expected: 84532 },
    })
  })

  test('error: nobody pays for gas', async () => {
    const { wallet, permission, strangerKey } = await scene(base)
    const signature = await Permission.sign(wallet, permission)
    await base.client.setBalance({ address: strangerKey.address, value: 0n })
    const attempt = Spm.approve(kit.clientOf(base, strangerKey), { permission, signature })
    expect(await rejection(attempt)).toMatchObject({ code: 'INSUFFICIENT_GAS_FUNDS' })
  })

  test('error: the person behind the wallet app says no', async () => {
    const { ownerKey, permission } = await scene(base)
    const client = kit.through(base, ownerKey.address, async (method) => {
      if (method === 'eth_sendTransaction') throw Object.assign(new Error('denied'), { code: 4001 })
    })
    expect(await rejection(Spm.approve(client, { permission }))).toMatchObject({ code: 'USER_REJECTED' })
  })

  test('error: a wallet app that sends something else', async () => {
    const { ownerKey, permission } = await scene(base)
    const client = kit.through(base, ownerKey.address, async (method) => {
      if (method !== 'eth_sendTransaction') return undefined
      return base.client.sendTransaction({ account: ownerKey, to: ownerKey.address })
    })
    expect(await rejection(Spm.approve(client, { permission }))).toMatchObject({
      code: 'OUTCOME_MISSING',
      figures: { hash: expect.stringMatching(/^0x/) },
    })
  })

  test('error: an endpoint that does not answer, whose address is nowhere in the error', async () => {
    const { ownerKey, permission } = await scene(base)
    const transport = http('http://127.0.0.1:1/v2/secret-key', { retryCount: 0 })
    const client = createClient({ account: ownerKey, chain: base.chain, transport })
    const error = await rejection(Spm.approve(client, { permission }))
    expect(error).toMatchObject({ code: 'RPC_FAILED', retryable: true })
    expect(`${error.stack} ${JSON.stringify(error.figures)} ${String(error.cause)}`).not.toContain(
      'secret-key',
    )
  })
})
