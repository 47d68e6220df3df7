/** The columns, keys and indexes of the tables that the books are kept in: one source for every store of them. */
import type { Tables } from './Store.js'

/** What a column holds: text, a safe integer, or an amount (bigint, kept as decimal text), each or null. */
export type ColumnType = 'text' | 'integer' | 'amount'

/** Tables as every store reads them: columns with their types, the key, and what is looked up otherwise. */
export type Schema<tables> = {
  readonly [name in keyof tables & string]: {
    readonly columns: Readonly<Record<keyof tables[name] & string, ColumnType>>
    readonly key: readonly (keyof tables[name] & string)[]
    readonly indexes: readonly (readonly (keyof tables[name] & string)[])[]
  }
}

/** One source for every store of books. */
export const schema: Schema<Tables> = {
  grants: {
    columns: {
      grantId: 'text',
      chainId: 'integer',
      agent: 'text',
      grant: 'text',
      permissionHash: 'text',
      paused: 'integer',
      approved: 'integer',
      revoked: 'integer',
      pausedBy: 'text',
      revokedBy: 'text',
      lane: 'text',
      numbers: 'integer',
      knownNonces: 'integer',
      quietUntil: 'integer',
      payer: 'text',
      payerBalance: 'amount',
      fundedBy: 'text',
      startNumber: 'integer',
      finalNumber: 'integer',
      finalHash: 'text',
      finalTime: 'integer',
      headNumber: 'integer',
      headHash: 'text',
      headTime: 'integer',
      receipts: 'integer',
      receiptHash: 'text',
    },
    key: ['grantId'],
    indexes: [['agent', 'chainId']],
  },
  permissions: {
    columns: { grantId: 'text', hash: 'text', permission: 'text' },
    key: ['grantId', 'hash'],
    indexes: [],
  },
  payments: {
    columns: {
      grantId: 'text',
      key: 'text',
      via: 'text',
      payee: 'text',
      amount: 'amount',
      permissionHash: 'text',
      host: 'text',
      task: 'text',
      session: 'text',
      category: 'text',
      endpoint: 'text',
      ref: 'text',
      number: 'text',
      payer: 'text',
      target: 'amount',
      deadline: 'integer',
      nonce: 'integer',
      alone: 'integer',
      triedAt: 'integer',
      ticket: 'text',
      reservedAt: 'integer',
      pull: 'text',
      transfer: 'text',
      told: 'integer',
      failure: 'text',
      open: 'integer',
    },
    key: ['grantId', 'key'],
    indexes: [
      ['grantId', 'open'],
      ['grantId', 'ref'],
      ['grantId', 'session'],
    ],
  },
  transactions: {
    columns: {
      grantId: 'text',
      nonce: 'integer',
      kind: 'text',
      key: 'text',
      raw: 'text',
      hash: 'text',
      signedAt: 'integer',
    },
    key: ['grantId', 'nonce', 'hash'],
    indexes: [
      ['grantId', 'hash'],
      ['grantId', 'key'],
    ],
  },
  events: {
    columns: {
      grantId: 'text',
      blockNumber: 'integer',
      logIndex: 'integer',
      blockHash: 'text',
      txHash: 'text',
      time: 'integer',
      kind: 'text',
      amount: 'amount',
      payee: 'text',
      permissionHash: 'text',
      periodStart: 'integer',
      ref: 'text',
      number: 'text',
      payer: 'text',
      window: 'integer',
      task: 'text',
      key: 'text',
      final: 'integer',
    },
    key: ['grantId', 'blockNumber', 'logIndex'],
    indexes: [
      ['grantId', 'final'],
      ['grantId', 'key'],
      ['grantId', 'ref'],
      ['grantId', 'number'],
    ],
  },
  sessions: {
    columns: {
      grantId: 'text',
      id: 'text',
      startedAt: 'integer',
      endedAt: 'integer',
      perRequest: 'amount',
      perTask: 'amount',
      perSession: 'amount',
      unexplained: 'amount',
    },
    key: ['grantId', 'id'],
    indexes: [],
  },
  meters: {
    columns: { grantId: 'text', name: 'text', amount: 'amount' },
    key: ['grantId', 'name'],
    indexes: [],
  },
  receipts: {
    columns: { grantId: 'text', seq: 'integer', receipt: 'text', hash: 'text' },
    key: ['grantId', 'seq'],
    indexes: [],
  },
}
