import { describe, expect, test } from 'vitest'
import { memory } from '../../src/memory.js'
import * as Receipt from '../../src/Receipt.js'
import { scene } from './scene.js'

/** Five receipts of one grant: reserved, settled, refused, reserved, released. */
async function chain() {
  const it = await scene(memory())
  await it.paid('a', 2_000_000n, { task: 'report', host: 'api.example.com' })
  await it.reserve('b', 6_000_000n)
  await it.reserve('c', 1n)
  await it.release('c')
  const { receipts, grant } = await it.books()
  return { receipts, head: grant.receiptHash, grantId: it.grant.grantId }
}

const at = (receipts: Receipt.Receipt[], index: number) => {
  const receipt = receipts[index]
  if (!receipt) throw new Error(`There is no receipt ${index}.`)
  return receipt
}

test('default', async () => {
  const { receipts, head } = await chain()
  expect(receipts.map(({ event }) => event)).toEqual([
    'reserved',
    'settled',
    'refused',
    'reserved',
    'released',
  ])
  expect(at(receipts, 0).previous).toBe(Receipt.genesis)
  expect(Receipt.verify(receipts)).toEqual({ holds: true, receipts: 5, head })
})

test('args: no receipts at all are a chain, of which genesis is the head', () => {
  expect(Receipt.verify([])).toEqual({ holds: true, receipts: 0, head: Receipt.genesis })
  expect(Receipt.verify([], { head: Receipt.genesis })).toMatchObject({ holds: true })
})

test('args: a head that was kept earlier is found under later receipts', async () => {
  const { receipts } = await chain()
  for (const { hash } of receipts)
    expect(Receipt.verify(receipts, { head: hash })).toMatchObject({ holds: true })
})

test('args: grantId', async () => {
  const { receipts, grantId } = await chain()
  expect(Receipt.verify(receipts, { grantId })).toMatchObject({ holds: true })
})

describe('error: altered', () => {
  test.each([
    ['amount', { amount: 1n }],
    ['payee', { payee: null }],
    ['ok', { ok: false }],
    ['note', { note: 'settled' }],
    ['time', { time: 0 }],
    ['task', { task: 'other' }],
    ['host', { host: null }],
    ['event', { event: 'refused' }],
  ] as const)('%s', async (_, change) => {
    const { receipts } = await chain()
    const altered = receipts.with(0, { ...at(receipts, 0), ...change })
    expect(Receipt.verify(altered)).toEqual({ holds: false, seq: 0, reason: expect.stringContaining('hash') })
  })

  test('error: altered with its hash made to fit: the next one names another', async () => {
    const { receipts } = await chain()
    const altered = rehash({ ...at(receipts, 1), amount: 1n })
    expect(Receipt.verify(receipts.with(1, altered))).toMatchObject({ holds: false, seq: 2 })
  })

  test('error: the last one altered with its hash made to fit: only a kept head shows it', async () => {
    const { receipts, head } = await chain()
    const altered = receipts.with(4, rehash({ ...at(receipts, 4), amount: 7n }))
    expect(Receipt.verify(altered)).toMatchObject({ holds: true })
    expect(Receipt.verify(altered, { head })).toMatchObject({ holds: false, seq: 5 })
  })
})

test('error: dropped, at the start, in the middle', async () => {
  const { receipts } = await chain()
  expect(Receipt.verify(receipts.slice(1))).toMatchObject({ holds: false, seq: 0 })
  expect(Receipt.verify(receipts.toSpliced(2, 1))).toMatchObject({ holds: false, seq: 2 })
})

test('error: dropped, with the numbers of the later ones made to fit', async () => {
  const { receipts } = await chain()
  const shifted = receipts.slice(1).map((receipt) => rehash({ ...receipt, seq: receipt.seq - 1 }))
  expect(Receipt.verify(shifted)).toMatchObject({ holds: false, seq: 0 })
})

test('error: reordered', async () => {
  const { receipts } = await chain()
  const swapped = receipts.with(1, at(receipts, 2)).with(2, at(receipts, 1))
  expect(Receipt.verify(swapped)).toMatchObject({ holds: false, seq: 1 })
})

test('error: truncated, against a kept head', async () => {
  const { receipts, head } = await chain()
  expect(Receipt.verify(receipts.slice(0, 3))).toMatchObject({ holds: true, receipts: 3 })
  expect(Receipt.verify(receipts.slice(0, 3), { head })).toEqual({
    holds: false,
    seq: 3,
    reason: expect.stringContaining(head),
  })
  expect(Receipt.verify([], { head })).toMatchObject({ holds: false, seq: 0 })
})

test("error: another grant's", async () => {
  const [{ receipts, grantId }, other] = [await chain(), await chain()]
  expect(Receipt.verify(receipts.with(2, at(other.receipts, 2)))).toMatchObject({ holds: false, seq: 2 })
  expect(Receipt.verify(other.receipts, { grantId })).toEqual({
    holds: false,
    seq: 0,
    reason: expect.stringContaining(other.grantId),
  })
})

/** What somebody could write who may write to the books. */
function rehash(receipt: Receipt.Receipt): Receipt.Receipt {
  const body = Receipt.serialize(receipt)
  return Receipt.fromRow({
    grantId: receipt.grantId,
    seq: receipt.seq,
    receipt: body,
    hash: Receipt.hashOf(body),
  })
}
