/** The live object of one grant: decides, pays, follows the chain and keeps the books. */
import {
  type Address,
  decodeFunctionResult,
  type Hex,
  isAddressEqual,
  type LocalAccount,
  type PublicClient,
} from 'viem'
import { spendPermissionManagerAbi } from '../abi/index.js'
import * as Amount from './Amount.js'
import * as Book from './Book.js'
import { ChainError } from './ChainError.js'
import * as Decision from './Decision.js'
import type { Grant } from './Grant.js'
import { GrantError } from './GrantError.js'
import * as Ledger from './Ledger.js'
import * as Meter from './Meter.js'
import * as Order from './Order.js'
import * as Payment from './Payment.js'
import * as Permission from './Permission.js'
import * as Receipt from './Receipt.js'
import * as Spm from './Spm.js'
import * as Status from './Status.js'
import type { GrantRow, Store, Transaction } from './Store.js'
import * as Submit from './Submit.js'
import * as Sync from './Sync.js'
import { simulate } from './Transaction.js'
import * as Verify from './Verify.js'
import * as Worker from './Worker.js'

export type OpenBudgetOptions = {
  readonly grant: Grant
  readonly permission: Permission.Permission
  /** The agent's EOA, which signs and pays gas. It must be used for nothing else. */
  readonly agent: LocalAccount
  readonly store: Store
  /** Which blocks are final for the books. Default `finalized`. */
  readonly finality?: Sync.Finality
  /** Milliseconds between two looks at the chain. Default: the client's `pollingInterval`. */
  readonly pollMs?: number
  /** Nothing is reserved when the chain was not seen for longer than this. Default 60,000. */
  readonly maxUnseenMs?: number
  readonly onReceipt?: (receipt: Receipt.Receipt) => void
  /** Told of failed looks at the chain; they are repeated. Default: nothing. */
  readonly onError?: (error: unknown) => void
}

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

export type Budget = {
  readonly grant: Grant
  readonly permission: Permission.Permission
  /**
   * Submits the owner's signature, with the agent's gas. Does nothing where the permission is approved.
   * @throws GrantError `REVOKED` where it was revoked before, `GAS_LOW`; ChainError `INVALID_SIGNATURE` and others
   */
  approve(options: { readonly signature: Hex }): Promise<void>
  /** May this be spent? Advice from the books: nothing is reserved, nothing is recorded, no network. */
  check(request: Decision.Request): Promise<Decision.Decision>
  /**
   * Pays: decides and reserves in one transaction of the store, pulls from the account, transfers to the
   * payee, and resolves when the chain shows the payee paid. At most once per key, whatever fails in between:
   * the same key with the same terms waits for, or returns, the same payment. An aborted `signal` ends the
   * waiting, not the payment.
   *
   * @throws GrantError a refusal's code with its `receipt`, or `KEY_CONFLICT`, `CHAIN_REFUSED`, `GAS_LOW`,
   * `RELEASED`, `STRANDED`, `FINALITY_BROKEN`, `CLOSED`; InputError for an order that cannot be read
   */
  spend(order: Order.Order, options?: { readonly signal?: AbortSignal }): Promise<Spent>
  /** What one more spend could take now, by cap, base units. */
  remaining(options?: { readonly task?: string }): Promise<Decision.Remaining>
  /** Decimal strings, exact: pulled today (UTC, chain time), what today has left, pulled in all. */
  spentTodayUsd(): Promise<string>
  /** What is open counts as spent here; null without a day cap. */
  remainingTodayUsd(): Promise<string | null>
  spentTotalUsd(): Promise<string>
  /** Base units booked under a label, such as a task: reserved or paid. */
  spentUnder(label: Meter.Label, value: string): Promise<bigint>
  /** Reserved and not yet pulled, base units. */
  reserved(): Promise<bigint>
  /** Where the payment with this key stands; undefined where there is none. */
  payment(
    key: string,
  ): Promise<(Payment.PaymentState & { readonly amount: bigint; readonly to: Address }) | undefined>
  /** The chain's own answer about the permission, and whether the books are paused. */
  status(): Promise<Status.Status & { readonly paused: boolean }>
  /** Receipts from the oldest on. */
  receipts(options?: { readonly offset?: number; readonly limit?: number }): Promise<Receipt.Receipt[]>
  /** Holds the books against the chain, at one block. */
  verify(): Promise<Verify.Report>
  /** Reads the chain to its head now. */
  sync(): Promise<void>
  /**
   * Refuses everything new until `resume`; what is reserved already goes on. In the books only: the direct rail
   * has no pause on chain.
   */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Revokes the permission on chain as its spender, for good. */
  revoke(): Promise<void>
  /** Stops following the chain. Open payments go on when the budget is opened again. */
  close(): Promise<void>
}

