import { describe, expect, test } from 'vitest'
import { Guard, Permission, Policy } from '../../src/index.js'
import { useBase } from '../base.js'
import { approvedGuard, guardScene } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { rejection, usd } = kit
const { client } = base

describe('check and simulate', () => {
  test('default', async () => {
    const { permission, batch } = await approvedGuard(base)
    const one = { permission, batch: batch(usd('5')) }
    expect(await Guard.check(client, one)).toBe('Ok')
    expect(await Guard.simulate(client, one)).toBe(undefined)
  })

  test('args: blockNumber', async () => {
    const { permission, batch, approve } = await guardScene(base)
    const one = { permission, batch: batch(1n), blockNumber: await client.getBlockNumber() }
    await approve(permission)
    expect(await Guard.check(client, one)).toBe('NotApproved')
    expect(await Guard.check(client, { ...one, blockNumber: undefined })).toBe('Ok')
  })

  test('behavior: why not', async () => {
    const { permission, batch } = await approvedGuard(base)
    const over = { permission, batch: batch(usd('5') + 1n) }
    expect(await Guard.check(client, over)).toBe('OverPerCall')
    expect(await rejection(Guard.simulate(client, over))).toMatchObject({
      code: 'OVER_PER_CALL',
      figures: { amount: usd('5') + 1n, limit: usd('5') },
    })
  })

  test('behavior: a policy that cannot be read is a reason too', async () => {
    const { permission, batch } = await approvedGuard(base)
    const broken = (extraData: `0x${string}`) =>
      Guard.check(client, { permission: { ...permission, extraData }, batch: batch(1n) })
    expect(await broken('0x')).toBe('MalformedPolicy')
    expect(await broken('0x02')).toBe('UnknownPolicyVersion')
  })
})

describe('checkFunding and simulateFunding', () => {
  test('default', async () => {
    const { define, approve, funding } = await guardScene(base)
    const permission = Permission.fromGrant(define({ rail: 'purse' }))
    await approve(permission)
    const [within, over] = [funding(usd('10')), funding(usd('10') + 1n)]
    expect(await Guard.checkFunding(client, { permission, funding: within })).toBe('Ok')
    expect(await Guard.simulateFunding(client, { permission, funding: within })).toBe(undefined)
    expect(await Guard.checkFunding(client, { permission, funding: over })).toBe('OverFloat')
    expect(await rejection(Guard.simulateFunding(client, { permission, funding: over }))).toMatchObject({
      code: 'OVER_FLOAT',
      figures: { target: usd('10') + 1n, limit: usd('10') },
    })
  })

  test('behavior: without a purse nothing can be funded', async () => {
    const { permission, funding } = await approvedGuard(base)
    expect(await Guard.checkFunding(client, { permission, funding: funding(1n) })).toBe('OverFloat')
  })
})

