import { type Hex, maxUint160 } from 'viem'
import { describe, expect, test } from 'vitest'
import { nativeToken } from '../../src/Addresses.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { approved, mined, scene } from './scene.js'

const base = await useBase()
const { day, rejection } = kit

describe('spend', () => {
  test('default', async () => {
    const { agent, agentKey, permission } = await approved(base)
    const period = { start: permission.start, end: permission.start + day }
    expect(await Spm.spend(agent, { permission, amount: 40n })).toEqual({ ...mined, amount: 40n, period })
    expect(await kit.balanceOf(base, agentKey.address)).toBe(40n)
    expect(await Spm.getCurrentPeriod(base.client, { permission })).toEqual({ ...period, spent: 40n })
  })

  test('args: permission, of the native token', async () => {
    const { agent, wallet, permission } = await approved(base, {}, { token: nativeToken })
    await base.fundEth(wallet.address, 1_000n)
    expect(await Spm.spend(agent, { permission, amount: 100n })).toMatchObject({ amount: 100n })
    expect(await base.client.getBalance({ address: wallet.address })).toBe(900n)
  })

  test('behavior: reports the increment and not the sum of the period', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 40n })
    expect(await Spm.spend(agent, { permission, amount: 3n })).toMatchObject({ amount: 3n })
    expect(await Spm.getCurrentPeriod(base.client, { permission })).toMatchObject({ spent: 43n })
  })

  test('error: one unit above what the period still has', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 40n })
    const error = await rejection(Spm.spend(agent, { permission, amount: 61n }))
    expect(error).toMatchObject({
      code: 'EXCEEDED_SPEND_PERMISSION',
      figures: { value: 101n, allowance: 100n },
      retryable: true,
    })
    expect(error.message).toContain('ExceededSpendPermission(value 101, allowance 100)')
  })

  test('error: more than any period lets out, which no waiting helps', async () => {
    const { agent, permission } = await approved(base)
    expect(await rejection(Spm.spend(agent, { permission, amount: 101n }))).toMatchObject({
      code: 'EXCEEDED_SPEND_PERMISSION',
      figures: { value: 101n, allowance: 100n },
      retryable: false,
    })
  })

  test('error: nothing', async () => {
    const { agent, permission } = await approved(base)
    expect(await rejection(Spm.spend(agent, { permission, amount: 0n }))).toMatchObject({
      code: 'ZERO_VALUE',
    })
  })

  test('error: not approved, and revoked', async () => {
    const { agent, permission } = await scene(base)
    const attempt = () => rejection(Spm.spend(agent, { permission, amount: 1n }))
    expect(await attempt()).toMatchObject({ code: 'UNAUTHORIZED_SPEND_PERMISSION' })
    await Spm.revoke(agent, { permission })
    expect(await attempt()).toMatchObject({ code: 'UNAUTHORIZED_SPEND_PERMISSION' })
  })

  test('error: before the start, and from the end on', async () => {
    const start = (await base.now()) + 3_600
    const early = await approved(base, {}, { start, end: start + day })
    expect(
      await rejection(Spm.spend(early.agent, { permission: early.permission, amount: 1n })),
    ).toMatchObject({
      code: 'BEFORE_SPEND_PERMISSION_START',
      figures: { start },
      retryable: true,
    })
    await base.warp(start + day)
    expect(
      await rejection(Spm.spend(early.agent, { permission: early.permission, amount: 1n })),
    ).toMatchObject({
      code: 'AFTER_SPEND_PERMISSION_END',
      figures: { end: start + day },
      retryable: false,
    })
  })

  test('error: more than a uint160 in a period', async () => {
    const { agent, permission } = await approved(base, {}, { allowance: maxUint160 })
    await Spm.spend(agent, { permission, amount: 1n })
    expect(await rejection(Spm.spend(agent, { permission, amount: maxUint160 }))).toMatchObject({
      code: 'SPEND_VALUE_OVERFLOW',
      figures: { value: maxUint160 + 1n },
    })
    await expect(Spm.spend(agent, { permission, amount: maxUint160 + 1n })).rejects.toMatchObject({
      code: 'INVALID_AMOUNT',
    })
    await expect(Spm.spend(agent, { permission, amount: -1n })).rejects.toMatchObject({
      code: 'INVALID_AMOUNT',
    })
  })

  test('error: a wallet that SpendPermissionManager does not own', async () => {
    const { agent, permission } = await approved(base, { spm: false })
    const error = await rejection(Spm.spend(agent, { permission, amount: 1n }))
    expect(error).toMatchObject({ code: 'WALLET_UNAUTHORIZED' })
  })

  test('error: an EOA as the account', async () => {
    const { owner, ownerKey, agent, agentKey } = await scene(base)
    const permission = await kit.permissionOf(base, ownerKey.address, agentKey.address)
    await Spm.approve(owner, { permission })
    expect(await rejection(Spm.spend(agent, { permission, amount: 1n }))).toMatchObject({
      code: 'ACCOUNT_NOT_CONTRACT',
      figures: { account: ownerKey.address },
    })
  })

  test('error: more than the account has', async () => {
    const { agent, permission } = await approved(base, { usdc: 50n })
    expect(await rejection(Spm.spend(agent, { permission, amount: 51n }))).toMatchObject({
      code: 'INSUFFICIENT_BALANCE',
      retryable: true,
    })
    expect(await Spm.spend(agent, { permission, amount: 50n })).toMatchObject({ amount: 50n })
  })

  test('error: anybody but the spender, the owner included', async () => {
    const { owner, stranger, permission } = await approved(base)
    for (const client of [owner, stranger]) {
      expect(await rejection(Spm.spend(client, { permission, amount: 1n }))).toMatchObject({
        code: 'WRONG_SENDER',
        figures: { expected: permission.spender },
      })
    }
  })

  test('error: revoked while the spend was on its way, so the transaction reverts', async () => {
    const { agentKey, owner, permission } = await approved(base)
    const slow = kit.overtaken(base, agentKey, () => Spm.revoke(owner, { permission }))
    expect(await rejection(Spm.spend(slow, { permission, amount: 1n }))).toMatchObject({
      code: 'UNAUTHORIZED_SPEND_PERMISSION',
    })
    expect(await kit.balanceOf(base, agentKey.address)).toBe(0n)
  })

  test('error: an endpoint that takes the transaction and does not answer leaves open what happened', async () => {
    const { agentKey, permission } = await approved(base)
    const client = kit.through(base, agentKey, async (method, forward) => {
      if (method !== 'eth_sendRawTransaction') return
      await base.client.waitForTransactionReceipt({ hash: (await forward()) as Hex })
      throw new Error('socket hang up')
    })
    expect(await rejection(Spm.spend(client, { permission, amount: 7n }))).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      retryable: false,
    })
    // It did happen: a blind second attempt would have spent twice.
    expect(await kit.balanceOf(base, agentKey.address)).toBe(7n)
  })
})
