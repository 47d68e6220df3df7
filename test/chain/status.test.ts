import { createClient, http, zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { coinbaseSmartWalletFactoryV1, nativeToken } from '../../src/Addresses.js'
import type * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Status from '../../src/Status.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { approved, scene } from './scene.js'

const base = await useBase()
const { day } = kit
const thousand = kit.usd('1000')

const statusOf = (permission: Permission.Permission) => Status.of(base.client, { permission })

/** Has the account delegate its code to some contract (EIP-7702). */
async function delegate(account: Parameters<typeof base.client.signAuthorization>[0]['account']) {
  const to = coinbaseSmartWalletFactoryV1
  const authorization = await base.client.signAuthorization({
    account,
    contractAddress: to,
    executor: 'self',
  })
  await base.client.sendTransactionSync({ account, authorizationList: [authorization], to: zeroAddress })
  return to
}

describe('of', () => {
  test('default: active, with the figures of the period at the block', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 40n })
    const block = await base.client.getBlock()
    expect(await statusOf(permission)).toEqual({
      status: 'active',
      now: Number(block.timestamp),
      block: { number: block.number, hash: block.hash },
      period: { start: permission.start, end: permission.start + day },
      spent: 40n,
      remaining: 60n,
      spendable: 60n,
      balance: thousand - 40n,
      warnings: [],
    })
  })

  test('args: blockNumber', async () => {
    const { owner, agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 40n })
    const { number, hash, timestamp } = await base.client.getBlock()
    await Spm.spend(agent, { permission, amount: 60n })
    await Spm.revoke(owner, { permission })
    expect(await Status.of(base.client, { permission, blockNumber: number })).toMatchObject({
      status: 'active',
      now: Number(timestamp),
      block: { number, hash },
      spent: 40n,
      balance: thousand - 40n,
    })
    expect(await Status.of(base.client, { permission, blockNumber: number - 3n })).toMatchObject({
      status: 'unapproved',
    })
    expect(await statusOf(permission)).toMatchObject({ status: 'revoked' })
  })

  test('args: permission, of the native token', async () => {
    const { wallet, permission } = await approved(base, {}, { token: nativeToken })
    expect(await statusOf(permission)).toMatchObject({ status: 'balance-low', balance: 0n, spendable: 0n })
    await base.fundEth(wallet.address, 123n)
    expect(await statusOf(permission)).toMatchObject({ status: 'active', balance: 123n, spendable: 100n })
  })

  test('error: a permission for another chain, and an endpoint that does not answer', async () => {
    const { permission } = await scene(base)
    const elsewhere = { ...permission, chainId: 84532 }
    expect(await kit.rejection(statusOf(elsewhere))).toMatchObject({ code: 'WRONG_CHAIN' })
    const gone = createClient({ transport: http('http://127.0.0.1:1', { retryCount: 0 }) })
    const attempt = Status.of(gone, { permission })
    expect(await kit.rejection(attempt)).toMatchObject({ code: 'RPC_FAILED', retryable: true })
  })
})

describe('time', () => {
  test('behavior: before-start until a second before it, active at it', async () => {
    const start = (await base.now()) + 3_600
    const { permission } = await approved(base, {}, { start, end: start + 2 * day })
    const now = await base.now()
    expect(await statusOf(permission)).toMatchObject({ status: 'before-start', start, startsIn: start - now })
    await base.warp(start - 1)
    expect(await statusOf(permission)).toMatchObject({ status: 'before-start', startsIn: 1, warnings: [] })
    await base.warp(start)
    expect(await statusOf(permission)).toMatchObject({
      status: 'active',
      period: { start, end: start + day },
    })
  })

  test('behavior: active until a second before the end, ended at it', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 7n })
    const { start, end } = permission
    await base.warp(end - 1)
    expect(await statusOf(permission)).toMatchObject({
      status: 'active',
      period: { start: end - day, end },
      spent: 0n,
    })
    await base.warp(end)
    expect(await statusOf(permission)).toMatchObject({
      status: 'ended',
      end,
      approved: true,
      last: { start, end: start + day, spent: 7n },
      warnings: [],
    })
  })

  test('behavior: exhausted until the period ends, then active', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 100n })
    const resetsAt = permission.start + day
    const exhausted = {
      status: 'exhausted',
      resetsAt,
      spent: 100n,
      remaining: 0n,
      spendable: 0n,
      warnings: [],
    }
    expect(await statusOf(permission)).toMatchObject(exhausted)
    await base.warp(resetsAt - 1)
    expect(await statusOf(permission)).toMatchObject(exhausted)
    await base.warp(resetsAt)
    expect(await statusOf(permission)).toMatchObject({ status: 'active', spent: 0n, remaining: 100n })
  })

  test('behavior: exhausted in the last period never resets', async () => {
    const { agent, permission } = await approved(base)
    await base.warp(permission.end - day)
    await Spm.spend(agent, { permission, amount: 100n })
    expect(await statusOf(permission)).toMatchObject({ status: 'exhausted', resetsAt: null })
  })
})

