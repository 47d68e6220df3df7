import { describe, expect, onTestFinished, test } from 'vitest'
import { InputError } from '../../src/index.js'
import { Delivery, type HostedLedgerOptions, HostedPolicy, hostedLedger } from '../../src/x402/index.js'
import { stranger } from '../chain/guardScene.js'
import { usd } from '../chain/kit.js'
import { type Hosted, key, startHosted } from './hosted.js'
import { grantOf } from './kit.js'
import { cursor, ledger } from './receipts.js'
import { serve } from './serve.js'

const grant = grantOf('api.example.com', undefined, { id: 'the grant/1' })

/** A ledger of a hosted one, and what it says to an amount in dollars. */
async function scene(options: Partial<HostedLedgerOptions> = {}) {
  const hosted = await startHosted()
  const client = hostedLedger({ url: hosted.origin, key, grant, ...options })
  const check = (amount: string, outstanding = '0') =>
    client.check({ amount: usd(amount), outstanding: usd(outstanding) })
  return { hosted, check, sink: client.sink }
}

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): NonNullable<Hosted['answer']> =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)
const drop: NonNullable<Hosted['answer']> = (request) => void request.socket.destroy()
const yes = { allowed: true }
const agent = { keyId: 'k', perDayUsd: 1, spentTodayUsd: 0, remainingTodayUsd: 1, overBudget: false }

