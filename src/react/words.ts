/** How figures, dates and parties are written for people: the same on a server and in every browser. */
import type { Address } from 'viem'
import * as Amount from '../Amount.js'
import type * as Coverage from '../Coverage.js'
import type * as Grant from '../Grant.js'
import { isPrintable } from '../Terms.js'
import * as Time from '../Time.js'

type Token = Pick<Grant.Grant['token'], 'symbol' | 'decimals'>

/** Base units, exactly, such as `0.05 USDC`. */
export function money(units: bigint | string, token: Token): string {
  return `${Amount.format(BigInt(units), token.decimals)} ${token.symbol}`
}

/** Unix seconds as `31 Dec 2030, 18:00 UTC`. */
export function date(seconds: number): string {
  const iso = Time.format(seconds)
  const parts = /^(\d+)-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(iso)
  if (parts === null) return iso
  const [, year, month, day, time] = parts
  return `${Number(day)} ${months[Number(month) - 1]} ${year}, ${time} UTC`
}

/** Unix seconds as `31 Dec`. */
export function day(seconds: number): string {
  const [, month, day] = /^\d+-(\d\d)-(\d\d)/.exec(Time.format(seconds)) ?? []
  return `${Number(day)} ${months[Number(month) - 1]}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The ends of an address, which are never enough to compare by: the whole is beside it, as a title. */
export function short(address: string): string {
  return `${address.slice(0, 6)}\u2026${address.slice(-4)}`
}

/** What a program wrote, with whatever cannot be seen in it, or would turn the text around it, as `\u{202e}`. */
export function visible(text: string): string {
  return [...text]
    .map((one) => (isPrintable(one) ? one : `\\u{${one.codePointAt(0)?.toString(16)}}`))
    .join('')
}

/** A number of seconds as `5 minutes`, exactly. */
export function seconds(count: number): string {
  for (const [name, length] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const)
    if (count % length === 0) return plural(count / length, name)
  return plural(count, 'second')
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const caps: Record<string, string> = {
  perCall: 'One payment',
  perTask: 'One task',
  perDay: 'One day (UTC)',
  total: 'In all',
  perWindow: 'Trailing window',
  period: 'One period',
  maxFloat: 'In the purse',
  start: 'From',
  expiry: 'Until',
  payees: 'Payees',
  hosts: 'Hosts',
  revocation: 'Revoking',
  pause: 'Pausing',
  sessions: 'Sessions',
}

/** What a cap is called; its own name where it is a new one. */
export function cap(name: string): string {
  return caps[name] ?? name
}

/** The limit of a line of coverage. */
export function limit(line: Coverage.Line, token: Token): string {
  if (line.limit === null) return line.holder === 'none' ? 'no cap' : ''
  if (typeof line.limit === 'bigint') return money(line.limit, token)
  return line.cap === 'start' || line.cap === 'expiry' ? date(line.limit) : String(line.limit)
}

const holders: Record<Coverage.Line['holder'], string> = {
  chain: 'the chain',
  'chain (conservative)': 'the chain, on the safe side',
  process: "the agent's process only",
  none: 'nobody',
}

/** Who enforces a cap. */
export function holder(name: Coverage.Line['holder']): string {
  return holders[name]
}

/** What a grant allows, in one sentence. */
export function summary(grant: Grant.Grant): string {
  const { token, perCall, perDay, total, expiresAt } = grant
  const most = [
    `${money(perCall, token)} a payment`,
    ...(perDay === null ? [] : [`${money(perDay, token)} a day`]),
    ...(total === null ? [] : [`${money(total, token)} in all`]),
  ]
  const until = expiresAt === null ? 'until you revoke it' : `until ${date(expiresAt)}`
  return `Up to ${most.join(', ')}, ${until}.`
}

/** Where a block explorer shows something; undefined where there is no explorer. */
export function explorer(
  url: string | undefined,
  what: { tx: string } | { address: Address },
): string | undefined {
  if (url === undefined || !/^https?:\/\//.test(url)) return undefined
  return `${url.replace(/\/$/, '')}/${'tx' in what ? `tx/${what.tx}` : `address/${what.address}`}`
}
