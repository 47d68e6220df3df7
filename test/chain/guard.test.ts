import { zeroAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuard, spendPermissionManager, usdc } from '../../src/Addresses.js'
import { Guard, Permission } from '../../src/index.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { approvedGuard, guardScene } from './guardScene.js'
import * as kit from './kit.js'
import { mined } from './scene.js'

const base = await useBase()
const { rejection, usd, balanceOf } = kit

describe('pay', () => {
  test('default', async () => {
    const { agent, agentKey, permission, batch, payees, wallet, grant } = await approvedGuard(base)
    const one = batch(usd('2'))
    const paid = await Guard.pay(agent, { permission, batch: one })
    expect(paid).toMatchObject({
      ...mined,
      payments: [
        {
          type: 'paid',
          grantId: grant.grantId,
          permission: Permission.hash(permission),
          payee: payees[0],
          amount: usd('2'),
          number: one.payments[0]?.number,
          ref: one.payments[0]?.ref,
        },
      ],
    })
    expect(await balanceOf(base, payees[0])).toBe(usd('2'))
    expect(await balanceOf(base, wallet.address)).toBe(usd('998'))
    expect(await balanceOf(base, agentKey.address)).toBe(0n)
    expect(await balanceOf(base, hardcapGuard)).toBe(0n)
  })

  test('args: batch, of several payments to several payees', async () => {
    const { agent, permission, grant, payment, payees, deadline } = await approvedGuard(base)
    const [a, b] = payees
    const payments = [payment(1n, a), payment(2n, a), payment(3n, b), payment(4n, a)]
    const batch = Guard.batch(grant, { payments, deadline, task: Guard.task('report-7') })
    // Only where the payee changes has it to be shown that it is listed.
    expect(batch.payments.map(({ proof }) => proof.length)).toEqual([1, 0, 1, 1])
    const paid = await Guard.pay(agent, { permission, batch })
    expect(paid.payments.map(({ amount, payee, task }) => [amount, payee, task])).toEqual(
      payments.map(({ amount, payee }) => [amount, payee, Guard.task('report-7')]),
    )
    expect([await balanceOf(base, a), await balanceOf(base, b)]).toEqual([7n, 3n])
  })

  test('args: batch, with a ticket', async () => {
    const { agent, orchestratorKey, define, approve, payment, deadline, payees } = await guardScene(base)
    const grant = define({ orchestrator: orchestratorKey.address, perTaskUsd: '6' })
    const permission = Permission.fromGrant(grant)
    await approve(permission)
    const task = Guard.task('report-7')
    const ticket = await Guard.signTicket(orchestratorKey, { permission, task, cap: usd('3'), deadline })
    const pay = (amount: bigint, more: Partial<Guard.Batch> = {}) => {
      const batch = Guard.batch(grant, { payments: [payment(amount)], deadline, task, ticket })
      return Guard.pay(agent, { permission, batch: { ...batch, ...more } })
    }
    expect(await pay(usd('2'))).toMatchObject({ payments: [{ task }] })
    expect(await rejection(pay(usd('1') + 1n))).toMatchObject({
      code: 'OVER_TASK',
      figures: { amount: usd('1') + 1n, used: usd('2'), limit: usd('3') },
    })
    expect(await rejection(pay(1n, { task: null }))).toMatchObject({ code: 'TASK_MISSING' })
    expect(await rejection(pay(1n, { ticket: null }))).toMatchObject({ code: 'TICKET_MISSING' })
    expect(await rejection(pay(1n, { task: Guard.task('other') }))).toMatchObject({
      code: 'TICKET_INVALID',
      figures: { orchestrator: orchestratorKey.address },
    })
    const late = await Guard.signTicket(orchestratorKey, { permission, task, cap: 1n, deadline: 1 })
    expect(await rejection(pay(1n, { ticket: late }))).toMatchObject({
      code: 'TICKET_EXPIRED',
      figures: { deadline: 1, time: expect.any(Number) },
    })
    expect(await pay(usd('1'))).toMatchObject(mined)
    expect(await balanceOf(base, payees[0])).toBe(usd('3'))
  })

  test('behavior: the chain holds all caps, with figures that say which', async () => {
    const { agent, permission, batch } = await approvedGuard(base, {
      totalUsd: '12',
      perWindowUsd: '9',
      window: 3600,
    })
    const pay = (...amounts: bigint[]) => Guard.pay(agent, { permission, batch: batch(...amounts) })
    expect(await rejection(pay(usd('5') + 1n))).toMatchObject({
      code: 'OVER_PER_CALL',
      figures: { amount: usd('5') + 1n, limit: usd('5') },
      retryable: false,
    })
    await pay(usd('4'))
    expect(await rejection(pay(usd('5'), usd('1')))).toMatchObject({
      code: 'OVER_WINDOW',
      figures: { amount: usd('6'), used: usd('4'), limit: usd('9') },
      retryable: true,
    })
    expect(await rejection(pay(usd('3'), usd('4')))).toMatchObject({
      code: 'OVER_DAY',
      figures: { amount: usd('7'), used: usd('4'), limit: usd('10') },
      retryable: true,
    })
    await base.warp((await kit.midnight(base)) + 60)
    await pay(usd('5'))
    await base.warp((await base.now()) + 7200)
    expect(await rejection(pay(usd('4')))).toMatchObject({
      code: 'OVER_TOTAL',
      figures: { amount: usd('4'), used: usd('9'), limit: usd('12') },
      retryable: false,
    })
    expect(await pay(usd('3'))).toMatchObject(mined)
  })

  test('error: the same payment again', async () => {
    const { agent, permission, batch, payees } = await approvedGuard(base)
    const once = batch(1n)
    await Guard.pay(agent, { permission, batch: once })
    expect(await rejection(Guard.pay(agent, { permission, batch: once }))).toMatchObject({
      code: 'NUMBER_USED',
      figures: { number: once.payments[0]?.number },
      retryable: false,
    })
    const later = { ...once, deadline: once.deadline + 1 }
    expect(await rejection(Guard.pay(agent, { permission, batch: later }))).toMatchObject({
      code: 'NUMBER_USED',
    })
    expect(await balanceOf(base, payees[0])).toBe(1n)
  })

  test('error: a payee that is not listed, or makes no sense', async () => {
    const { agent, permission, batch, agentKey } = await approvedGuard(base)
    const to = (payee: `0x${string}`) => {
      const one = batch(1n)
      return rejection(
        Guard.pay(agent, {
          permission,
          batch: { ...one, payments: one.payments.map((payment) => ({ ...payment, payee })) },
        }),
      )
    }
    const payee = agentKey.address
    expect(await to(payee)).toMatchObject({ code: 'WRONG_PAYEE', figures: { payee } })
    for (const payee of [zeroAddress, hardcapGuard, spendPermissionManager, usdc[8453]] as const)
      expect(await to(payee)).toMatchObject({ code: 'FORBIDDEN_PAYEE', figures: { payee } })
  })

  test('error: nothing, and too late', async () => {
    const { agent, permission, batch } = await approvedGuard(base)
    const pay = (batch: Guard.Batch) => rejection(Guard.pay(agent, { permission, batch }))
    expect(await pay(batch())).toMatchObject({ code: 'EMPTY_BATCH' })
    expect(await pay(batch(0n))).toMatchObject({ code: 'ZERO_AMOUNT' })
    const deadline = (await base.now()) - 1
    expect(await pay({ ...batch(1n), deadline })).toMatchObject({
      code: 'DEADLINE_PASSED',
      figures: { deadline, time: expect.any(Number) },
    })
    const ticket = { cap: 1n, deadline, signature: '0x12' } as const
    expect(await pay({ ...batch(1n), ticket })).toMatchObject({ code: 'TICKET_UNEXPECTED' })
  })

  test('error: not approved', async () => {
    const { agent, permission, batch } = await guardScene(base)
    expect(await rejection(Guard.pay(agent, { permission, batch: batch(1n) }))).toMatchObject({
      code: 'UNAUTHORIZED_SPEND_PERMISSION',
    })
  })

  test('error: anybody but the agent', async () => {
    const { owner, stranger, agentKey, permission, batch } = await approvedGuard(base)
    for (const client of [owner, stranger])
      expect(await rejection(Guard.pay(client, { permission, batch: batch(1n) }))).toMatchObject({
        code: 'WRONG_SENDER',
        figures: { expected: agentKey.address },
      })
  })

  test('error: a permission of the direct rail', async () => {
    const { agent, define, batch } = await guardScene(base)
    const permission = Permission.fromGrant(define({ rail: 'direct' }))
    await expect(Guard.pay(agent, { permission, batch: batch(1n) })).rejects.toMatchObject({
      name: 'PolicyError',
      code: 'MALFORMED_POLICY',
    })
  })

  test('error: what does not fit the contract', async () => {
    const { agent, permission, batch } = await approvedGuard(base)
    for (const amount of [-1n, 2n ** 112n])
      await expect(Guard.pay(agent, { permission, batch: batch(amount) })).rejects.toMatchObject({
        code: 'INVALID_AMOUNT',
        field: 'payments[0].amount',
      })
  })
})