describe('check', () => {
  test('default', async () => {
    const { hosted, check } = await scene()
    expect(await check('1')).toEqual(yes)
    expect(await check('1.000001')).toMatchObject({
      allowed: false,
      code: 'OVER_AGENT_BUDGET',
      figures: { amount: usd('1.000001'), remaining: usd('1'), outstanding: 0n },
    })
    expect(hosted.asked).toEqual(['GET /api/agent/policy', 'GET /api/agent/policy'])
  })

  test('behavior: the organization, above the key', async () => {
    const { hosted, check } = await scene()
    Object.assign(hosted, { orgPerDayUsd: 2, othersUsd: 1.5 })
    expect(await check('0.5')).toEqual(yes)
    expect(await check('0.6')).toMatchObject({ code: 'OVER_ORG_BUDGET', figures: { remaining: usd('0.5') } })
    Object.assign(hosted, { othersUsd: 2 })
    expect(await check('0.000001')).toMatchObject({ code: 'OVER_ORG_BUDGET', figures: { remaining: 0n } })
    Object.assign(hosted, { orgPerDayUsd: null })
    expect(await check('1')).toEqual(yes)
  })

  test('behavior: no budget at all', async () => {
    const { hosted, check } = await scene()
    Object.assign(hosted, { perDayUsd: null })
    expect(await check('1000000')).toEqual(yes)
  })

  test.each(['AGENT_PAUSED', 'ACCOUNT_FROZEN'] as const)(
    'behavior: %s, until it is resumed',
    async (haltReason) => {
      const { hosted, check } = await scene()
      Object.assign(hosted, { haltReason })
      expect(await check('0.01')).toMatchObject({ allowed: false, code: haltReason, retryable: true })
      Object.assign(hosted, { haltReason: null })
      expect(await check('0.01')).toEqual(yes)
    },
  )

  test('args: outstanding, so that parallel calls do not share the same rest', async () => {
    const { check } = await scene()
    expect(await check('0.4', '0.6')).toEqual(yes)
    expect(await check('0.4', '0.600001')).toMatchObject({
      code: 'OVER_AGENT_BUDGET',
      figures: { remaining: usd('0.399999') },
    })
  })

  test('args: maxAgeMs, within which a policy is not asked for again', async () => {
    const { hosted, check } = await scene({ maxAgeMs: 1_000_000 })
    await check('0.01')
    Object.assign(hosted, { haltReason: 'AGENT_PAUSED' })
    expect(await check('0.01')).toEqual(yes)
    expect(hosted.asked).toHaveLength(1)
  })

  test('args: timeoutMs', async () => {
    const { hosted, check } = await scene({ timeoutMs: 50 })
    Object.assign(hosted, { answer: () => {} })
    expect(await check('0.01')).toMatchObject({ code: 'LEDGER_UNREACHABLE' })
    Object.assign(hosted, {
      answer: (_: unknown, response: { write: (text: string) => void }) => response.write('{'),
    })
    expect(await check('0.01')).toMatchObject({ code: 'LEDGER_UNREACHABLE' })
  })

  test.each<[string, Hosted['answer']]>([
    ['hangs up', drop],
    ['answers 500', answer(500, '{}')],
    ['answers 503', answer(503, JSON.stringify({ agent }))],
    ['answers 429', answer(429, '')],
  ])('args: onUnreachable, where it %s', async (_, answer) => {
    const closed = await scene()
    Object.assign(closed.hosted, { answer })
    expect(await closed.check('0.01')).toMatchObject({ code: 'LEDGER_UNREACHABLE', retryable: true })
    const open = await scene({ onUnreachable: 'open' })
    Object.assign(open.hosted, { answer })
    expect(await open.check('1000')).toEqual(yes)
  })

  test('behavior: open goes by what was known last', async () => {
    const { hosted, check } = await scene({ onUnreachable: 'open' })
    Object.assign(hosted, { haltReason: 'ACCOUNT_FROZEN' })
    await check('0.01')
    Object.assign(hosted, { answer: drop })
    expect(await check('0.01')).toMatchObject({ code: 'ACCOUNT_FROZEN' })
    Object.assign(hosted, { answer: undefined, haltReason: null })
    await check('0.01')
    Object.assign(hosted, { answer: drop })
    expect(await check('1.01')).toMatchObject({ code: 'OVER_AGENT_BUDGET' })
  })

  const other = 'https://www.example.com/api/agent/policy'
  test.each<[string, Hosted['answer']]>([
    ['redirects to another origin', answer(307, '', { location: other })],
    ['refuses the key', answer(401, '{"error":"unauthorized"}')],
    ['does not know the path', answer(404, JSON.stringify({ agent }))],
    ['answers nothing', answer(200, '')],
    ['answers no JSON', answer(200, '<html>')],
    ['answers null', answer(200, 'null')],
    ['answers a list', answer(200, '[]')],
    ['answers an error', answer(200, '{"error":"unauthorized"}')],
    ['answers without end', answer(200, ' '.repeat(65_537))],
    ['knows no agent', answer(200, '{"agent":null}')],
    ...Object.entries({
      perDayUsd: [undefined, '1', true, {}],
      spentTodayUsd: [undefined, null, '0'],
      remainingTodayUsd: ['1', {}],
      overBudget: [undefined, null, 'false', 0],
    }).flatMap(([field, values]) =>
      values.map((value): [string, Hosted['answer']] => [
        `says that ${field} is ${JSON.stringify(value)}`,
        answer(200, JSON.stringify({ agent: { ...agent, [field]: value } })),
      ]),
    ),
    [
      'says a sum beyond all',
      answer(200, JSON.stringify({ agent }).replace('"perDayUsd":1', '"perDayUsd":1e999')),
    ],
    ['has an organization that is none', answer(200, JSON.stringify({ agent, org: 7 }))],
    ['has an organization without a budget', answer(200, JSON.stringify({ agent, org: { id: 'o' } }))],
    ['is halted in words', answer(200, JSON.stringify({ agent, halted: 'no' }))],
  ])('error: it %s, whatever is set', async (_, answer) => {
    for (const onUnreachable of ['closed', 'open'] as const) {
      const { hosted, check } = await scene({ onUnreachable })
      await check('0.01')
      Object.assign(hosted, { answer })
      const refused = await check('0.01')
      expect(refused).toMatchObject({ allowed: false, code: 'LEDGER_UNREADABLE' })
      expect(JSON.stringify(refused, (_, value) => String(value))).not.toContain(key)
    }
  })

  test('behavior: the key is not sent to where a redirect leads, and within the origin it is', async () => {
    const { hosted, check } = await scene()
    const seen: (string | undefined)[] = []
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end(JSON.stringify({ agent }))
    })
    Object.assign(hosted, { answer: answer(302, '', { location: `${elsewhere.origin}/api/agent/policy` }) })
    expect(await check('0.01')).toMatchObject({ code: 'LEDGER_UNREADABLE' })
    expect(seen).toEqual([])
    let redirected = false
    const once: Hosted['answer'] = (request, response) => {
      if (redirected)
        return response.end(JSON.stringify({ agent: { ...agent, label: request.headers.authorization } }))
      redirected = true
      return response.writeHead(308, { location: '/v2/policy' }).end()
    }
    Object.assign(hosted, { answer: once })
    expect(await check('2')).toMatchObject({
      code: 'OVER_AGENT_BUDGET',
      reason: expect.stringContaining(`Bearer ${key}`),
    })
  })

  test('error: a URL or a key that is none', () => {
    const url = 'https://www.example.com'
    for (const wrong of ['http://www.example.com', 'https://me:secret@www.example.com', ''])
      expect(() => hostedLedger({ url: wrong, key, grant })).toThrow(InputError)
    for (const wrong of ['', 'a b', 'yf_\n'])
      expect(() => hostedLedger({ url, key: wrong, grant })).toThrow(InputError)
  })
})