describe('remaining and used', () => {
  test('default', async () => {
    const { agent, permission, batch } = await approvedGuard(base)
    await Guard.pay(agent, { permission, batch: batch(usd('4'), usd('2')) })
    expect(await Guard.remaining(client, { permission })).toEqual({
      perCall: usd('5'),
      perDay: usd('4'),
      total: usd('19'),
      perTask: null,
      perWindow: null,
      period: usd('4'),
      float: null,
    })
    expect(await Guard.used(client, { permission })).toEqual({
      perCall: null,
      perDay: usd('6'),
      total: usd('6'),
      perTask: 0n,
      perWindow: null,
      period: usd('6'),
      float: 0n,
    })
  })

  test('args: task', async () => {
    const { agent, orchestratorKey, define, approve, payment, deadline } = await guardScene(base)
    const terms = { perWindowUsd: '7', window: 600, perTaskUsd: '6', orchestrator: orchestratorKey.address }
    const grant = define(terms)
    const permission = Permission.fromGrant(grant)
    await approve(permission)
    const task = Guard.task('report-7')
    const ticket = await Guard.signTicket(orchestratorKey, { permission, task, cap: usd('6'), deadline })
    const batch = Guard.batch(grant, { payments: [payment(usd('2'))], deadline, task, ticket })
    await Guard.pay(agent, { permission, batch })
    expect(await Guard.remaining(client, { permission, task })).toMatchObject({
      perTask: usd('4'),
      perWindow: usd('5'),
    })
    expect(await Guard.remaining(client, { permission, task: Guard.task('other') })).toMatchObject({
      perTask: usd('6'),
    })
    expect(await Guard.used(client, { permission, task })).toMatchObject({
      perTask: usd('2'),
      perWindow: usd('2'),
    })
  })

  test('args: blockNumber', async () => {
    const { agent, permission, batch } = await approvedGuard(base)
    const blockNumber = await client.getBlockNumber()
    await Guard.pay(agent, { permission, batch: batch(usd('4')) })
    expect(await Guard.used(client, { permission, blockNumber })).toMatchObject({ total: 0n })
    expect(await Guard.used(client, { permission })).toMatchObject({ total: usd('4') })
  })

  test('behavior: a cap that the policy does not have is null', async () => {
    const { define } = await guardScene(base)
    const permission = Permission.fromGrant(define({ totalUsd: undefined }))
    expect(await Guard.remaining(client, { permission })).toMatchObject({ total: null, perDay: usd('10') })
  })

  test('error: a permission without a policy', async () => {
    const { define } = await guardScene(base)
    const permission = Permission.fromGrant(define({ rail: 'direct' }))
    for (const read of [Guard.remaining, Guard.used])
      await expect(read(client, { permission })).rejects.toMatchObject({ code: 'MALFORMED_POLICY' })
  })
})

describe('isUsed', () => {
  test('default', async () => {
    const { agent, permission, batch } = await approvedGuard(base)
    const one = batch(1n)
    const number = one.payments[0]?.number ?? 0n
    expect(await Guard.isUsed(client, { permission, number })).toBe(false)
    await Guard.pay(agent, { permission, batch: one })
    expect(await Guard.isUsed(client, { permission, number })).toBe(true)
    expect(await Guard.isUsed(client, { permission, number: number + 1n })).toBe(false)
    const blockNumber = (await client.getBlockNumber()) - 1n
    expect(await Guard.isUsed(client, { permission, number, blockNumber })).toBe(false)
  })
})

describe('explain', () => {
  test('default', async () => {
    const { permission } = await guardScene(base)
    const { extraData } = permission
    expect(await Guard.explain(client, { extraData })).toEqual(Policy.decode(extraData))
  })

  test('error: bytes that are no policy', async () => {
    expect(await rejection(Guard.explain(client, { extraData: '0x' }))).toMatchObject({
      code: 'MALFORMED_POLICY',
    })
    expect(await rejection(Guard.explain(client, { extraData: '0x05' }))).toMatchObject({
      code: 'UNKNOWN_POLICY_VERSION',
      figures: { version: 5n },
    })
  })
})

test('parseLogs: what a transaction did, in its order, and of the guard alone', async () => {
  const it = await approvedGuard(base)
  const paid = await Guard.pay(it.agent, { permission: it.permission, batch: it.batch(1n, 2n) })
  const { logs } = await client.getTransactionReceipt({ hash: paid.hash })
  expect(Guard.parseLogs(logs)).toEqual(paid.payments)
  expect(logs.length).toBeGreaterThan(paid.payments.length)

  await Guard.pause(it.owner, Guard.key(it.permission))
  await Guard.resume(it.owner, Guard.key(it.permission))
  const to = Permission.fromGrant(it.grant, { replaces: Permission.hash(it.permission) })
  await Guard.replace(it.stranger, { from: it.permission, to, signature: await it.sign(to) })
  await Guard.revoke(it.owner, { permission: to })
  const fromBlock = paid.blockNumber + 1n
  const later = Guard.parseLogs(await client.getLogs({ fromBlock }))
  const { account, token, grantId } = Guard.key(it.permission)
  const stop = { account, token, grantId, by: account }
  expect(later).toMatchObject([
    { type: 'paused', ...stop },
    { type: 'resumed', ...stop },
    {
      type: 'replaced',
      account,
      grantId,
      permission: Permission.hash(to),
      oldPermission: Permission.hash(it.permission),
    },
    { type: 'revoked', ...stop },
  ])
})
