import { type Hex, toFunctionSelector, zeroHash } from 'viem'
import { hardcapGuardAbi, hardcapGuardReasons, spendPermissionManagerAbi } from '../../abi/index.js'
import { caps } from './decision/caps.js'
import { fundings } from './decision/fundings.js'
import { day, grants } from './decision/grants.js'
import { rules } from './decision/rules.js'
import { stops } from './decision/stops.js'
import { tasks } from './decision/tasks.js'

export type Reason = (typeof hardcapGuardReasons)[number]

/** What was done before, one after the other, by the names of actors and grants that both readers know. */
export type Act = {
  /** `spm`: the account revokes the permission with SpendPermissionManager alone. `donate`: to the purse. */
  kind: 'pay' | 'fund' | 'donate' | 'pause' | 'resume' | 'revoke' | 'revokeGrant' | 'spm'
  grant: string
  /** Unix seconds. */
  at: number
  by?: string
  number?: bigint
  /** Base units: of a payment to `payee 0`, or the target of a funding. */
  amount?: bigint
  /** Where the policy caps tasks it has a ticket for all that it may cost. */
  task?: Hex
}

/** Who signed for which task, and for how much until when. */
export type Ticket = { signer: string; account: string; task: Hex; cap: bigint; deadline: number }

/** What is asked for: `empty` a batch without the payment, `malformed` one without its last byte. */
export type Ask = {
  kind?: 'pay' | 'fund' | 'empty' | 'malformed'
  grant: string
  at: number
  number?: bigint
  amount?: bigint
  payee?: string
  /** Whose proof is shown, by index; none where it is -1. */
  proof?: number
  deadline?: number
  task?: Hex
  ticket?: Partial<Ticket> & Pick<Ticket, 'cap'>
}

/** The guard's word with the figures of its error, in the order of its ABI: base units, unix seconds or names. */
export type Answer = { reason: Reason; figures: readonly (bigint | number | string)[] }

export type Case = {
  name: string
  /** Grants that are not approved. */
  unapproved?: readonly string[]
  before?: readonly Act[]
  ask: Ask
  answer: Answer
}

/** The error of a reason, where it has another name. */
const errors: Partial<Record<Reason, string>> = {
  Revoked: 'RevokedBy',
  Paused: 'PausedBy',
  NotApproved: 'UnauthorizedSpendPermission',
  NotStarted: 'BeforeSpendPermissionStart',
  Ended: 'AfterSpendPermissionEnd',
  OverAllowance: 'ExceededSpendPermission',
}

function errorOf(reason: Reason) {
  if (reason === 'Ok') return { error: '0x' as Hex, names: [] }
  const name = errors[reason] ?? reason
  const item = [...hardcapGuardAbi, ...spendPermissionManagerAbi].find(
    (item) => item.type === 'error' && item.name === name,
  )
  if (item?.type !== 'error') throw new Error(`No error ${name}.`)
  const { inputs } = item as { inputs: readonly { name: string; type: string }[] }
  const signature = `${name}(${inputs.map(({ type }) => type).join(',')})`
  return { error: toFunctionSelector(signature), names: inputs.map(({ name }) => name) }
}

/**
 * Payments and fundings that were made before, one that is asked for now, and what the guard says to it. The answers
 * are written by hand: `Decision` is held to them by test/core/decisionVectors.test.ts, the guard's `check`, `simulate`
 * and `pay` by test/contracts/DecisionVectors.t.sol.
 */
export function decisionVectors() {
  return { grants, vectors: [caps, tasks, rules, stops, fundings].flat().map(ofCase) }
}

function ofCase({ name, unapproved = [], before = [], ask, answer }: Case) {
  const { reason, figures } = answer
  const { error, names } = errorOf(reason)
  if (names.length !== figures.length) throw new Error(`${name}: ${reason} has ${names.join(', ')}.`)
  const { kind = 'pay', grant, at, number = 1_000n, amount = 1n, payee = 'payee 0' } = ask
  const { task = zeroHash, deadline = at + 60, proof = payee === 'payee 1' ? 1 : 0, ticket } = ask
  return {
    name,
    unapproved,
    before: before.map(
      ({ kind, grant, at, by = kind === 'spm' ? 'account' : 'agent', task = zeroHash, ...rest }, n) => {
        const { number = BigInt(n), amount = 1n } = rest
        return { kind, grant, at, by, number: `${number}`, amount: `${amount}`, task }
      },
    ),
    ask: {
      ...{ kind, grant, at, number: `${number}`, amount: `${amount}`, payee, proof, deadline, task },
      ticket: {
        signer: ticket === undefined ? 'nobody' : (ticket.signer ?? 'orchestrator'),
        account: ticket?.account ?? 'account',
        task: ticket?.task ?? task,
        cap: `${ticket?.cap ?? 0n}`,
        deadline: ticket?.deadline ?? at + day,
      },
    },
    answer: { reason, code: hardcapGuardReasons.indexOf(reason), error, names, figures: figures.map(String) },
  }
}
