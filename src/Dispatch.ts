/** What goes out in one round: the open payments of a grant, each taken one step further. */
import * as Batch from './Batch.js'
import * as Book from './Book.js'
import * as Gas from './Gas.js'
import * as Lost from './Lost.js'
import * as Outbox from './Outbox.js'
import * as Permission from './Permission.js'
import * as Submit from './Submit.js'
import * as Sync from './Sync.js'

export type DispatchOptions = Outbox.Submitter & {
  readonly rail: 'direct' | 'guard'
  /** Milliseconds from the first payment that is due to the batch that it is in. */
  readonly batchDelayMs: number
  /** See `OpenBudgetOptions`. */
  readonly gasWarningWei: bigint
}

export type Listener = {
  readonly onRefused: Submit.OnRefused
  /** Whether the worker has stopped, so that nothing more may begin. */
  readonly isStopped: () => boolean
}

/**
 * Takes the steps that are due. What stops one payment does not stop the others. Resolves with the milliseconds after
 * which something is due for sure, if so.
 */
export type Drive = () => Promise<number | undefined>

export function start(options: DispatchOptions, { onRefused, isStopped }: Listener): Drive {
  const { client, store, grantId, agent, relay, rail, batchDelayMs, gasWarningWei } = options
  /** When the first of what is gathered was seen, by this process's clock. */
  let gatheringSince: number | undefined
  /** The agent's transaction count when its ETH was looked at. */
  let watchedAt: number | undefined

  const read = () =>
    store.transact(grantId, async (tx) => {
      const row = await Book.get(tx, grantId)
      const open = await tx.list('payments', { grantId, open: 1 })
      const stored = open.length === 0 ? [] : await tx.list('permissions', { grantId })
      const permissions = new Map(stored.map(({ hash, permission }) => [hash, Permission.parse(permission)]))
      return { row, open, permissions }
    })

  /** The agent's ETH changes with its transactions. */
  async function watch(count: number): Promise<void> {
    if (relay || count === watchedAt) return
    await Gas.watch(options, { threshold: gasWarningWei, rail }).catch(Sync.redact("Reading the agent's ETH"))
    watchedAt = count
  }

  /** Milliseconds for which what is due is gathered still. */
  function gathering(isDue: boolean): number {
    if (!isDue) gatheringSince = undefined
    else gatheringSince ??= performance.now()
    return gatheringSince === undefined ? 0 : gatheringSince + batchDelayMs - performance.now()
  }

  async function groupsOf(look: Omit<Batch.Look, 'count'>): Promise<readonly Batch.Group[]> {
    const isCounted = look.open.some(({ pull, nonce }) => pull === 'signed' && nonce !== null)
    const blockNumber = BigInt(look.row.headNumber)
    const count = isCounted ? await client.getTransactionCount({ address: agent.address, blockNumber }) : 0
    const { replaceAfterBlocks: againAfter } = options.fees
    return relay ? Batch.dueForRelay({ ...look, count }, { againAfter }) : Batch.due({ ...look, count })
  }

  return async () => {
    const { row, open, permissions } = await read()
    if (isStopped()) return undefined
    const failures: unknown[] = []
    const keep = (error: unknown) => {
      failures.push(error)
    }
    if (open.length > 0 || watchedAt === undefined)
      await (open.length > 0 ? Outbox.push(options) : Promise.resolve(-1)).then(watch).catch(keep)
    // What looks due to books that have forgotten something may be done already.
    if (open.length === 0 || Lost.refusal(row)) return undefined

    const steps: (() => Promise<void>)[] = []
    let waitMs = 0
    if (rail === 'direct') {
      const look = { row, open, permissions, count: 0 }
      steps.push(...open.map((payment) => () => Submit.step(options, look, payment, onRefused)))
    } else {
      waitMs = gathering(open.some(({ pull }) => pull === 'none'))
      const ready = waitMs > 0 ? open.filter(({ pull }) => pull !== 'none') : open
      const look = { row, open: ready, permissions, count: 0 }
      const groups = await groupsOf(look).catch(Sync.redact('Submitting payments'))
      if (groups.some(({ payments }) => payments.some(({ pull }) => pull === 'none')))
        gatheringSince = undefined
      steps.push(...groups.map((group) => () => Submit.payGroup(options, look, group, onRefused)))
    }
    for (const step of steps) {
      if (isStopped()) return undefined
      await step().catch(keep)
    }
    if (failures.length > 0) Sync.redact('Submitting payments')(failures[0])
    return waitMs > 0 ? waitMs : undefined
  }
}
