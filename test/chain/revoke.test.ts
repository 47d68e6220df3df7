import { describe, expect, test } from 'vitest'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { approved, mined, scene } from './scene.js'

const base = await useBase()
const { rejection } = kit

describe('revoke', () => {
  test('default: an owner revokes through the smart wallet', async () => {
    const { owner, agent, permission } = await approved(base)
    expect(await Spm.revoke(owner, { permission })).toEqual({ already: false, ...mined })
    expect(await Spm.isRevoked(base.client, { permission })).toBe(true)
    expect(await Spm.isApproved(base.client, { permission })).toBe(true)
    expect(await rejection(Spm.spend(agent, { permission, amount: 1n }))).toMatchObject({
      code: 'UNAUTHORIZED_SPEND_PERMISSION',
    })
  })

  test('behavior: the spender revokes as the spender', async () => {
    const { agent, permission } = await approved(base)
    expect(await Spm.revoke(agent, { permission })).toEqual({ already: false, ...mined })
    expect(await Spm.isRevoked(base.client, { permission })).toBe(true)
  })

  test('behavior: needs no approval first, and forbids a later one', async () => {
    const { owner, permission } = await scene(base)
    expect(await Spm.revoke(owner, { permission })).toEqual({ already: false, ...mined })
    expect(await Spm.isApproved(base.client, { permission })).toBe(false)
    expect(await rejection(Spm.approve(owner, { permission }))).toMatchObject({ code: 'ALREADY_REVOKED' })
  })

  test('behavior: twice is a success that says so', async () => {
    const { owner, agent, permission } = await approved(base)
    await Spm.revoke(owner, { permission })
    expect(await Spm.revoke(owner, { permission })).toEqual({ already: true })
    expect(await Spm.revoke(agent, { permission })).toEqual({ already: true })
  })

  test('error: a stranger', async () => {
    const { stranger, permission } = await approved(base)
    expect(await rejection(Spm.revoke(stranger, { permission }))).toMatchObject({ code: 'WRONG_SENDER' })
  })
})

describe('replace', () => {
  const other = (permission: Permission.Permission) => ({
    ...permission,
    allowance: 60n,
    salt: permission.salt + 1n,
  })

  test('default: an owner, in one transaction, and the new meter starts at zero', async () => {
    const { owner, agent, permission: from } = await approved(base)
    await Spm.spend(agent, { permission: from, amount: 70n })
    const to = other(from)
    const { revoked, approved: outcome } = await Spm.replace(owner, { from, to })
    expect(revoked).toEqual({ already: false, ...mined })
    expect(outcome).toEqual(revoked)
    expect(await rejection(Spm.spend(agent, { permission: from, amount: 1n }))).toMatchObject({
      code: 'UNAUTHORIZED_SPEND_PERMISSION',
    })
    expect(await Spm.spend(agent, { permission: to, amount: 60n })).toMatchObject({ amount: 60n })
  })

  test('args: lastUpdatedPeriod, as the person saw it before deciding', async () => {
    const { owner, agent, permission: from } = await approved(base)
    const lastUpdatedPeriod = await Spm.getLastUpdatedPeriod(base.client, { permission: from })
    expect(lastUpdatedPeriod).toEqual({ start: 0, end: 0, spent: 0n })
    await Spm.spend(agent, { permission: from, amount: 70n })
    const to = other(from)
    expect(await rejection(Spm.replace(owner, { from, to, lastUpdatedPeriod }))).toMatchObject({
      code: 'INVALID_LAST_UPDATED_PERIOD',
      figures: { actualLastUpdatedPeriod: { spend: 70n }, expectedLastUpdatedPeriod: { spend: 0n } },
      retryable: false,
    })
    expect(await Spm.isRevoked(base.client, { permission: from })).toBe(false)
  })

  test('args: signature, by the agent, which revokes before it approves', async () => {
    const { wallet, agent, permission: from } = await approved(base)
    const to = other(from)
    const signature = await Permission.sign(wallet, to)
    const { revoked, approved: outcome } = await Spm.replace(agent, { from, to, signature })
    expect(revoked).toEqual({ already: false, ...mined })
    expect(outcome).toEqual({ already: false, ...mined })
    if (revoked.already || outcome.already) throw new Error('Nothing was sent.')
    const at = { permission: to, blockNumber: revoked.blockNumber }
    expect(await Spm.isApproved(base.client, at)).toBe(false)
    expect(await Spm.isApproved(base.client, { permission: to })).toBe(true)
  })

  test('behavior: what is done already is said to be', async () => {
    const { owner, permission: from } = await approved(base)
    const to = other(from)
    await Spm.revoke(owner, { permission: from })
    expect(await Spm.replace(owner, { from, to })).toEqual({
      revoked: { already: true },
      approved: { already: false, ...mined },
    })
  })

  test('error: a new one that is revoked, or wrongly signed, leaves the old one standing', async () => {
    const { owner, agent, wallet, permission: from } = await approved(base)
    const to = other(from)
    const signature = await Permission.sign(wallet, from)
    expect(await rejection(Spm.replace(agent, { from, to, signature }))).toMatchObject({
      code: 'INVALID_SIGNATURE',
    })
    await Spm.revoke(agent, { permission: to })
    expect(await rejection(Spm.replace(owner, { from, to }))).toMatchObject({ code: 'ALREADY_REVOKED' })
    expect(
      await rejection(Spm.replace(agent, { from, to, signature: await Permission.sign(wallet, to) })),
    ).toMatchObject({ code: 'ALREADY_REVOKED' })
    expect(await Spm.isRevoked(base.client, { permission: from })).toBe(false)
  })

  test('error: permissions of two accounts', async () => {
    const { owner, permission: to } = await scene(base)
    const { permission: from } = await approved(base)
    expect(await rejection(Spm.replace(owner, { from, to }))).toMatchObject({
      code: 'MISMATCHED_ACCOUNTS',
      figures: { firstAccount: to.account, secondAccount: from.account },
    })
  })
})

describe('enable', () => {
  test('default: an owner makes SpendPermissionManager one too, and spends go through', async () => {
    const { owner, agent, wallet, permission } = await approved(base, { spm: false })
    expect(await Spm.enable(owner, { account: wallet.address })).toEqual({ already: false, ...mined })
    expect(await Spm.spend(agent, { permission, amount: 1n })).toMatchObject({ amount: 1n })
  })

  test('behavior: twice is a success that says so', async () => {
    const { owner, wallet } = await scene(base)
    expect(await Spm.enable(owner, { account: wallet.address })).toEqual({ already: true })
  })

  test('error: a stranger, and a wallet that is not deployed', async () => {
    const { stranger, wallet } = await scene(base, { spm: false })
    const attempt = Spm.enable(stranger, { account: wallet.address })
    expect(await rejection(attempt)).toMatchObject({ code: 'WRONG_SENDER' })
    const later = await scene(base, { spm: false, deployed: false })
    const early = Spm.enable(later.owner, { account: later.wallet.address })
    expect(await rejection(early)).toMatchObject({ code: 'WRONG_SENDER' })
  })
})
