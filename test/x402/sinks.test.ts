/** An agent that pays, and those who are told of it: a hosted ledger, which is asked as well, and webhooks. */
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { memory, Receipt } from '../../src/index.js'
import { payWith, verifyWebhook } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import { key, startHosted } from './hosted.js'
import { type Behaviour, neverSettle, startHostile, terms } from './hostile.js'
import { payer } from './payKit.js'
import { serve } from './serve.js'

kit.endAfterEach()
const base = await useBase()
const secret = 'a secret of thirty-two characters'

type Options = Parameters<typeof payer>[3]

async function scene(options: Options, ...behaviours: Behaviour[]) {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo, facilitator: await startFacilitator(base) }, ...behaviours)
  const it = await payer(base, merchant.host, payTo, options)
  return { ...it, merchant, get: (key?: string) => it.pay(merchant.origin, {}, key ? { key } : {}) }
}

describe('hosted', () => {
  async function hostedScene(options: { onUnreachable?: 'open' } = {}, ...behaviours: Behaviour[]) {
    const hosted = await startHosted()
    const it = await scene({ hosted: { url: hosted.origin, key, firstWaitMs: 1, ...options } }, ...behaviours)
    return { ...it, hosted }
  }

  test('default: it is asked before anything is signed, and told of what became of it', async () => {
    const { hosted, get, pay, grant, merchant, sound } = await hostedScene()
    await get('a')
    await sound()
    await pay.flush()
    expect(hosted.asked).toEqual(['GET /api/agent/policy', `POST /api/grants/${grant.id}/ledger`])
    expect(hosted.receipts).toMatchObject([
      { grantId: grant.id, receipt: { host: merchant.host, amountUsd: 0.01, ok: true, note: 'settled' } },
    ])
  })

  test.each([
    ['AGENT_PAUSED', { haltReason: 'AGENT_PAUSED' }],
    ['ACCOUNT_FROZEN', { haltReason: 'ACCOUNT_FROZEN' }],
    ['OVER_AGENT_BUDGET', { perDayUsd: 0.009 }],
    ['OVER_ORG_BUDGET', { orgPerDayUsd: 1, othersUsd: 0.995 }],
  ] as const)('error: %s, and nothing is signed, reserved or funded', async (code, state) => {
    const { hosted, get, pay, signed, receipts, sound, budget } = await hostedScene()
    Object.assign(hosted, state)
    await expect(get('a')).rejects.toMatchObject({ code, receipt: { note: code, amount: 10_000n, key: 'a' } })
    expect(signed).toEqual([])
    expect(receipts).toMatchObject([{ note: code, ok: false, amountUsd: '0.01' }])
    expect(await budget.float()).toMatchObject({ balance: 0n, held: 0n })
    await pay.flush()
    expect(hosted.receipts).toMatchObject([{ receipt: { ok: false, note: code, amountUsd: 0.01 } }])
    Object.assign(hosted, { haltReason: null, perDayUsd: 1, othersUsd: 0 })
    expect((await get('a')).status).toBe(200)
    expect(await sound()).toEqual({ paid: 10_000n, held: 0n })
  })

  test('behavior: it is closed where nobody answers, or open by a setting', async () => {
    for (const [options, outcome] of [
      [{}, 'LEDGER_UNREACHABLE'],
      [{ onUnreachable: 'open' }, 200],
    ] as const) {
      const { hosted, get } = await hostedScene(options)
      hosted.answer = (request) => void request.socket.destroy()
      expect(
        await get().then(
          ({ status }) => status,
          ({ code }) => code,
        ),
      ).toBe(outcome)
    }
  })

  test('behavior: an answer that is none is closed in any case', async () => {
    const { hosted, get, signed } = await hostedScene({ onUnreachable: 'open' })
    hosted.answer = (_, response) => void response.end('{}')
    await expect(get()).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE' })
    expect(signed).toEqual([])
  })

  test('behavior: many at once share what it leaves, whatever it was told of yet', async () => {
    const { hosted, get, pay, sound } = await hostedScene({}, neverSettle, terms({ amount: '20000' }))
    hosted.perDayUsd = 0.1
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () =>
        get().then(
          ({ status }) => status,
          ({ code }) => code,
        ),
      ),
    )
    expect(outcomes.toSorted()).toEqual([...Array(5).fill(200), ...Array(3).fill('OVER_AGENT_BUDGET')])
    expect(await sound()).toEqual({ paid: 0n, held: 100_000n })
    await pay.flush()
    expect(hosted.receipts.filter(({ receipt }) => receipt.ok)).toEqual([])
  })

  test('behavior: what is settled and not told yet counts, so that being slow is no allowance', async () => {
    const { hosted, get, sound } = await hostedScene()
    hosted.perDayUsd = 0.015
    hosted.answer = (request, response) => {
      // It forgets every receipt, and says that it is over no budget.
      if (request.method === 'POST') return void response.writeHead(503).end()
      const agent = { keyId: 'k', perDayUsd: 0.015, spentTodayUsd: 0, overBudget: false }
      response.end(JSON.stringify({ agent, org: null, halted: false }))
    }
    await get('a')
    expect(await sound()).toEqual({ paid: 10_000n, held: 0n })
    await expect(get('b')).rejects.toMatchObject({ code: 'OVER_AGENT_BUDGET' })
  })

  test('behavior: who waits for a funding holds nobody up, and what it was let through counts', async () => {
    const { hosted, get, budget, sound } = await hostedScene()
    hosted.perDayUsd = 0.015
    const funding = new Promise<void>((resolve) => {
      kit.later(budget.follow(({ note }) => note === 'FUNDING' && resolve()))
    })
    await base.client.request({ method: 'evm_setAutomine', params: [false] } as never)
    kit.later(() => base.client.request({ method: 'evm_setAutomine', params: [true] } as never))
    const first = get('a')
    await funding
    await expect(get('b')).rejects.toMatchObject({ code: 'OVER_AGENT_BUDGET' })
    await base.client.request({ method: 'evm_setAutomine', params: [true] } as never)
    await base.mine()
    expect((await first).status).toBe(200)
    expect(await sound()).toEqual({ paid: 10_000n, held: 0n })
  })

  test('behavior: a funding on its way is not spent', async () => {
    const { hosted, get, budget, sound } = await hostedScene()
    hosted.perDayUsd = 0.1
    await base.client.request({ method: 'evm_setAutomine', params: [false] } as never)
    kit.later(() => base.client.request({ method: 'evm_setAutomine', params: [true] } as never))
    const funding = new Promise<void>((resolve) => {
      kit.later(budget.follow(({ note }) => note === 'FUNDING' && resolve()))
    })
    const calls = [get('a')]
    await funding
    expect(await budget.totals()).toMatchObject({ reserved: kit.usd('0.5'), filling: kit.usd('0.5') })
    calls.push(get('b'), get('c'))
    await base.client.request({ method: 'evm_setAutomine', params: [true] } as never)
    await base.mine()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await budget.totals()).toMatchObject({ filling: 0n })
    expect(await sound()).toEqual({ paid: 30_000n, held: 0n })
  })

  test('behavior: an aborted call does not wait for its turn, and takes none', async () => {
    const { hosted, get, pay, merchant, sound } = await hostedScene()
    const asked = new Promise<() => void>((resolve) => {
      hosted.answer = (_, response) => {
        hosted.answer = undefined
        resolve(() => void response.writeHead(503).end())
      }
    })
    const first = kit.settledAs(get('a'))
    const answer = await asked
    const abort = new AbortController()
    const second = pay(merchant.origin, { signal: abort.signal }, { key: 'b' })
    abort.abort(new Error('Enough.'))
    await expect(second).rejects.toThrow('Enough.')
    answer()
    expect(await first).toMatchObject({ code: 'LEDGER_UNREACHABLE' })
    expect((await get('c')).status).toBe(200)
    expect(hosted.asked.filter((asked) => asked.startsWith('GET'))).toHaveLength(2)
    expect(await sound()).toEqual({ paid: 10_000n, held: 0n })
  })

  test('behavior: of books that were lost it is told each payment once, and no funding', async () => {
    const { hosted, get, pay, sound, merchant, ...it } = await hostedScene()
    await get('a')
    await sound()
    await pay.flush()
    await pay.close()
    const other = await startHosted()
    const rebuilt = await kit.open(base, it, memory())
    const again = payWith(rebuilt, { hosted: { url: other.origin, key, firstWaitMs: 1 } })
    kit.later(again.close)
    await again.flush()
    const { txHash } = hosted.receipts[0]?.receipt ?? {}
    expect(other.receipts).toMatchObject([
      { receipt: { amountUsd: 0.01, ok: true, note: 'FOREIGN_AUTHORIZATION', txHash } },
    ])
    await kit.quiet(base, rebuilt)
    await again(merchant.origin, {}, { key: 'a' }).catch(() => {})
    await again.flush()
    expect((await rebuilt.receipts()).map(({ note }) => note)).toContain('ADOPTED')
    expect(other.receipts).toHaveLength(1)
    expect(await rebuilt.totals()).toMatchObject({ paid: 10_000n })
  })
})