/**
 * Opens the budget of a grant: reads the chain into the books up to its head, then keeps following it.
 * With an empty store this rebuilds everything that the chain holds.
 *
 * @throws GrantError `MISMATCH` where grant, permission, agent and chain do not belong together,
 * `AGENT_IN_USE`, `FINALITY_BROKEN`
 */
export async function openBudget(client: PublicClient, options: OpenBudgetOptions): Promise<Budget> {
  const { grant, permission, agent, store } = options
  const { grantId, token } = grant
  const finality = options.finality ?? 'finalized'
  await assertTogether(client, options)
  const start = () =>
    Sync.startBlock(client, { permission, finality }).catch(Sync.redact('Finding the block to start from'))
  await Book.open(store, { grant, permission, start })

  const onError = options.onError ?? (() => {})
  const onReceipt = (receipt: Receipt.Receipt) => {
    try {
      options.onReceipt?.(receipt)
    } catch (error) {
      // The books are ahead of whoever listens: what the listener throws must not look like a failed payment.
      onError(error)
    }
  }
  const submitter: Submit.Submitter = { client, store, grantId, agent, token: token.address, onReceipt }
  const pollMs = options.pollMs ?? client.pollingInterval
  const worker = Worker.start({ ...submitter, finality, pollMs, onError })
  try {
    await worker.round()
  } catch (error) {
    await worker.close()
    throw error
  }
  const maxUnseenMs = options.maxUnseenMs ?? 60_000

  /** Looks at the books in one transaction. */
  function look<result>(work: (tx: Transaction, row: GrantRow) => Promise<result>): Promise<result> {
    return store.transact(grantId, async (tx) => work(tx, await Book.get(tx, grantId)))
  }
  const state = (task?: string) => look((tx, row) => Ledger.readState(tx, row, task))
  const meter = (name: string) => look((tx) => Meter.read(tx, grantId, name))
  const usd = (amount: bigint) => Amount.format(amount, token.decimals)

  /** Sends a call of the agent and waits until the books show what it was for. */
  async function call(call: Spm.Call, outcome: 'approved' | 'revoked', doing: string): Promise<void> {
    const hash = await Submit.submitCall(submitter, call, doing).catch(Sync.redact(doing))
    try {
      while (!(await isMined(hash))) await new Promise((resolve) => setTimeout(resolve, pollMs))
    } catch (error) {
      throw new ChainError(
        'OUTCOME_UNKNOWN',
        `${doing}: transaction ${hash} is signed and kept, and was not seen mined. It is sent again with the agent's next transaction; look at the status before trying again.`,
        { figures: { hash, reason: error instanceof Error ? error.message : String(error) } },
      )
    }
    if (await look(async (_, row) => row[outcome] === 1)) return
    throw new ChainError('OUTCOME_MISSING', `${doing}: ${hash} is mined, and nothing is ${outcome}.`, {
      figures: { hash },
    })
  }

  /** Whether the books have read the block of a transaction. */
  async function isMined(hash: Hex): Promise<boolean> {
    await worker.round()
    const receipt = await Sync.receiptOf(client, hash)
    if (receipt) return look(async (_, { headNumber }) => receipt.blockNumber <= headNumber)
    await Submit.rebroadcast(submitter)
    return false
  }

  /** Why nothing may be reserved now whatever the caps say, if so. */
  async function veto(): Promise<Ledger.Refusal | undefined> {
    const stopped = worker.stopped()
    if (stopped) throw stopped
    if (worker.unseenMs() > maxUnseenMs) await worker.round().catch(() => {})
    const unseenMs = worker.unseenMs()
    if (unseenMs <= maxUnseenMs) return undefined
    const since = Number.isFinite(unseenMs) ? `${Math.round(unseenMs)} ms ago` : 'never'
    return {
      allowed: false,
      code: 'CHAIN_UNSEEN',
      reason: `The chain was last seen ${since}, and reserving needs it seen within ${maxUnseenMs} ms. Check the endpoint; nothing is reserved until it has caught up.`,
      figures: { unseenMs, maxUnseenMs },
      retryable: true,
    }
  }

  /** Waits for the payee's transfer in the books. */
  async function settled(key: string, signal: AbortSignal | undefined): Promise<Spent> {
    for (;;) {
      await worker.paid(key, signal)
      const spent = await look((tx) => spentOf(tx, grantId, key))
      // Undefined where a reorganisation took it back just now: then it is waited for again.
      if (spent) return spent
    }
  }

  return {
    grant,
    permission,

    async approve({ signature }) {
      await worker.round()
      const row = await look(async (_, row) => row)
      if (row.revoked) throw revokedError(permission)
      if (row.approved) return
      const doing = "Submitting the owner's approval"
      const request = Spm.prepareApproveWithSignature({ permission, signature })
      const data = await simulate(client, { call: request, from: agent.address, doing })
      const functionName = 'approveWithSignature'
      // SpendPermissionManager answers false, without a revert, for a permission that was revoked before.
      if (!decodeFunctionResult({ abi: spendPermissionManagerAbi, functionName, data }))
        throw revokedError(permission)
      await call(request, 'approved', doing)
    },

    async check(request) {
      const now = await state(request.task)
      return Decision.decide(now, request)
    },

    async spend(given, { signal } = {}) {
      signal?.throwIfAborted()
      const order = Order.read(given)
      const reservation = await Ledger.reserve(store, grantId, order, await veto())
      if (reservation.outcome === 'reserved' || reservation.outcome === 'refused')
        onReceipt(reservation.receipt)
      if (reservation.outcome === 'refused') throw GrantError.of(reservation.refusal, reservation.receipt)
      const { payment } = reservation
      if (reservation.outcome === 'conflict') throw Order.conflict(order, payment)
      const { status } = Payment.stateOf(payment)
      if (status === 'stranded') await Ledger.reopen(store, grantId, order.key)
      return (await look((tx) => spentOf(tx, grantId, order.key))) ?? settled(order.key, signal)
    },

    remaining: async ({ task } = {}) => Decision.remaining(await state(task)),
    spentTodayUsd: () => look(async (tx, row) => usd(await Meter.read(tx, grantId, Meter.day(row.headTime)))),
    async remainingTodayUsd() {
      const { perDay } = Decision.remaining(await state())
      return perDay === null ? null : usd(perDay)
    },
    spentTotalUsd: async () => usd(await meter(Meter.total)),
    spentUnder: (label, value) => meter(Meter.labelled(label, value)),
    reserved: () => meter(Meter.open),

    payment: (key) =>
      look(async (tx) => {
        const row = await tx.get('payments', { grantId, key })
        return row && { ...Payment.stateOf(row), amount: row.amount, to: row.payee }
      }),

    async status() {
      const paused = (await look(async (_, row) => row.paused)) === 1
      return { ...(await Status.of(client, { permission })), paused }
    },

    receipts: ({ offset = 0, limit } = {}) =>
      look(async (tx) => {
        const rows = await tx.list(
          'receipts',
          { grantId },
          { offset, ...(limit === undefined ? {} : { limit }) },
        )
        return rows.map(Receipt.fromRow)
      }),

    verify: () => Verify.verify({ client, store, grantId, agent, token: token.address, finality, worker }),
    sync: worker.round,
    pause: () => Book.setPaused(store, grantId, true),
    resume: () => Book.setPaused(store, grantId, false),
    revoke: () =>
      call(Spm.prepareRevokeAsSpender({ permission }), 'revoked', 'Revoking the permission as its spender'),
    close: worker.close,
  }
}

