/** The live object of one grant: decides, pays, follows the chain and keeps the books. */
import type { Address, Hex } from 'viem'
import type { Cursor } from './Cursor.js'
import type * as Decision from './Decision.js'
import type { Grant } from './Grant.js'
import type { Stoppers } from './GuardRead.js'
import type * as Meter from './Meter.js'
import type * as Order from './Order.js'
import type * as Payment from './Payment.js'
import type * as Permission from './Permission.js'
import type * as Receipt from './Receipt.js'
import type { ReplaceOptions } from './Replacement.js'
import type { LimitsInput, OpenOptions } from './Session.js'
import type { SessionExport } from './SessionExport.js'
import type * as Status from './Status.js'
import type * as Ticket from './Ticket.js'
import type * as Verify from './Verify.js'

/** A payment that its payee received. */
export type Spent = {
  readonly key: string
  readonly to: Address
  /** Base units. */
  readonly amount: bigint
  /** The transaction that the payee's transfer was seen in. */
  readonly txHash: Hex
  readonly blockNumber: number
  /** Whether no reorganisation can take it back any more. Until then the books may reopen it. */
  readonly final: boolean
}

/** A payment by EIP-3009 that is reserved: what `Budget.sign` signs, and nothing else, until it can be settled no more. */
export type Authorized = {
  readonly key: string
  readonly to: Address
  /** Base units. */
  readonly amount: bigint
  readonly nonce: Hex
  readonly payer: Address
  /** Unix seconds: the first at which nobody can settle it. */
  readonly validBefore: number
  /** Under which it is signed. */
  readonly permission: Permission.Permission
  /** Whether the payee has been paid already. */
  readonly settled: boolean
}

/** Base units. */
type Limits = {
  readonly perRequest: bigint
  readonly perTask: bigint
  readonly perSession: bigint
}

/** A run of an agent with limits of its own, on top of the grant's. Kept by the books alone. */
export type Session = {
  readonly id: string
  /** As `Budget.spend`, in this session. Refused by the grant, or else by request, task and session, in this order. */
  spend(order: Omit<Order.Order, 'session'>, options?: { readonly signal?: AbortSignal }): Promise<Spent>
  /** As `Budget.check`, in this session. */
  check(request: Omit<Order.Question, 'session'>): Promise<Decision.Decision>
  limits(): Promise<Limits>
  /** What is left under each limit, base units. The grant's caps may leave less. */
  remaining(options?: { readonly task?: string | undefined }): Promise<Limits>
  /** Decimal string, exact: reserved or paid in the session. */
  spentUsd(): Promise<string>
  /**
   * Lowers limits; none can be raised.
   * @throws GrantError `SESSION_RAISED`, `SESSION_ENDED`; InputError
   */
  lower(limits: LimitsInput): Promise<void>
  /** Ends it for good: nothing more is reserved in it. What is open goes on. */
  end(): Promise<void>
  /** What happened in it so far, in the form that agents' skills keep. */
  export(): Promise<SessionExport>
  /** The same as JSON text, with exact decimal numbers. */
  exportText(): Promise<string>
}

/** Base units. */
export type Totals = {
  readonly today: bigint
  readonly total: bigint
  readonly paid: bigint
  readonly reserved: bigint
  /** The part of `reserved` that fills the float, and is spent when it leaves it. */
  readonly filling: bigint
}

export type OpenSessionOptions = OpenOptions & { readonly file?: string | undefined }