describe('webhooks', () => {
  /** Answers as it is told, then with 200. */
  async function receiver(...answers: number[]) {
    const got: { body: string; signature: string; seq: number }[] = []
    const served = await serve(async (request, response) => {
      const body = await text(request)
      const status = answers.shift() ?? 200
      got.push({ body, signature: String(request.headers['hardcap-signature']), seq: JSON.parse(body).seq })
      response.writeHead(status).end()
    })
    return { url: served.origin, got }
  }

  test('default: every receipt, in order, with a signature; a failure is tried again, and nobody waits', async () => {
    const { url, got } = await receiver(500, 503)
    const it = await scene({ webhooks: [{ url, secret, firstWaitMs: 1 }] })
    await it.get('a')
    await it.sound()
    await it.pay.flush()
    const receipts = await it.budget.receipts()
    expect(got.map(({ seq }) => seq)).toEqual([0, 0, ...receipts.map(({ seq }) => seq)])
    for (const { body, signature, seq } of got) {
      expect(await verifyWebhook({ secret, body, signature })).toBe(true)
      expect(Receipt.hashOf(body)).toBe(receipts[seq]?.hash)
    }
    expect(receipts.map(({ note }) => note)).toEqual(['FUNDING', 'FUNDED', 'reserved', 'settled'])
  })

  test('behavior: one that is down holds up no payment, and gets all of it from the books later', async () => {
    const { url, got } = await receiver(...Array(1).fill(500))
    const errors: unknown[] = []
    const webhooks = [{ url, secret, firstWaitMs: 2 ** 30 }]
    const it = await scene({ webhooks, onError: (error) => errors.push(error) })
    await it.get('a')
    await it.get('b')
    expect(await it.sound()).toEqual({ paid: 20_000n, held: 0n })
    expect([got.length, errors]).toMatchObject([1, [{ code: 'NOT_DELIVERED' }]])
    await it.pay.close()
    // Another process on the same books.
    const pay = payWith(it.budget, { webhooks })
    kit.later(pay.close)
    await pay.flush()
    expect(got.slice(1).map(({ seq }) => seq)).toEqual((await it.budget.receipts()).map(({ seq }) => seq))
    await pay.flush()
    expect(got).toHaveLength(1 + (await it.budget.receipts()).length)
  })
})

test('behavior: several processes on the same books tell each receipt once, in order', async () => {
  const hosted = await startHosted()
  const it = await scene({})
  const options = { hosted: { url: hosted.origin, key, firstWaitMs: 1 } }
  const budgets = [it.budget, await kit.open(base, it, it.store), await kit.open(base, it, it.store)]
  const pays = budgets.map((budget) => payWith(budget, options))
  for (const pay of pays) kit.later(pay.close)
  await Promise.all(pays.flatMap((pay) => [pay(it.merchant.origin), pay(it.merchant.origin)]))
  await it.sound()
  await Promise.all(pays.map(({ flush }) => flush()))
  const settled = (await it.budget.receipts()).filter(({ note }) => note === 'settled')
  expect(settled).toHaveLength(6)
  expect(hosted.receipts.map(({ receipt }) => receipt.txHash)).toEqual(settled.map(({ txHash }) => txHash))
})