/** What `spend` returns of a payment, or undefined where it is not paid. */
async function spentOf(tx: Transaction, grantId: Hex, key: string): Promise<Spent | undefined> {
  const { payee: to, amount, open } = await Payment.get(tx, grantId, key)
  const [event] = await tx.list('events', { grantId, key, kind: 'transfer' }, { limit: 1 })
  return event && { key, to, amount, txHash: event.txHash, blockNumber: event.blockNumber, final: open === 0 }
}

async function assertTogether(client: PublicClient, options: OpenBudgetOptions): Promise<void> {
  const { grant, permission, agent } = options
  const chainId = await client.getChainId().catch(Sync.redact('Opening the budget'))
  if (chainId !== grant.chainId) {
    throw mismatch(`The grant is for chain ${grant.chainId}, the client talks to chain ${chainId}.`)
  }
  if (!isAddressEqual(agent.address, grant.agent)) {
    throw mismatch(`The grant is for agent ${grant.agent}, the key given is that of ${agent.address}.`)
  }
  const { salt: _, ...expected } = Permission.fromGrant(grant)
  for (const [field, value] of Object.entries(expected)) {
    const actual = permission[field as keyof typeof expected]
    if (actual === value) continue
    throw mismatch(
      `The permission's ${field} is ${actual}, the grant says ${value}. Make it with Permission.fromGrant.`,
    )
  }
}

function mismatch(message: string): GrantError {
  return new GrantError('MISMATCH', message)
}

function revokedError(permission: Permission.Permission): GrantError {
  return new GrantError(
    'REVOKED',
    `Permission ${Permission.hash(permission)} was revoked, which is final. Sign a new one: Permission.fromGrant with another nonce.`,
  )
}