export type Budget = {
  /** The terms in use; after `replace` the new ones. */
  readonly grant: Grant
  readonly permission: Permission.Permission
  /**
   * Submits the owner's signature, with the agent's gas. Does nothing where the permission is approved.
   * @throws GrantError `REVOKED` where it was revoked before, `GAS_LOW`, and where the wallet could never be spent from
   * `SPM_NOT_OWNER`, `ACCOUNT_NOT_CONTRACT`; ChainError `INVALID_SIGNATURE` and others; InputError
   */
  approve(options: { readonly signature: Hex }): Promise<void>
  /**
   * May this be spent? Advice from the books: nothing is reserved, nothing is recorded, no network. Who signed a
   * ticket is not looked at.
   * @throws InputError for a request that cannot be read
   */
  check(request: Order.Question): Promise<Decision.Decision>
  /**
   * Pays: decides and reserves in one transaction of the store, pays through the guard (on the direct rail: pulls from
   * the account, transfers to the payee), and resolves when the chain shows the payee paid. At most once per key,
   * whatever fails in between:
   * the same key with the same terms waits for, or returns, the same payment. An aborted `signal` ends the
   * waiting, not the payment.
   *
   * @throws GrantError a refusal's code with its `receipt`, or `KEY_CONFLICT`, `CHAIN_REFUSED`, `GAS_LOW`,
   * `RELEASED`, `STRANDED`, `FINALITY_BROKEN`, `CLOSED`; InputError for an order that cannot be read
   */
  spend(order: Order.Order, options?: { readonly signal?: AbortSignal }): Promise<Spent>
  /**
   * On the purse rail, and on the direct one where the grant names a float: reserves a payment that somebody else settles,
   * out of that float, which is filled first where it holds too little. The same key with the same terms gives the same authorization. `validSeconds`: 1 to 600.
   * @throws as `spend`, and GrantError `FLOAT_LOW`, `KEY_ENDED`
   */
  authorize(
    order: Order.Order,
    options: { readonly validSeconds: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Authorized>
  /** What can be said before a price is known: status, dates, and the host. Nothing is recorded. */
  precheck(request: { readonly host?: string | undefined }): Promise<Decision.Decision>
  /** Leaves the receipt of a payment that was refused for a reason outside of the books. */
  note(
    refused: { readonly code: string; readonly amount: bigint } & Pick<
      Order.Order,
      'key' | 'host' | 'task' | 'session' | 'category'
    >,
  ): Promise<Receipt.Receipt>
  /**
   * Signs the authorization of a key, which `authorize` has reserved, as the token takes it: until `validBefore`, with
   * `validAfter` 0. Nothing else is signed by it.
   * @throws GrantError `RELEASED`, `KEY_CONFLICT`, `MISMATCH`
   */
  sign(key: string): Promise<Hex>
  /**
   * Takes an authorization back: has the token end its nonce, by the agent's transaction or the relay, and resolves when
   * the books have read that. What is held for it is released once it is final, and its key is ended.
   * @throws GrantError `SETTLED` where its payee was faster, `KEY_CONFLICT`, `MISMATCH`, `GAS_LOW`; ChainError
   * `OUTCOME_UNKNOWN`
   */
  cancel(key: string): Promise<void>
  /** Releases an authorization that could not be signed, if nobody else was given it. */
  giveUp(key: string, reason: string): Promise<void>
  /**
   * Where there is a float: lifts it to a balance, base units, or waits for a funding that is on its way.
   * @throws GrantError a refusal's code with its `receipt`, `RELEASED`, `CHAIN_REFUSED`, `GAS_LOW`, `CLOSED`
   */
  fund(
    request: {
      readonly target: bigint
      readonly task?: string | undefined
      readonly ticket?: Ticket.Ticket | undefined
    },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /** What the float holds, base units: of it `held` is authorized, and `free` is left. `payer` is whose it is. */
  float(): Promise<{
    readonly payer: Address | null
    readonly balance: bigint
    readonly held: bigint
    readonly free: bigint
  }>
  /**
   * Opens a session, or resumes one by its `id`, also after a restart; several can be open at once. Limits that are given
   * for one that is there lower it. With `file` its export is kept there, up to date with this process, replaced in one
   * step (on Node).
   * @throws GrantError `SESSION_ENDED`, `SESSION_RAISED`; InputError
   */
  openSession(options?: OpenSessionOptions): Promise<Session>
  /** What one more spend could take now, by cap, base units; for a task by its ticket as well, where one is given. */
  remaining(options?: {
    readonly task?: string | undefined
    readonly ticket?: Ticket.Ticket | undefined
  }): Promise<Decision.Remaining>
  /** Decimal strings, exact: pulled today (UTC, chain time), what today has left, pulled in all. */
  spentTodayUsd(): Promise<string>
  /** What is open counts as spent here; null without a day cap. */
  remainingTodayUsd(): Promise<string | null>
  spentTotalUsd(): Promise<string>
  /** Base units: pulled today and in all, received by payees, and reserved but not yet pulled. */
  totals(): Promise<Totals>
  /** Base units booked under a label, such as a task: reserved or paid. */
  spentUnder(label: Meter.Label, value: string): Promise<bigint>
  /** Reserved and not yet pulled, base units. */
  reserved(): Promise<bigint>
  /** Where the payment with this key stands; undefined where there is none. */
  payment(
    key: string,
  ): Promise<(Payment.PaymentState & { readonly amount: bigint; readonly to: Address }) | undefined>
  /**
   * The chain's own answer about the permission; whether the books are paused; and who has paused or revoked the grant
   * at the guard, null for nobody.
   */
  status(): Promise<Status.Status & Stoppers & { readonly paused: boolean }>
  /** Receipts from the oldest on; with `newest`, from the newest on. */
  receipts(options?: {
    readonly offset?: number
    readonly limit?: number
    readonly newest?: boolean
  }): Promise<Receipt.Receipt[]>
  /**
   * Calls back with every receipt that this process leaves from now on, until what it returns is called. What a listener
   * throws goes to `onError`.
   */
  follow(listener: (receipt: Receipt.Receipt) => void): () => void
  /** A whole number that the books keep under a name, such as how many receipts a sink was given. */
  cursor(name: string): Cursor
  /** Leaves the receipt of a request for a higher cap, base units. Nothing changes by it. */
  ask(request: {
    readonly id: string
    readonly cap: string
    readonly to: bigint
    readonly reason: string
  }): Promise<Receipt.Receipt>
  /** Holds the books against the chain, at one block. */
  verify(): Promise<Verify.Report>
  /** Reads the chain to its head now. */
  sync(): Promise<void>
  /**
   * Refuses everything new until `resume`, and begins nothing that is reserved; what is signed goes on. In the books
   * only. On the guard rail the owner or the orchestrator can pause on chain, with `Guard.pause`; the books follow, and
   * refuse as well.
   */
  pause(): Promise<void>
  resume(): Promise<void>
  /**
   * Puts other terms in the place of these, such as a higher cap, in one transaction on chain. What was spent stays
   * spent. On the guard rail alone.
   * @throws GrantError `MISMATCH`, `REVOKED`, `GAS_LOW`; ChainError `INVALID_SIGNATURE` and others; InputError
   */
  replace(options: ReplaceOptions): Promise<void>
  /**
   * Revokes the permission on chain, for good: on the guard rail with it whatever else of the grant this agent can
   * spend, on the direct rail as its spender.
   */
  revoke(): Promise<void>
  /** Stops following the chain. Open payments go on when the budget is opened again. */
  close(): Promise<void>
}
