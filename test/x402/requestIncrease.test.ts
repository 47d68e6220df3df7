import { describe, expect, test } from 'vitest'
import { Coverage, type Grant, GrantError, InputError, Permission } from '../../src/index.js'
import { increases, payWith, raise, requestIncrease } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import { startHostile, terms } from './hostile.js'
import { payer } from './payKit.js'

kit.endAfterEach()
const base = await useBase()

/** A call of 0.06 USDC, under a cap of 0.05. */
async function scene() {
  const payTo = kit.freshAddress()
  const facilitator = await startFacilitator(base)
  const merchant = await startHostile({ payTo, facilitator }, terms({ amount: '60000' }))
  const refusals: unknown[] = []
  const it = await payer(base, merchant.host, payTo, { onRefusal: (refusal) => refusals.push(refusal) })
  /** What the owner does with a request. */
  async function approve(grant: Grant.Grant) {
    const permission = Permission.fromGrant(grant, { replaces: Permission.hash(it.budget.permission) })
    return { grant, permission, signature: await Permission.sign(it.wallet.account, permission) }
  }
  return { ...it, refusals, approve, get: (key: string) => it.pay(merchant.origin, {}, { key }) }
}

const wanted = { cap: 'perCall', to: 60_000n, reason: 'The map costs 0.06.\nOnce.' } as const

describe('requestIncrease', () => {
  test('default: refused, asked for, shown, approved, and paid', async () => {
    const it = await scene()
    await expect(it.get('a')).rejects.toMatchObject({ code: 'OVER_PER_CALL' })
    expect(it.refusals).toMatchObject([
      { code: 'OVER_PER_CALL', figures: { cap: 'perCall', amount: 60_000n } },
    ])
    const request = await requestIncrease(it.budget, wanted)
    const waiting = request.approved({ timeoutMs: 60_000 })
    const [shown, ...more] = await increases(it.budget)
    expect([shown, more]).toEqual([{ ...wanted, id: request.id, time: request.time }, []])
    expect((await it.budget.receipts()).at(-1)).toMatchObject({
      event: 'requested',
      ok: false,
      key: request.id,
      amount: 60_000n,
    })
    // On the owner's side: what it would be worth to a thief, and then a signature.
    const grant = raise(it.budget.grant, shown ?? wanted)
    expect(Coverage.of(grant).caps).toContainEqual(
      expect.objectContaining({ cap: 'perCall', limit: 60_000n }),
    )
    await it.budget.replace(await it.approve(grant))
    expect(await waiting).toEqual(grant)
    expect(await increases(it.budget)).toEqual([])
    expect((await it.get('a')).status).toBe(200)
    expect(await it.sound()).toEqual({ paid: 60_000n, held: 0n })
  })

  test('behavior: what was spent stays spent', async () => {
    const it = await scene()
    const other = await it.budget.authorize(
      { key: 'x', to: it.grant.allow[0]?.payTo[0] ?? '0x', amount: 40_000n },
      { validSeconds: 60 },
    )
    expect(other.settled).toBe(false)
    const request = await requestIncrease(it.budget, { cap: 'total', to: 3_000_000n, reason: 'More.' })
    await it.budget.replace(await it.approve(raise(it.budget.grant, request)))
    await request.approved()
    expect(await it.budget.spentTotalUsd()).toBe('0.5')
    expect((await it.budget.remaining()).total).toBe(2_500_000n)
  })

  test('behavior: approved by another process on the same books', async () => {
    const it = await scene()
    const request = await requestIncrease(it.budget, wanted)
    const waiting = request.approved({ pollMs: 5 })
    const elsewhere = await kit.open(base, it, it.store)
    await elsewhere.replace(await it.approve(raise(it.grant, wanted)))
    expect((await waiting).perCall).toBe(60_000n)
  })

  test('behavior: a raise that is lower than what was asked for approves nothing', async () => {
    const it = await scene()
    const request = await requestIncrease(it.budget, wanted)
    await it.budget.replace(await it.approve(raise(it.grant, { ...wanted, to: 55_000n })))
    await expect(request.approved({ timeoutMs: 1, pollMs: 1 })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      retryable: true,
      figures: { id: request.id, limit: 1 },
    })
    expect(await increases(it.budget)).toHaveLength(1)
  })

  test('args: signal, which ends the waiting and not the request', async () => {
    const it = await scene()
    const request = await requestIncrease(it.budget, wanted)
    const aborting = new AbortController()
    const waiting = request.approved({ signal: aborting.signal })
    aborting.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(await increases(it.budget)).toHaveLength(1)
  })

  test('error: a cap that the grant does not have, or that is as high', async () => {
    const it = await scene()
    for (const [asked, field] of [
      [{ ...wanted, cap: 'perTask' }, 'cap'],
      [{ ...wanted, cap: 'payees' as 'perCall' }, 'cap'],
      [{ ...wanted, to: 50_000n }, 'to'],
      [{ ...wanted, to: 60_000 as unknown as bigint }, 'to'],
    ] as const) {
      const error = await requestIncrease(it.budget, asked).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(InputError)
      expect(error).toMatchObject({ code: 'INVALID_VALUE', field })
    }
    expect(() => raise(it.grant, { cap: 'perCall', to: 10n ** 9n })).toThrow(InputError)
    expect(await increases(it.budget)).toEqual([])
  })
})

test('behavior: a listener that throws hides no refusal', async () => {
  const it = await scene()
  const errors: unknown[] = []
  const pay = payWith(it.budget, {
    onRefusal: () => {
      throw new Error('listener')
    },
    onError: (error) => errors.push(error),
  })
  kit.later(pay.close)
  await expect(pay('https://elsewhere.example/')).rejects.toBeInstanceOf(GrantError)
  expect(errors).toMatchObject([{ message: 'listener' }])
})
