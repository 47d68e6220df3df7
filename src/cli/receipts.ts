import type { Hex } from 'viem'
import * as Book from '../Book.js'
import { InputError } from '../errors.js'
import * as Grant from '../Grant.js'
import * as Receipt from '../Receipt.js'
import type { Store } from '../Store.js'
import { openStore } from './store.js'

/**
 * The receipts of a grant as text, from the books that `url` names.
 * @throws InputError where no books are named, or where they do not tell which grant
 */
export async function exported(
  url: string | undefined,
  options: { readonly grantId: Hex | undefined; readonly format: 'json' | 'csv' },
): Promise<string> {
  const store = await openStore(url)
  try {
    const grantId = options.grantId ?? (await onlyGrant(store))
    return await store.transact(grantId, async (tx) => {
      const { grant } = await Book.get(tx, grantId)
      const receipts = (await tx.list('receipts', { grantId })).map(Receipt.fromRow)
      const { decimals } = Grant.parse(grant).token
      return options.format === 'csv' ? Receipt.toCsv(receipts, { decimals }) : Receipt.toJson(receipts)
    })
  } finally {
    await store.close()
  }
}

async function onlyGrant(store: Store): Promise<Hex> {
  const grants = (await store.transact('0x', (tx) => tx.list('grants', {}))).map(({ grantId }) => grantId)
  const [only] = grants
  if (only !== undefined && grants.length === 1) return only
  throw new InputError('INVALID_VALUE', {
    field: '--grant',
    given: undefined,
    valid: grants.length === 0 ? 'a grant of other books' : `one of ${grants.join(', ')}`,
    why: `The books hold ${grants.length} grants.`,
  })
}
