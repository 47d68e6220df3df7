import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { expect, test } from 'vitest'
import { InputError } from '../../src/index.js'
import { grantScheme } from '../../src/x402/index.js'
import { useBase } from '../base.js'
import * as kit from '../budget/kit.js'
import { startFacilitator } from './facilitator.js'
import { startHostile, terms } from './hostile.js'
import { merchants } from './merchant.js'
import { payer, settleAll } from './payKit.js'

kit.endAfterEach()
const base = await useBase()

/** The stock client, whose payments are under a grant for a host. */
const stock = (it: Awaited<ReturnType<typeof payer>>, host: string) => {
  const scheme = grantScheme(it.budget, { host, names: { task: 'report' } })
  return wrapFetchWithPayment(fetch, new x402Client().register('eip155:8453', scheme))
}

test('default: the stock client pays a stock server under the grant', async () => {
  const payTo = kit.freshAddress()
  const merchant = await merchants.hono(await startFacilitator(base), { payTo })
  const it = await payer(base, merchant.host, payTo)
  const pay = stock(it, merchant.host)
  for (let n = 0; n < 2; n++) expect(await (await pay(`${merchant.origin}/paid`)).text()).toBe('bought')
  expect(await it.sound()).toEqual({ paid: 20_000n, held: 0n })
  expect(await it.budget.spentUnder('task', 'report')).toBe(20_000n)
  expect(it.receipts).toMatchObject(Array(2).fill({ host: merchant.host, note: 'settled', task: 'report' }))
})

test.each([
  ['OVER_PER_CALL', terms({ amount: '50001' })],
  ['PAYEE_CHANGED', terms({ payTo: kit.freshAddress() })],
] as const)('error: %s, with a receipt, and nothing is signed', async (code, behaviour) => {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo, facilitator: await startFacilitator(base) }, behaviour)
  const it = await payer(base, merchant.host, payTo)
  await expect(stock(it, merchant.host)(merchant.origin)).rejects.toThrow()
  expect(it.receipts).toMatchObject([{ note: code, ok: false, host: merchant.host }])
  expect([it.signed, merchant.payments]).toEqual([[], []])
  expect(await it.sound()).toEqual({ paid: 0n, held: 0n })
})

test('behavior: whoever asks in its name is paid nothing, and what went out is in the books', async () => {
  const payTo = kit.freshAddress()
  const facilitator = await startFacilitator(base)
  const other = await startHostile({ payTo: kit.freshAddress(), facilitator })
  const copycat = await startHostile({ payTo, facilitator })
  const it = await payer(base, 'api.example.com', payTo)
  const pay = stock(it, 'api.example.com')
  await expect(pay(other.origin)).rejects.toThrow()
  // The terms of the host that the grant names, from somebody else: its payee is paid, and nobody else can be.
  await pay(copycat.origin)
  await settleAll(base, other, copycat)
  expect(await it.sound()).toEqual({ paid: 10_000n, held: 0n })
})

test('error: paused, and a host that is none or is not allowed', async () => {
  const payTo = kit.freshAddress()
  const merchant = await startHostile({ payTo })
  const it = await payer(base, merchant.host, payTo)
  expect(() => stock(it, 'api.example.com/v1')).toThrow(InputError)
  await expect(stock(it, 'api.example.com')(merchant.origin)).rejects.toThrow()
  await it.budget.pause()
  await expect(stock(it, merchant.host)(merchant.origin)).rejects.toThrow()
  expect(it.receipts.map(({ note }) => note)).toEqual(['NOT_ALLOWED', 'PAUSED'])
  expect(it.signed).toEqual([])
})
