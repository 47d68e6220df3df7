import { describe, expect, test } from 'vitest'
import { Guard, Permission } from '../../src/index.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { approvedGuard, type GuardScene, guardScene } from './guardScene.js'
import * as kit from './kit.js'
import { mined } from './scene.js'

const base = await useBase()
const { rejection, usd } = kit

const pay = ({ agent, batch }: GuardScene, permission: Permission.Permission, amount = 1n) =>
  Guard.pay(agent, { permission, batch: batch(amount) })

/** With an orchestrator. */
async function orchestrated(): Promise<GuardScene> {
  const it = await guardScene(base)
  const grant = it.define({ orchestrator: it.orchestratorKey.address }, { grantId: it.grant.grantId })
  const permission = Permission.fromGrant(grant)
  await it.approve(permission)
  return { ...it, grant, permission }
}

describe('pause and resume', () => {
  test('default', async () => {
    const it = await approvedGuard(base)
    const key = Guard.key(it.permission)
    expect(await Guard.pause(it.owner, key)).toEqual({ already: false, ...mined })
    expect(await Guard.stops(base.client, it)).toEqual({ paused: true, revoked: false })
    expect(await rejection(pay(it, it.permission))).toMatchObject({
      code: 'PAUSED_BY',
      figures: { by: it.wallet.address },
    })
    expect(await Guard.resume(it.owner, key)).toEqual({ already: false, ...mined })
    expect(await pay(it, it.permission)).toMatchObject(mined)
  })

  test('args: by, the orchestrator, for the permissions that name it', async () => {
    const it = await orchestrated()
    const by = it.orchestratorKey.address
    const key = { ...Guard.key(it.permission), by }
    expect(await Guard.pause(it.orchestrator, key)).toEqual({ already: false, ...mined })
    expect(await rejection(pay(it, it.permission))).toMatchObject({ code: 'PAUSED_BY', figures: { by } })
    // The owner's own pause and resume change nothing about it.
    await Guard.pause(it.owner, Guard.key(it.permission))
    await Guard.resume(it.owner, Guard.key(it.permission))
    expect(await Guard.stops(base.client, it)).toEqual({ paused: true, revoked: false })
    await Guard.resume(it.orchestrator, key)
    expect(await pay(it, it.permission)).toMatchObject(mined)
  })

  test('behavior: twice is already', async () => {
    const { owner, permission } = await approvedGuard(base)
    const key = Guard.key(permission)
    expect(await Guard.resume(owner, key)).toEqual({ already: true })
    await Guard.pause(owner, key)
    expect(await Guard.pause(owner, key)).toEqual({ already: true })
  })

  test('behavior: a stranger who pauses for himself is not listened to', async () => {
    const it = await approvedGuard(base)
    const by = it.strangerKey.address
    await Guard.pause(it.stranger, { ...Guard.key(it.permission), by })
    expect(await Guard.stops(base.client, it)).toEqual({ paused: false, revoked: false })
    expect(await pay(it, it.permission)).toMatchObject(mined)
  })

  test('error: for somebody else', async () => {
    const { stranger, permission, wallet } = await approvedGuard(base)
    expect(await rejection(Guard.pause(stranger, Guard.key(permission)))).toMatchObject({
      code: 'WRONG_SENDER',
      figures: { expected: wallet.address },
    })
  })
})

