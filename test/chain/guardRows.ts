// A grant with every cap there is, of which one is the first to bind, and the two ways in which the guard lets money
// out: payments, and fundings of the purse. What holds for one cap has to hold for each, whichever way.
import { type Hex, zeroHash } from 'viem'
import type * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import type * as Permission from '../../src/Permission.js'
import * as Purse from '../../src/Purse.js'
import type { Base } from '../../src/testing/index.js'
import { granted, type Say } from './guardKit.js'
import * as kit from './kit.js'

const { day, usd } = kit

type Way = 'pay' | 'fund'

/** None of these binds before 20. */
const all = {
  rail: 'purse',
  perCallUsd: '3',
  perDayUsd: '20',
  totalUsd: '30',
  perWindowUsd: '25',
  window: 3_600,
  perTaskUsd: '22',
  maxFloatUsd: '20',
} as const

/** A cap of 3, the same raised to 3.5, the guard's word for it, and after how long it lets out more, if ever. */
export const rows = [
  { cap: 'perDay', field: 'perDayUsd', code: 'OVER_DAY', renews: day },
  { cap: 'total', field: 'totalUsd', code: 'OVER_TOTAL', renews: undefined },
  // Four buckets of 20 minutes.
  { cap: 'perWindow', field: 'perWindowUsd', code: 'OVER_WINDOW', renews: 4_800 },
  { cap: 'perTask', field: 'perTaskUsd', code: 'OVER_TASK', renews: undefined },
] as const

type Row = (typeof rows)[number]

const task = Guard.task('a')

/** What limits one payment or funding by itself, to 2; a sibling or successor has 1. */
export const singles = [
  { cap: 'perCall', field: 'perCallUsd', way: 'pay', code: 'OVER_PER_CALL' },
  { cap: 'maxFloat', field: 'maxFloatUsd', way: 'fund', code: 'OVER_FLOAT' },
] as const

/** The scene of a single cap: here a funding is of an empty purse. */
export async function singleOf(base: Base, { field, way }: (typeof singles)[number]) {
  const it = await scene(base, { ...all, perCallUsd: '1', [field]: '2' }, way)
  const empty = async (time: number) => {
    const call = Purse.prepareSweep({ permission: it.permission })
    if (it.float.held > 0n && (await it.blockAt(time, { from: it.agentKey, call }))[0] !== 'ok')
      throw new Error('The agent can always sweep.')
    it.float.held = 0n
  }
  const spend: typeof it.spend = async (time, amount, more) => {
    await empty(time - 1)
    return it.spend(time, amount, more)
  }
  const lower = (replaces?: Hex) => it.sibling({ perCallUsd: '1', [field]: '1' }, replaces)
  return { ...it, spend, lower }
}

/** The scene of a row, whose `raised` makes a sibling, or with `replaces` a successor, of 3.5. */
export async function sceneOf(base: Base, { field }: Row, way: Way) {
  const it = await scene(base, { ...all, [field]: '3' }, way)
  const raised = (replaces?: Hex) => it.sibling({ [field]: '3.5' }, replaces)
  return { ...it, raised }
}

/** A grant of these terms, with `spend` for whatever the way is. */
async function scene(base: Base, terms: Partial<Grant.DefineParams>, way: Way) {
  const it = await granted(base, terms)
  const { payees, end } = it
  const purse = Purse.address(it.permission)
  const ticket = await it.ticket(task, usd('40'), end + day)
  /** What the purse holds, and from which permission. */
  const float: { held: bigint; by: Permission.Permission } = { held: 0n, by: it.permission }

  /** One transaction at exactly this second: what the guard says, held against where the money is afterwards. */
  const spend = async (time: number, amount: bigint, more: Say = {}) => {
    const say = { task, ticket, ...more }
    if (way === 'pay') return it.at(time, it.pay(amount, say), { to: say.payee ?? payees[0], amount })
    const by = say.permission ?? it.permission
    const before = await kit.balanceOf(base, purse)
    // What another permission put there goes back to the account first.
    const held = float.by === by ? float.held : 0n
    const answer = await it.at(time, it.fund(held + amount, say))
    if (answer === 'ok') Object.assign(float, { held: held + amount, by })
    const after = await kit.balanceOf(base, purse)
    if (after !== (answer === 'ok' ? held + amount : before)) throw new Error(`The purse holds ${after}.`)
    return answer
  }
  /** Tickets that are none: what the guard says to them. */
  const wrong = async (time: number): Promise<[string, Say][]> => {
    const { orchestratorKey, agentKey, key, strangerKey } = it
    const terms = { ...key, task, cap: usd('40'), deadline: end }
    const sign = async (signer: typeof agentKey, changes: Partial<typeof terms> = {}) => ({
      ...{ cap: terms.cap, deadline: terms.deadline },
      signature: await signer.signTypedData(Guard.ticketTypedData({ ...terms, ...changes })),
    })
    const other = Guard.task('b')
    return [
      ['TASK_MISSING', { task: null }],
      ['TASK_MISSING', { task: zeroHash }],
      ['TICKET_INVALID', { task: other }],
      ['TICKET_INVALID', { ticket: await sign(orchestratorKey, { task: other }) }],
      ['TICKET_INVALID', { ticket: await sign(orchestratorKey, { account: strangerKey.address }) }],
      ['TICKET_INVALID', { ticket: await sign(orchestratorKey, { token: strangerKey.address }) }],
      ['TICKET_INVALID', { ticket: await sign(orchestratorKey, { grantId: zeroHash }) }],
      ['TICKET_INVALID', { ticket: await sign(agentKey) }],
      ['TICKET_INVALID', { ticket: await sign(strangerKey) }],
      ['TICKET_MISSING', { ticket: null }],
      ['TICKET_EXPIRED', { ticket: await it.ticket(task, usd('40'), time) }],
    ]
  }
  return { ...it, float, spend, wrong }
}
