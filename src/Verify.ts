/** Holds the books against the chain, at one block: every total that the chain also keeps, read anew. */
import type { Address, Hex, PublicClient } from 'viem'
import type * as Facts from './Facts.js'
import * as Float from './Float.js'
import * as FloatRead from './FloatRead.js'
import { GrantError } from './GrantError.js'
import * as Guard from './GuardRead.js'
import * as Logs from './Logs.js'
import * as Meter from './Meter.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import * as Spm from './SpmRead.js'
import type { GrantRow, Transaction } from './Store.js'
import * as Sync from './Sync.js'
import * as TrailingWindow from './TrailingWindow.js'
import { sourceOf, type Worker, type WorkerOptions } from './Worker.js'

/** One thing that both the books and the chain say. Amounts in base units. */
export type Check = {
  readonly name:
    | 'pulled'
    | 'today'
    | 'sent'
    | 'period'
    | 'approved'
    | 'revoked'
    /** On the guard rail what its own meters and flags say, for all permissions of the grant. */
    | 'total'
    | 'day'
    | 'window'
    | 'tasks'
    | 'paused'
    /** On the purse rail: what its purse holds, what of it is authorized and not settled, and what was settled. */
    | 'float'
    | 'held'
    | 'authorized'
  readonly ledger: bigint | boolean
  readonly chain: bigint | boolean
  readonly equal: boolean
}

export type Report = {
  readonly block: { readonly number: number; readonly hash: Hex }
  readonly checks: readonly Check[]
  /** Whether all of them are equal. */
  readonly equal: boolean
}

type VerifyOptions = Pick<WorkerOptions, 'client' | 'store' | 'grantId' | 'agent' | 'token' | 'finality'> & {
  readonly worker: Pick<Worker, 'round'>
}

/** How often to begin again where the chain is reorganised under the comparison. */
const attempts = 5

/**
 * Reads the chain to its head, then compares at that block: what was pulled, in all and on the block's UTC day,
 * and what the agent sent on (all events since the books began, read again), the permission's current period in
 * SpendPermissionManager's storage, and whether it is approved and revoked. On the guard rail also the guard's meters of
 * the grant's total, day and trailing window (if it has one), what its events metered to tasks, and whether it is
 * paused; `revoked` is by either of them.
 *
 * @throws GrantError `CHAIN_UNSEEN` where the chain did not stand still for long enough
 */
export async function verify(options: VerifyOptions): Promise<Report> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    await options.worker.round()
    const report = await compare(options).catch(Sync.redact('Holding the books against the chain'))
    if (report) return report
  }
  throw new GrantError(
    'CHAIN_UNSEEN',
    `The block that the books were held against was replaced ${attempts} times. Try again when the chain is calm, or with another endpoint.`,
    { figures: { attempts }, retryable: true },
  )
}

/** The report on the books' head, or undefined where the endpoint has another block there. */
async function compare(options: VerifyOptions): Promise<Report | undefined> {
  const { client, store, grantId } = options
  // In one look, so that the books may go on while the chain is asked.
  const books = await store.transact(grantId, async (tx) => {
    const { row, source } = await sourceOf(tx, options)
    const bounds = Permission.periodAt(source.current, row.headTime)
    return {
      row,
      source,
      bounds,
      pulled: await Meter.read(tx, grantId, Meter.total),
      today: await Meter.read(tx, grantId, Meter.day(row.headTime)),
      sent: await Meter.read(tx, grantId, Meter.sent),
      period: bounds
        ? await Meter.read(tx, grantId, Meter.period(row.permissionHash, bounds.start))
        : undefined,
      window: await settledWindow(tx, row, source.current),
      held: await Meter.read(tx, grantId, Meter.held),
      authorized: await Meter.read(tx, grantId, Meter.authorized),
      tasks: await Meter.sumOf(tx, grantId, Meter.metered),
    }
  })
  const { row, source, bounds } = books
  const { payerBalance } = row
  if (Float.unread(row)) return undefined
  const blockNumber = BigInt(row.headNumber)
  const at = { permission: source.current, blockNumber }
  const isGuarded = Logs.isGuarded(source)
  const [facts, approved, revoked, current, used, stops, float] = await Promise.all([
    Sync.readFacts(client, source, { after: row.startNumber, to: row.headNumber }),
    Spm.isApproved(client, at),
    Spm.isRevoked(client, at),
    bounds ? Spm.getCurrentPeriod(client, at) : undefined,
    isGuarded ? Guard.used(client, at) : undefined,
    isGuarded ? Guard.stops(client, at) : { paused: false, revoked: false },
    row.payer === null ? undefined : floatOf(client, source, row.payer, row.headHash as Hex),
  ])
  // Last: what was read before is of this block only if it still stands.
  const block = await client.getBlock({ blockNumber })
  if (block.hash !== row.headHash || !facts) return undefined

  const pulls = facts.filter(({ kind }) => kind === 'pull' || kind === 'payment')
  const sent = facts.filter(({ kind }) => kind === 'transfer' || kind === 'payment')
  const authorized = facts.filter(({ kind }) => kind === 'authorization')
  const today = pulls.filter(({ time }) => Meter.day(time) === Meter.day(row.headTime))
  const sum = (facts: readonly Facts.Fact[]) => facts.reduce((sum, { amount }) => sum + amount, 0n)
  const checks = [
    check('pulled', books.pulled, sum(pulls)),
    check('today', books.today, sum(today)),
    check('sent', books.sent, sum(sent)),
    check('period', books.period ?? 0n, current?.spent ?? 0n),
    check('approved', row.approved === 1, approved),
    check('revoked', row.revoked === 1 || row.revokedBy !== null, revoked || stops.revoked),
    ...(used
      ? [
          check('total', books.pulled, used.total ?? 0n),
          check('day', books.today, used.perDay ?? 0n),
          ...(used.perWindow === null ? [] : [check('window', books.window, used.perWindow)]),
          check('tasks', books.tasks, sum(facts.filter(({ task }) => task !== null))),
          check('paused', row.pausedBy !== null, stops.paused),
        ]
      : []),
    ...(float
      ? [
          check('float', payerBalance ?? 0n, float.balance),
          check('held', books.held, float.held),
          check('authorized', books.authorized, sum(authorized)),
        ]
      : []),
  ]
  return {
    block: { number: row.headNumber, hash: block.hash },
    checks,
    equal: checks.every(({ equal }) => equal),
  }
}

/** What a payer holds, and what of it the token would still let somebody settle, or nobody could for a while. */
async function floatOf(client: PublicClient, { token, held }: Sync.Source, payer: Address, blockHash: Hex) {
  const asked = { token, payer, blockHash }
  const [balance, ...used] = await Promise.all([
    FloatRead.balanceOf(client, asked),
    ...held.map(({ ref: nonce }) => FloatRead.isUsed(client, { ...asked, nonce })),
  ])
  return { balance, held: held.reduce((sum, { amount }, n) => (used[n] === true ? sum : sum + amount), 0n) }
}

/** What the guard should have in the current permission's trailing window. */
async function settledWindow(tx: Transaction, row: GrantRow, { extraData }: Permission.Permission) {
  const { grantId, headTime: time } = row
  const { window = null } = extraData === '0x' ? {} : Policy.decode(extraData)
  if (window === null) return 0n
  const indexes = TrailingWindow.indexes({ time, window })
  const amounts = await Promise.all(
    indexes.map((index) => Meter.read(tx, grantId, Meter.bucket(window, index))),
  )
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

function check(name: Check['name'], ledger: bigint | boolean, chain: bigint | boolean): Check {
  return { name, ledger, chain, equal: ledger === chain }
}