describe('revoke', () => {
  test('default: with SpendPermissionManager, and all siblings', async () => {
    const it = await approvedGuard(base)
    const sibling = Permission.fromGrant(it.grant, { nonce: 1n })
    await it.approve(sibling)
    expect(await Guard.revoke(it.owner, it)).toEqual({ already: false, ...mined })
    expect(await Spm.isRevoked(base.client, it)).toBe(true)
    expect(await Guard.stops(base.client, it)).toEqual({ paused: false, revoked: true })
    const refused = { code: 'REVOKED_BY', figures: { by: it.wallet.address } }
    expect(await rejection(pay(it, it.permission))).toMatchObject(refused)
    expect(await rejection(pay(it, sibling))).toMatchObject(refused)
  })

  test.each(['agent', 'orchestrator'] as const)('args: by, the %s', async (who) => {
    const it = await orchestrated()
    const by = it[`${who}Key`].address
    expect(await Guard.revoke(it[who], { permission: it.permission, by })).toEqual({
      already: false,
      ...mined,
    })
    expect(await Spm.isRevoked(base.client, it)).toBe(true)
    expect(await rejection(pay(it, it.permission))).toMatchObject({ code: 'REVOKED_BY', figures: { by } })
  })

  test('behavior: twice is already', async () => {
    const it = await approvedGuard(base)
    await Guard.revoke(it.owner, it)
    expect(await Guard.revoke(it.owner, it)).toEqual({ already: true })
  })

  test('behavior: a revoked sibling does not make it already', async () => {
    const it = await approvedGuard(base)
    const sibling = Permission.fromGrant(it.grant, { nonce: 1n })
    await Guard.revoke(it.owner, { permission: sibling })
    expect(await Spm.isRevoked(base.client, it)).toBe(false)
    await Guard.revoke(it.owner, it)
    expect(await Spm.isRevoked(base.client, it)).toBe(true)
  })

  test('error: a stranger', async () => {
    const { stranger, strangerKey, permission } = await approvedGuard(base)
    const by = strangerKey.address
    expect(await rejection(Guard.revoke(stranger, { permission, by }))).toMatchObject({
      code: 'UNAUTHORIZED',
      figures: { caller: by },
    })
  })
})

describe('revokeGrant', () => {
  test('default: without any permission at hand', async () => {
    const it = await approvedGuard(base)
    expect(await Guard.revokeGrant(it.owner, Guard.key(it.permission))).toEqual({ already: false, ...mined })
    expect(await Spm.isRevoked(base.client, it)).toBe(false)
    expect(await rejection(pay(it, it.permission))).toMatchObject({ code: 'REVOKED_BY' })
    expect(await Guard.revokeGrant(it.owner, Guard.key(it.permission))).toEqual({ already: true })
  })
})

describe('replace', () => {
  test('default: raised, and what was spent stays spent', async () => {
    const it = await approvedGuard(base)
    await pay(it, it.permission, usd('5'))
    await pay(it, it.permission, usd('5'))
    const raised = it.define({ perDayUsd: '12' }, { grantId: it.grant.grantId })
    const to = Permission.fromGrant(raised, { replaces: Permission.hash(it.permission) })
    const signature = await it.sign(to)
    expect(await Guard.replace(it.stranger, { from: it.permission, to, signature })).toEqual({
      already: false,
      ...mined,
    })
    expect(await rejection(pay(it, it.permission))).toMatchObject({ code: 'OVER_DAY' })
    expect(await Spm.isRevoked(base.client, it)).toBe(true)
    expect(await rejection(pay(it, to, usd('2') + 1n))).toMatchObject({
      code: 'OVER_DAY',
      figures: { used: usd('10'), limit: usd('12') },
    })
    expect(await pay(it, to, usd('2'))).toMatchObject(mined)
    expect(await Guard.replace(it.stranger, { from: it.permission, to, signature })).toEqual({
      already: true,
    })
  })

  test('error: a permission that does not name the old one', async () => {
    const it = await approvedGuard(base)
    const to = Permission.fromGrant(it.grant, { nonce: 1n })
    expect(
      await rejection(Guard.replace(it.stranger, { from: it.permission, to, signature: await it.sign(to) })),
    ).toMatchObject({ code: 'NOT_REPLACING', figures: { actual: Permission.hash(it.permission) } })
  })

  test('error: not signed by the owner', async () => {
    const it = await approvedGuard(base)
    const to = Permission.fromGrant(it.grant, { replaces: Permission.hash(it.permission) })
    const signature = await it.sign(it.permission)
    expect(await rejection(Guard.replace(it.stranger, { from: it.permission, to, signature }))).toMatchObject(
      {
        code: 'INVALID_SIGNATURE',
      },
    )
  })

  test("error: another grant's", async () => {
    const [it, other] = [await approvedGuard(base), await approvedGuard(base)]
    const to = Permission.fromGrant(other.grant, { replaces: Permission.hash(it.permission) })
    const signature = await other.sign(to)
    expect(await rejection(Guard.replace(it.stranger, { from: it.permission, to, signature }))).toMatchObject(
      {
        code: 'OTHER_GRANT',
      },
    )
  })
})