describe('payWithSignature', () => {
  test('default: by a stranger', async () => {
    const { stranger, agentKey, permission, batch, payees } = await approvedGuard(base)
    const one = batch(3n)
    const signature = await Guard.signBatch(agentKey, { permission, batch: one })
    expect(await Guard.payWithSignature(stranger, { permission, batch: one, signature })).toMatchObject({
      ...mined,
      payments: [{ amount: 3n }],
    })
    expect(await balanceOf(base, payees[0])).toBe(3n)
  })

  test('error: something else than the agent signed', async () => {
    const { stranger, agentKey, permission, batch } = await approvedGuard(base)
    const one = batch(3n)
    const signature = await Guard.signBatch(agentKey, { permission, batch: one })
    const changed = { ...one, deadline: one.deadline + 1 }
    expect(
      await rejection(Guard.payWithSignature(stranger, { permission, batch: changed, signature })),
    ).toMatchObject({ code: 'INVALID_AGENT_SIGNATURE', figures: { agent: agentKey.address } })
  })

  test('error: twice', async () => {
    const { stranger, agentKey, permission, batch } = await approvedGuard(base)
    const one = batch(3n)
    const signature = await Guard.signBatch(agentKey, { permission, batch: one })
    await Guard.payWithSignature(stranger, { permission, batch: one, signature })
    expect(
      await rejection(Guard.payWithSignature(stranger, { permission, batch: one, signature })),
    ).toMatchObject({ code: 'NUMBER_USED' })
  })
})