describe('sink', () => {
  /** Delivers all of a ledger. */
  async function deliver(sink: Delivery.Sink, source: Delivery.Source, onError?: (error: unknown) => void) {
    const delivery = Delivery.start({ source, sink, cursor: cursor(), firstWaitMs: 1, maxWaitMs: 2, onError })
    onTestFinished(delivery.close)
    await delivery.flush()
  }

  test('default: the wire format, to the grant, in exact numbers', async () => {
    const payer = stranger()
    const { hosted, sink } = await scene({ payer })
    const txHash = `0x${'a'.repeat(64)}` as const
    const { source } = ledger(
      { event: 'reserved', note: 'reserved', txHash: null },
      { event: 'settled', amount: 100_000n, txHash },
      {
        event: 'refused',
        ok: false,
        note: 'OVER_PER_CALL',
        amount: 90_071_992_547_409_910_001n,
        txHash: null,
      },
      { event: 'released', ok: false, note: 'RELEASED', amount: 1n, txHash: null },
      { event: 'paused', ok: false, note: 'PAUSED', amount: 0n, host: null, txHash: null },
      { event: 'foreign', note: 'FOREIGN_PAYMENT', amount: 200_000n, host: null, txHash },
      // What it was told before, and what only fills the float.
      { event: 'settled', note: 'ADOPTED' },
      { event: 'reorged', ok: false, note: 'REORGED' },
      { event: 'settled', note: 'SETTLED_AGAIN' },
      { event: 'settled', note: 'FUNDED', host: null },
      { event: 'foreign', note: 'FOREIGN_PAYMENT', host: null, payee: payer },
    )
    await deliver(sink, source)
    expect(hosted.receipts.map(({ text }) => text)).toEqual([
      `{"host":"api.example.com","amountUsd":0.1,"ok":true,"txHash":"${txHash}","note":"settled"}`,
      '{"host":"api.example.com","amountUsd":90071992547409.910001,"ok":false,"note":"OVER_PER_CALL"}',
      '{"host":"api.example.com","amountUsd":0.000001,"ok":false,"note":"RELEASED"}',
      `{"host":"unknown","amountUsd":0.2,"ok":true,"txHash":"${txHash}","note":"FOREIGN_PAYMENT"}`,
    ])
    expect(hosted.receipts[0]?.grantId).toBe(grant.id)
  })

  test('behavior: sums of floats are read to the unit', async () => {
    const { hosted, sink, check } = await scene()
    await deliver(sink, ledger({ amount: usd('0.1') }, { amount: usd('0.2') }).source)
    expect(hosted.receipts.reduce((sum, { receipt }) => sum + receipt.amountUsd, 0)).not.toBe(0.3)
    // What was spent is rounded up, so at most a unit is lost, and none is won.
    expect(await check('0.699999')).toEqual(yes)
    expect(await check('0.700001')).toMatchObject({ code: 'OVER_AGENT_BUDGET' })
  })

  test('behavior: what it answers to a receipt is the policy from then on', async () => {
    const { hosted, sink, check } = await scene({ maxAgeMs: 1_000_000 })
    await check('0.01')
    await deliver(sink, ledger({ amount: usd('0.75') }).source)
    expect(await check('0.3')).toMatchObject({
      code: 'OVER_AGENT_BUDGET',
      figures: { remaining: usd('0.25') },
    })
    Object.assign(hosted, { haltReason: 'AGENT_PAUSED', echoes: false })
    await deliver(sink, ledger({ amount: 1n }).source)
    expect(await check('0.01')).toEqual(yes)
    Object.assign(hosted, { echoes: true })
    await deliver(sink, ledger({ amount: 1n }).source)
    expect(await check('0.01')).toMatchObject({ code: 'AGENT_PAUSED' })
    expect(hosted.asked.filter((asked) => asked.startsWith('GET'))).toHaveLength(1)
  })

  test.each<[string, Hosted['answer']]>([
    ['answers 500', answer(500, '')],
    ['refuses the key', answer(401, '')],
    ['hangs up', drop],
    ['redirects to another origin', answer(307, '', { location: 'https://www.example.com/' })],
    ['redirects to a question', answer(303, '', { location: '/api/agent/policy' })],
  ])('error: it %s, and gets the receipt again', async (_, wrong) => {
    const { hosted, sink } = await scene()
    let asked = 0
    const first: NonNullable<Hosted['answer']> = (request, response) => {
      if (asked++ === 0) return wrong?.(request, response)
      Object.assign(hosted, { answer: undefined })
      // What a redirected question would be told.
      return response.writeHead(request.method === 'GET' ? 200 : 503).end('{}')
    }
    Object.assign(hosted, { answer: first })
    const errors: unknown[] = []
    await deliver(sink, ledger({}).source, (error) => errors.push(error))
    expect(hosted.receipts).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: 'NOT_DELIVERED', figures: { seq: 0 } })
    expect(JSON.stringify(errors.map(String))).not.toContain(key)
  })
})

