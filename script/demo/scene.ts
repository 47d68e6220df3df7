/** What the story is told with: the people, the grant, and the record of what had to be true and was. */
import { type Address, erc20Abi, type Hex, type LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { Amount, Grant, Guard, Permission, Time } from '../../src/index.js'
import type { Base, Wallet } from '../../src/testing/index.js'
import type { Printer } from './print.js'

/** The rails that the story can be told on. */
export type Rail = 'guard' | 'direct'

/** What `--json` prints. Amounts are decimal strings of base units. */
export type Report = {
  rail: Rail
  steps: { name: string; ok: boolean; [fact: string]: string | number | boolean }[]
  refusals: { code: string; cap: string | null; amount: string; host: string | null; receipt: Hex | null }[]
  /** Pulled from the wallet as the books have it, and what they hold reserved. */
  ledger: { settled: string; reserved: string }
  /** What the wallet's own balance has lost: no book and no event is asked. */
  chain: { spent: string }
  equal: boolean
  /** What the thief took until the grant ended, and what Coverage had said he could. */
  thief: { taken: string; bound: string }
}

export type Scene = {
  readonly base: Base
  readonly print: Printer
  readonly report: Report
  readonly wallet: Wallet<LocalAccount>
  readonly agent: LocalAccount
  readonly weather: Payee
  readonly maps: Payee
  /** Who signs tickets for tasks. Nobody asks for them on the direct rail. */
  readonly orchestrator: LocalAccount
  /** The terms in use: a raise replaces them. */
  grant: Grant.Grant
  permission: Permission.Permission
  /** The terms that the owner agreed to, with changes. */
  readonly define: (changes: Partial<Grant.DefineParams>) => Grant.Grant
  /** The midnight that day 1 begins with. */
  readonly dayOne: number
}
export type Payee = { readonly host: string; readonly to: Address }

export const day = Time.day
/** USDC in the wallet at the beginning. */
export const funds = 100_000_000n

/** A wallet with 100 USDC, an agent, two payees, and a grant of four days. */
export async function createScene(base: Base, print: Printer, report: Report): Promise<Scene> {
  // Tomorrow at nine, so that no midnight comes before its step.
  const dayOne = Time.midnight(await base.now()) + day
  await base.warp(dayOne + 9 * 3600)
  const wallet = await base.createWallet({ owner: await base.createAccount(), usdc: funds })
  const agent = await base.createAccount()
  const orchestrator = await base.createAccount()
  const weather = { host: 'api.weather.example', to: stranger() }
  const maps = { host: 'api.maps.example', to: stranger() }
  const params = {
    id: 'demo',
    owner: wallet.address,
    agent: agent.address,
    allow: [weather, maps].map(({ host, to }) => ({ host, payTo: to })),
    perCallUsd: '0.50',
    perTaskUsd: '1.20',
    perDayUsd: '2',
    totalUsd: '3',
    expiresAt: (dayOne + 4 * day) * 1000,
  }
  const { rail } = report
  const rails = { direct: { rail }, guard: { rail, orchestrator: orchestrator.address } }
  const now = await base.now()
  const grant = Grant.define({ ...params, ...rails[rail] }, { now })
  const define: Scene['define'] = (changes) =>
    Grant.define(
      { ...params, ...rails[changes.rail === 'direct' ? 'direct' : rail], ...changes },
      { now, grantId: grant.grantId },
    )
  const permission = Permission.fromGrant(grant)
  const people = { wallet, agent, weather, maps, orchestrator }
  return { base, print, report, ...people, grant, permission, define, dayOne }
}

/** The orchestrator's ticket for a task, good for all that a task may cost, until the grant ends. */
export async function ticketOf(
  { report, orchestrator, grant, permission }: Scene,
  task: string,
): Promise<{ ticket?: Guard.Ticket }> {
  if (report.rail === 'direct') return {}
  const terms = { task: Guard.task(task), cap: grant.perTask ?? 0n, deadline: permission.end }
  return { ticket: await Guard.signTicket(orchestrator, { permission, ...terms }) }
}

/** An address that nobody has seen before. */
export function stranger(): Address {
  return privateKeyToAccount(generatePrivateKey()).address
}

export type Step = {
  /** Something that has to be true: printed, and counted. */
  must(what: string, holds: boolean): void
  /** Further facts for the report. */
  note(facts: Record<string, string | number | boolean>): void
}

/** Begins a step of the story. */
export function step({ print, report }: Scene, name: string, title: string): Step {
  const entry: Report['steps'][number] = { name, ok: true }
  report.steps.push(entry)
  print.step(title)
  return {
    must(what, holds) {
      entry.ok &&= holds
      print.check(what, holds)
    },
    note: (facts) => void Object.assign(entry, facts),
  }
}

export async function balanceOf({ base, grant }: Scene, address: Address): Promise<bigint> {
  const token = { abi: erc20Abi, address: grant.token.address } as const
  return base.client.readContract({ ...token, functionName: 'balanceOf', args: [address] })
}

/** `0.5` as ` 0.50`. */
export function usd(units: bigint): string {
  const [whole = '', fraction = ''] = Amount.format(units, 6).split('.')
  return `${whole}.${fraction.padEnd(2, '0')}`
}

/** Chain time as the story counts it. */
export function clock({ dayOne }: Scene, time: number): string {
  const number = Math.floor((time - dayOne) / day) + 1
  return `day ${number}, ${new Date(time * 1000).toISOString().slice(11, 19)}`
}

export function short(hex: string): string {
  return `${hex.slice(0, 8)}..${hex.slice(-4)}`
}
