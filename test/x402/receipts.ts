/** Receipts as the books write them, and what keeps how far they were delivered. */
import type { Hex } from 'viem'
import { Receipt } from '../../src/index.js'
import type { Delivery } from '../../src/x402/index.js'
import { stranger } from '../chain/guardScene.js'

type Draft = Partial<Omit<Receipt.Receipt, 'seq' | 'previous' | 'hash'>>

const grantId: Hex = `0x${'1'.repeat(64)}`

/** A source to which receipts can be added: an unbroken chain. */
export function ledger(...drafts: readonly Draft[]) {
  const receipts: Receipt.Receipt[] = []
  const add = (draft: Draft = {}) => {
    const body: Omit<Receipt.Receipt, 'hash'> = {
      grantId,
      time: 1_800_000_000,
      event: 'settled',
      ok: true,
      note: 'settled',
      amount: 10_000n,
      payee: stranger(),
      key: `key-${receipts.length}`,
      host: 'api.example.com',
      task: null,
      session: null,
      category: null,
      endpoint: null,
      txHash: `0x${'2'.repeat(64)}`,
      ...draft,
      seq: receipts.length,
      previous: receipts.at(-1)?.hash ?? Receipt.genesis,
    }
    receipts.push({ ...body, hash: Receipt.hashOf(Receipt.serialize(body)) })
  }
  for (const draft of drafts) add(draft)
  const source: Delivery.Source = {
    receipts: async ({ offset, limit }) => receipts.slice(offset, offset + limit),
  }
  return { receipts, add, source }
}

/** A cursor that outlives deliveries. */
export function cursor(): Delivery.Cursor & { delivered: number } {
  const kept = {
    delivered: 0,
    read: async () => kept.delivered,
    write: async (delivered: number) => {
      kept.delivered = delivered
    },
  }
  return kept
}