describe('HostedPolicy.read', () => {
  const of = (changes: object) => HostedPolicy.read({ agent: { ...agent, ...changes } }, 6)?.agent

  test.each([
    [{ perDayUsd: 1, spentTodayUsd: 0.30000000000000004, remainingTodayUsd: 0.7 }, 699_999n],
    [{ perDayUsd: 1, spentTodayUsd: 0, remainingTodayUsd: 0.2 }, 200_000n],
    [{ perDayUsd: 1, spentTodayUsd: 0.9, remainingTodayUsd: null }, 100_000n],
    [{ perDayUsd: 1, spentTodayUsd: 2, remainingTodayUsd: 5 }, 0n],
    [{ perDayUsd: -1, spentTodayUsd: 0, remainingTodayUsd: 1 }, 0n],
    [{ perDayUsd: 1e-7, spentTodayUsd: 0, remainingTodayUsd: 1 }, 0n],
    [{ perDayUsd: null, spentTodayUsd: 3, remainingTodayUsd: 1 }, 1_000_000n],
    [{ perDayUsd: null, spentTodayUsd: 3, remainingTodayUsd: null }, null],
    [{ perDayUsd: 999_999_999, spentTodayUsd: 0, remainingTodayUsd: 999_999_999.5 }, 999_999_999_000_000n],
  ])('behavior: of %j there is left %s', (changes, remaining) => {
    expect(of(changes)?.remaining).toBe(remaining)
  })
})