describe('approval', () => {
  test('behavior: unapproved, deployed or not', async () => {
    const { permission } = await scene(base)
    expect(await statusOf(permission)).toMatchObject({ status: 'unapproved', deployed: true, warnings: [] })
    const later = await scene(base, { deployed: false })
    expect(await statusOf(later.permission)).toMatchObject({
      status: 'unapproved',
      deployed: false,
      warnings: [],
    })
  })

  test('behavior: revoked, approved before or not', async () => {
    const { owner, permission } = await approved(base)
    await Spm.revoke(owner, { permission })
    expect(await statusOf(permission)).toMatchObject({ status: 'revoked', approved: true, warnings: [] })
    const early = await scene(base)
    await Spm.revoke(early.owner, { permission: early.permission })
    expect(await statusOf(early.permission)).toMatchObject({
      status: 'revoked',
      approved: false,
      warnings: ['unapproved'],
    })
  })
})

describe('account', () => {
  test('behavior: spm-not-owner, until it is enabled', async () => {
    const { owner, permission } = await approved(base, { spm: false })
    const { account } = permission
    expect(await statusOf(permission)).toMatchObject({ status: 'spm-not-owner', account, warnings: [] })
    await Spm.enable(owner, { account })
    expect(await statusOf(permission)).toMatchObject({ status: 'active' })
  })

  test('behavior: account-not-contract, for an EOA that has approved', async () => {
    const { owner, ownerKey, agentKey } = await scene(base)
    const account = ownerKey.address
    const permission = await kit.permissionOf(base, account, agentKey.address)
    await base.fundUsdc(account, 1_000n)
    expect(await statusOf(permission)).toMatchObject({ status: 'unapproved', deployed: false })
    await Spm.approve(owner, { permission })
    expect(await statusOf(permission)).toMatchObject({
      status: 'account-not-contract',
      account,
      warnings: [],
    })
  })

  test('behavior: balance-low from one unit below what the period still lets out', async () => {
    const { agent, permission } = await approved(base, { usdc: 100n })
    expect(await statusOf(permission)).toMatchObject({ status: 'active', balance: 100n })
    const poor = await approved(base, { usdc: 99n })
    const low = { status: 'balance-low', balance: 99n, remaining: 100n, spendable: 99n, warnings: [] }
    expect(await statusOf(poor.permission)).toMatchObject(low)
    // An exhausted period lets nothing out, so nothing is missing.
    await Spm.spend(agent, { permission, amount: 100n })
    expect(await statusOf(permission)).toMatchObject({ status: 'exhausted', balance: 0n, warnings: [] })
  })

  test('behavior: agent-delegated, although spending still works', async () => {
    const { agent, agentKey, permission } = await approved(base)
    const to = await delegate(agentKey)
    expect(await statusOf(permission)).toMatchObject({
      status: 'agent-delegated',
      delegate: to,
      remaining: 100n,
      warnings: [],
    })
    await Spm.spend(agent, { permission, amount: 100n })
    expect(await statusOf(permission)).toMatchObject({ status: 'exhausted', warnings: ['agent-delegated'] })
  })

  test('behavior: a contract as the spender is not a delegation', async () => {
    const { permission } = await approved(base, {}, { spender: coinbaseSmartWalletFactoryV1 })
    expect(await statusOf(permission)).toMatchObject({ status: 'active' })
  })
})

describe('precedence', () => {
  test('behavior: the first that is true is the status, the others are warnings, in order', async () => {
    const start = (await base.now()) + 3_600
    const { owner, agentKey, permission } = await scene(
      base,
      { spm: false, usdc: 0n },
      { start, end: start + day },
    )
    await delegate(agentKey)
    expect(await statusOf(permission)).toMatchObject({
      status: 'unapproved',
      warnings: ['spm-not-owner', 'before-start', 'balance-low', 'agent-delegated'],
    })
    await Spm.approve(owner, { permission })
    expect(await statusOf(permission)).toMatchObject({
      status: 'spm-not-owner',
      warnings: ['before-start', 'balance-low', 'agent-delegated'],
    })
    await base.warp(start + day)
    expect(await statusOf(permission)).toMatchObject({
      status: 'ended',
      warnings: ['spm-not-owner', 'agent-delegated'],
    })
    await Spm.revoke(owner, { permission })
    expect(await statusOf(permission)).toMatchObject({
      status: 'revoked',
      warnings: ['ended', 'spm-not-owner', 'agent-delegated'],
    })
  })

  test('behavior: before the start, low means less than the first period will let out', async () => {
    const start = (await base.now()) + 3_600
    const { permission } = await approved(base, { usdc: 99n }, { start, end: start + day })
    expect(await statusOf(permission)).toMatchObject({ status: 'before-start', warnings: ['balance-low'] })
  })
})
