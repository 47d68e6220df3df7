/**
 * Where the books are kept: a small port of a few row operations inside a transaction. `memory()` is in
 * the core, `hardcap/sqlite` is the embedded default, `hardcap/postgres` is for many hosts; nothing but the ledger knows
 * the rows.
 *
 * Every row belongs to one grant, and a transaction locks one grant: two transactions of the same grant
 * run one after the other, also between processes where the store is shared between processes.
 */
import type { Address, Hex } from 'viem'

/** One grant, its lock, how far the chain has been read, and the head of its receipts. */
export type GrantRow = {
  readonly grantId: Hex
  readonly chainId: number
  readonly agent: Address
  /** The grant as `Grant.serialize` writes it. */
  readonly grant: string
  /** Hash of the permission that new payments use. */
  readonly permissionHash: Hex
  /** The books' own pause. */
  readonly paused: 0 | 1
  /** As SpendPermissionManager answered at the head. */
  readonly approved: 0 | 1
  readonly revoked: 0 | 1
  /** Whose pause, and whose revocation, the guard knew at the head; null on the direct rail. */
  readonly pausedBy: 'account' | 'orchestrator' | null
  readonly revokedBy: 'account' | 'orchestrator' | 'agent' | null
  /** Where the payment numbers of these books come from (`Guard.lane`), as 32 bytes, and how many were taken. */
  readonly lane: Hex
  readonly numbers: number
  /** How many of the agent's nonces are accounted for besides those of `transactions`. See `Lost`. */
  readonly knownNonces: number
  /** Until a block of this time is final nothing is reserved, because of what the books may have forgotten. */
  readonly quietUntil: number
  /** Whose float pays authorizations: the agent's purse, on the direct rail the agent where the grant names a float; or null. */
  readonly payer: Address | null
  /** What it held at the head, base units; null where that was not asked: on the way there, and without a payer. */
  readonly payerBalance: bigint | null
  /** Hash of the permission that funded it last, at the head; null for none. */
  readonly fundedBy: Hex | null
  /** The block after which the reading of the chain began. */
  readonly startNumber: number
  /** The last block that is final: everything up to it has been read and will not change. */
  readonly finalNumber: number
  readonly finalHash: string
  readonly finalTime: number
  /** The last block that was read; what lies above the final one is provisional. */
  readonly headNumber: number
  readonly headHash: string
  readonly headTime: number
  /** Number of receipts, and the hash of the last one. */
  readonly receipts: number
  readonly receiptHash: Hex
}

/** A permission that belongs, or once belonged, to a grant. */
export type PermissionRow = {
  readonly grantId: Hex
  readonly hash: Hex
  /** The permission as `Permission.serialize` writes it. */
  readonly permission: string
}

/** One step of a payment: not signed yet, signed, seen on chain, or known never to come. */
export type Leg = 'none' | 'signed' | 'seen' | 'failed'

/**
 * How money moves: `guard` through the guard, `direct` by way of the agent, `authorization` out of the payer's float by
 * EIP-3009, whoever settles it, and `funding` into that float, through the guard or by a pull.
 */
export type Via = 'guard' | 'direct' | 'authorization' | 'funding'

export type PaymentRow = {
  readonly grantId: Hex
  /** The caller's idempotency key. */
  readonly key: string
  readonly via: Via
  readonly payee: Address
  readonly amount: bigint
  readonly permissionHash: Hex
  readonly host: string | null
  readonly task: string | null
  readonly session: string | null
  readonly category: string | null
  readonly endpoint: string | null
  /** What the chain knows the key by (`Guard.reference`); of an authorization its EIP-3009 nonce. */
  readonly ref: Hex
  /** Through the guard, 32 bytes: the payment's number, which it keeps through every attempt. */
  readonly number: Hex | null
  /** Whose float an authorization takes from, a funding fills, and a payment by way of the agent is kept apart from; or null. */
  readonly payer: Address | null
  /** What a funding through the guard lifts the float to; `amount` is the most that this can take. A pull takes its amount. */
  readonly target: bigint | null
  /** The first second at which nothing that is signed for it can succeed; of an authorization its `validBefore`. */
  readonly deadline: number | null
  /**
   * Through the guard: the nonce of the transaction that it was signed in last; null before, and where a relay was given
   * it.
   */
  readonly nonce: number | null
  /** 1 where that was for it alone, or could not be: what fails then fails by its own doing. */
  readonly alone: 0 | 1
  /** The books' head when it was last signed or given to a relay. */
  readonly triedAt: number | null
  /** The orchestrator's ticket as JSON, where the chain asks for one. */
  readonly ticket: string | null
  /** Chain time at the reservation. */
  readonly reservedAt: number
  /** From the account to the agent; through the guard both legs are one. */
  readonly pull: Leg
  /** From the agent to the payee. */
  readonly transfer: Leg
  /** 1 once a receipt has said that it is settled, which a reorganisation may have taken back since. */
  readonly told: 0 | 1
  /** Why a leg failed, for a person. */
  readonly failure: string | null
  /** 1 while something can still happen to it: not final yet. */
  readonly open: 0 | 1
}

