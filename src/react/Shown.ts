/**
 * What the server says, read strictly and looked through before anything of it is shown or signed. The server is not
 * trusted: grants and permissions are parsed by the same rules as the owner's own, what can be lost is computed here
 * again, and the typed data has to be that of the grant.
 */
import type { Address, Hex } from 'viem'
import * as Coverage from '../Coverage.js'
import { InputError } from '../errors.js'
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'
import * as Policy from '../Policy.js'
import type * as Schema from '../server/Schema.js'
import { isPrintable } from '../Terms.js'
import * as Comparison from './Comparison.js'

/** A request for approval as a page may show it. `differences` is empty, or nothing of it may be signed. */
export type ShownRequest = Omit<Schema.RequestShown, 'grant' | 'permission' | 'coverage'> & {
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  /** Computed here, from the grant and the permission. */
  readonly coverage: Coverage.Coverage
  readonly differences: readonly Comparison.Difference[]
}

export type ShownGrant = Omit<Schema.GrantShown, 'grant' | 'permission' | 'coverage'> & {
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  readonly coverage: Coverage.Coverage
  /** In what the permission is not the grant's. It may replace another: then it is one that was raised. */
  readonly differences: readonly Comparison.Difference[]
}

export type ShownSummary = Omit<Schema.GrantSummary, 'grant'> & { readonly grant: Grant.Grant }

/** @throws InputError where grant or permission cannot be read, or what people typed cannot be seen as a whole */
export function request(answer: Schema.RequestShown): ShownRequest {
  const { grant, permission } = terms(answer)
  const { names, note, warnings } = answer
  if (note !== null) assertLine(note, 'note')
  for (const { address, name } of names) for (const text of [address, name]) assertLine(text, 'names')
  for (const { message } of warnings) assertLine(message, 'warnings')
  return {
    ...answer,
    grant,
    permission,
    coverage: Coverage.of(grant, { permission }),
    differences: differences({ grant, permission, typedData: answer.typedData }),
  }
}

/** @throws InputError where grant or permission cannot be read */
export function grant(answer: Schema.GrantShown): ShownGrant {
  const { grant, permission } = terms(answer)
  const explanation = Policy.explain(permission.extraData)
  const replaces = explanation.kind === 'policy' ? (explanation.policy.replaces ?? undefined) : undefined
  return {
    ...answer,
    grant,
    permission,
    coverage: Coverage.of(grant, { permission }),
    differences: Comparison.of(grant, permission, { replaces }),
  }
}

/** @throws InputError where the grant cannot be read */
export function summary(answer: Schema.GrantSummary): ShownSummary {
  return { ...answer, grant: Grant.parse(JSON.stringify(answer.grant)) }
}

/** The terms before and after an increase, and whether what is to be signed is what is shown. */
export type ShownIncrease = {
  /** The one that it raises: the chain has to know it as approved before anything is signed on top of it. */
  readonly current: Permission.Permission
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  readonly before: Coverage.Coverage
  readonly after: Coverage.Coverage
  readonly differences: readonly Comparison.Difference[]
}

/**
 * Reads an increase against the grant that it raises. Whatever but the one cap differs is a difference too: an increase
 * of the day cap must not bring a payee along, name another agent as if that were a cap, or say that it comes from more. Nor may the grant that it raises: its permission has to be the grant's, and
 * `useDecideIncrease` asks the chain whether the owner ever approved it.
 *
 * @throws InputError where grant or permission cannot be read, or the reason cannot be seen as a whole
 */
export function increase(answer: Schema.IncreaseShown, current: ShownGrant): ShownIncrease {
  assertLine(answer.reason, 'reason')
  const { grant, permission } = terms(answer)
  const replaces = current.grant.rail === 'direct' ? undefined : Permission.hash(current.permission)
  const raised = Grant.serialize({ ...current.grant, [answer.cap]: grant[answer.cap] })
  const others = raised === Grant.serialize(grant) ? [] : changes(current.grant, grant, answer.cap)
  const cap = { field: answer.cap, shown: answer.to, signed: String(grant[answer.cap]) }
  const [from, to] = [String(current.grant[answer.cap]), String(grant[answer.cap])]
  return {
    current: current.permission,
    grant,
    permission,
    before: Coverage.of(current.grant, { permission: current.permission }),
    after: Coverage.of(grant, { permission }),
    differences: [
      ...current.differences,
      ...(raisable.includes(answer.cap) ? [] : [{ field: 'cap', shown: 'a cap', signed: answer.cap }]),
      ...(current.grant.rail === 'direct'
        ? [{ field: 'rail', shown: 'a permission in the place of the first', signed: 'one beside it' }]
        : []),
      ...(answer.from === from ? [] : [{ field: `${answer.cap} so far`, shown: answer.from, signed: from }]),
      ...(isMore(from, to) ? [] : [{ field: answer.cap, shown: 'more than so far', signed: to }]),
      ...(cap.shown === cap.signed ? [] : [cap]),
      ...others,
      ...differences({ grant, permission, typedData: answer.typedData, replaces }),
    ],
  }
}

/** What an increase may change. Answers are not believed to keep to their schema. */
const raisable: readonly string[] = [
  'perCall',
  'perTask',
  'perDay',
  'total',
  'perWindow',
  'maxFloat',
] satisfies Schema.IncreaseShown['cap'][]

function isMore(from: string, to: string): boolean {
  const [before, after] = [from, to].map((text) => (/^\d+$/.test(text) ? BigInt(text) : undefined))
  return before !== undefined && after !== undefined && after > before
}

type Terms = { grant: Grant.Grant; permission: Permission.Permission }

function terms(answer: { grant: Schema.GrantJson; permission: Schema.PermissionJson }): Terms {
  return {
    grant: Grant.parse(JSON.stringify(answer.grant)),
    permission: Permission.parse(JSON.stringify(answer.permission)),
  }
}

/** Both what is shown as the permission and what a wallet would be asked to sign have to be the grant's. */
function differences(options: Terms & { typedData: unknown; replaces?: Hex | undefined }) {
  const { grant, permission, typedData, replaces } = options
  return [
    ...Comparison.of(grant, permission, { replaces }),
    ...Comparison.ofTypedData(grant, typedData, { replaces }),
  ].filter((one, i, all) => all.findIndex((other) => same(one, other)) === i)
}

function same(a: Comparison.Difference, b: Comparison.Difference): boolean {
  return a.field === b.field && a.signed === b.signed
}

function changes(from: Grant.Grant, to: Grant.Grant, but: string): Comparison.Difference[] {
  const [before, after] = [fields(from), fields(to)]
  return Object.keys(after).flatMap((field) => {
    const [shown, signed] = [JSON.stringify(before[field]), JSON.stringify(after[field])]
    return field === but || shown === signed ? [] : [{ field, shown: shown ?? '', signed: signed ?? '' }]
  })
}

function fields(grant: Grant.Grant): Record<string, unknown> {
  return JSON.parse(Grant.serialize(grant)) as Record<string, unknown>
}

/** The server refuses it too, which is not to be relied upon. */
function assertLine(text: unknown, field: string): void {
  if (typeof text === 'string' && isPrintable(text)) return
  throw new InputError('INVALID_VALUE', {
    field,
    given: text,
    valid: 'one line of characters that can be seen',
    why: 'It could make other words of what is around it.',
  })
}

/** The name that whoever asks gave an address, if any. Nobody has checked it. */
export function nameOf(names: Schema.Names, address: Address): string | undefined {
  return names.find((entry) => entry.address.toLowerCase() === address.toLowerCase())?.name
}