describe('approveAndPay', () => {
  test('default: by the agent', async () => {
    const { agent, permission, batch, sign, payees } = await guardScene(base)
    const ownerSignature = await sign(permission)
    expect(await Guard.approveAndPay(agent, { permission, batch: batch(3n), ownerSignature })).toMatchObject({
      ...mined,
      payments: [{ amount: 3n }],
    })
    expect(await Spm.isApproved(base.client, { permission })).toBe(true)
    expect(await balanceOf(base, payees[0])).toBe(3n)
  })

  test('args: agentSignature', async () => {
    const { stranger, agentKey, permission, batch, sign } = await guardScene(base)
    const one = batch(3n)
    const signed = {
      ownerSignature: await sign(permission),
      agentSignature: await Guard.signBatch(agentKey, { permission, batch: one }),
    }
    expect(await Guard.approveAndPay(stranger, { permission, batch: one, ...signed })).toMatchObject({
      payments: [{ amount: 3n }],
    })
  })

  test('behavior: approved before is no error', async () => {
    const { agent, permission, batch, sign } = await approvedGuard(base)
    const ownerSignature = await sign(permission)
    expect(await Guard.approveAndPay(agent, { permission, batch: batch(3n), ownerSignature })).toMatchObject(
      mined,
    )
  })

  test('error: not signed by the owner', async () => {
    const { agent, permission, batch, sign } = await guardScene(base)
    const ownerSignature = await sign({ ...permission, salt: 1n })
    expect(
      await rejection(Guard.approveAndPay(agent, { permission, batch: batch(3n), ownerSignature })),
    ).toMatchObject({ code: 'INVALID_SIGNATURE' })
  })

  test('error: revoked before', async () => {
    const { agent, owner, permission, batch, sign } = await guardScene(base)
    await Spm.revoke(owner, { permission })
    const ownerSignature = await sign(permission)
    expect(
      await rejection(Guard.approveAndPay(agent, { permission, batch: batch(3n), ownerSignature })),
    ).toMatchObject({ code: 'APPROVAL_REFUSED', figures: { permission: Permission.hash(permission) } })
  })
})