/**
 * One nonce of the agent's EOA, what it is for, and the signed bytes, kept before they are broadcast. A nonce may have
 * several, with rising fees, of which the chain takes one.
 */
export type TransactionRow = {
  readonly grantId: Hex
  readonly nonce: number
  readonly kind: FactKind | 'call'
  /** The payment's key; empty for a batch of several, and for a call that is no payment, such as an approval. */
  readonly key: string
  readonly raw: Hex
  readonly hash: Hex
  /** The books' head when it was signed. */
  readonly signedAt: number
}

/**
 * `pull`: from the account to the agent. `transfer`: from the agent on. `payment`: through the guard, both at once.
 * `authorization`: from the payer's float, by EIP-3009. `cancellation`: no money, but its nonce is used.
 */
export type FactKind = 'pull' | 'transfer' | 'payment' | 'authorization' | 'cancellation'

/** A fact read from the chain: money left the account, the agent or the float. */
export type EventRow = {
  readonly grantId: Hex
  readonly blockNumber: number
  readonly logIndex: number
  readonly blockHash: Hex
  readonly txHash: Hex
  /** The block's timestamp. */
  readonly time: number
  readonly kind: FactKind
  readonly amount: bigint
  /** Who received it. */
  readonly payee: Address
  /** Where it left the account: the permission, and the start of the period that it counted in. */
  readonly permissionHash: Hex | null
  readonly periodStart: number | null
  /**
   * Of a payment through the guard: its reference, and its number if it is one of the agent's; 32 bytes. Of an
   * authorization its nonce.
   */
  readonly ref: Hex | null
  readonly number: Hex | null
  /** Whose authorization it was; else null. */
  readonly payer: Address | null
  /** What else the guard metered it to: the trailing window of so many seconds, the task. */
  readonly window: number | null
  readonly task: Hex | null
  /** The payment it belongs to; null for a foreign one, which no reservation explains. */
  readonly key: string | null
  readonly final: 0 | 1
}

/** A run of an agent with limits of its own, base units. See `Session`. */
export type SessionRow = {
  readonly grantId: Hex
  readonly id: string
  /** Chain time, unix seconds. */
  readonly startedAt: number
  readonly endedAt: number | null
  readonly perRequest: bigint
  readonly perTask: bigint
  readonly perSession: bigint
  /** What the meter `unexplained` held when it was opened: what came since is charged to the session. */
  readonly unexplained: bigint
}

export type MeterRow = {
  readonly grantId: Hex
  readonly name: string
  readonly amount: bigint
}

export type ReceiptRow = {
  readonly grantId: Hex
  readonly seq: number
  /** The receipt as `Receipt.serialize` writes it; its hash is over these bytes. */
  readonly receipt: string
  readonly hash: Hex
}

export type Tables = {
  grants: GrantRow
  permissions: PermissionRow
  payments: PaymentRow
  transactions: TransactionRow
  events: EventRow
  sessions: SessionRow
  meters: MeterRow
  receipts: ReceiptRow
}
export type TableName = keyof Tables

/**
 * How `list` orders and cuts: by key, ascending unless said otherwise. `after` has every column of a key, with the
 * values of `where` where both name one: what follows it in that order is listed, whether or not there is such a row.
 */
export type ListOptions<row> = {
  readonly limit?: number
  readonly descending?: boolean
  readonly offset?: number
  readonly after?: Partial<row>
}

/** The rows, inside a transaction; those of the books unless said otherwise. */
export type Transaction<tables = Tables> = {
  /** The row with this key (further fields are ignored), or undefined. */
  get<name extends keyof tables & string>(
    table: name,
    key: Partial<tables[name]>,
  ): Promise<tables[name] | undefined>
  /** Reads many rows at once, of keys that differ in their last column alone: a later `get` of one costs nothing. */
  load<name extends keyof tables & string>(table: name, keys: readonly Partial<tables[name]>[]): Promise<void>
  /** Inserts the row, or replaces the one with the same key. */
  put<name extends keyof tables & string>(table: name, row: tables[name]): Promise<void>
  /** Removes the row with this key, if there is one. */
  remove<name extends keyof tables & string>(table: name, key: Partial<tables[name]>): Promise<void>
  /** The rows whose fields equal `where`, in the order of the key. */
  list<name extends keyof tables & string>(
    table: name,
    where: Partial<tables[name]>,
    options?: ListOptions<tables[name]>,
  ): Promise<tables[name][]>
}

/** Tables under locks. Those of the books are locked by their grant, others by what their owner says. */
export type TableStore<tables, lock extends string = string> = {
  /** Runs `work` once and alone under the lock, all or nothing: what it throws undoes what it wrote. */
  transact<result>(lock: lock, work: (tx: Transaction<tables>) => Promise<result>): Promise<result>
  close(): Promise<void>
}

/** The books. A transaction locks the grant that it names. */
export type Store = TableStore<Tables, Hex>
