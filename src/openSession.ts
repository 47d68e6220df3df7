import * as Amount from './Amount.js'
import * as Book from './Book.js'
import type { Budget, Session } from './Budget.js'
import { InputError } from './errors.js'
import * as Grant from './Grant.js'
import * as Input from './Input.js'
import * as Rows from './Session.js'
import * as SessionExport from './SessionExport.js'
import { textFile } from './SessionFile.js'
import type { Store, Transaction } from './Store.js'

/** What a session is opened on. */
type Parts = {
  readonly store: Store
  readonly budget: Pick<Budget, 'grant' | 'spend' | 'check'>
  /** Calls back with every receipt that this process leaves, until the budget is closed. */
  readonly follow: Budget['follow']
  readonly onError: (error: unknown) => void
}

/** See `Budget.openSession`. */
export async function openSession(parts: Parts, given: unknown = {}): Promise<Session> {
  const { store, budget, follow, onError } = parts
  const { grantId, token } = budget.grant
  const { file, ...rest } = Input.fields(given, 'session', ['id', 'file', ...limitFields])
  const { id, limits } = Rows.readOptions(rest, budget.grant)
  const usd = (units: bigint) => Amount.format(units, token.decimals)

  function look<result>(work: (tx: Transaction, grant: Grant.Grant, now: number) => Promise<result>) {
    return store.transact(grantId, async (tx) => {
      const row = await Book.get(tx, grantId)
      return work(tx, Grant.parse(row.grant), row.headTime)
    })
  }
  const row = () => look((tx) => Rows.get(tx, grantId, id))

  await look((tx, grant, now) => Rows.open(tx, grant, { id, limits, now }))
  const session: Session = {
    id,
    spend: (order, options) => budget.spend({ ...order, session: id }, options),
    check: (request) => budget.check({ ...request, session: id }),
    async limits() {
      const { perRequest, perTask, perSession } = await row()
      return { perRequest, perTask, perSession }
    },
    remaining: ({ task } = {}) =>
      look(async (tx) => {
        const { perRequest, perTask, perSession } = await Rows.get(tx, grantId, id)
        const used = await Rows.readUsed(tx, grantId, { session: id, task })
        const left = (limit: bigint, used: bigint) => (used < limit ? limit - used : 0n)
        return { perRequest, perTask: left(perTask, used.task), perSession: left(perSession, used.session) }
      }),
    spentUsd: async () => usd((await look((tx) => Rows.readUsed(tx, grantId, { session: id }))).session),
    async lower(given) {
      const limits = Rows.readLimits(Input.fields(given, 'session', limitFields), token.decimals)
      await look((tx, grant) => Rows.lower(tx, grant, { id, limits }))
      await mirror?.update()
    },
    async end() {
      await look((tx, _, now) => Rows.end(tx, grantId, id, now))
      await mirror?.update()
    },
    export: () => look((tx, grant) => SessionExport.of(tx, grant, id)),
    exportText: async () => SessionExport.toText(await session.export()),
  }

  const mirror = file === undefined ? undefined : textFile(readPath(file), session.exportText)
  if (mirror) {
    await mirror.update()
    follow((receipt) => {
      if (receipt.session === id) mirror.update().catch(onError)
    })
  }
  return session
}

/** @throws InputError `INVALID_VALUE` */
function readPath(given: unknown): string {
  if (typeof given === 'string' && given.length > 0) return given
  throw new InputError('INVALID_VALUE', {
    field: 'session.file',
    given,
    valid: 'the path of a file to write, or nothing',
    why: 'Not a path.',
  })
}

const limitFields = ['perRequestUsd', 'perTaskUsd', 'perSessionUsd']
