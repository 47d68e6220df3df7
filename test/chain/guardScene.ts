import { randomBytes } from 'node:crypto'
import { type Address, bytesToHex, getAddress, type LocalAccount } from 'viem'
import { Grant, Guard, Permission } from '../../src/index.js'
import * as Spm from '../../src/Spm.js'
import type { Base } from '../../src/testing/index.js'
import * as kit from './kit.js'

/** An address that nobody has the key of, with nothing on it. */
export const stranger = (): Address => getAddress(bytesToHex(randomBytes(20)))

export type GuardScene = Awaited<ReturnType<typeof guardScene>>

/**
 * A wallet of an EOA with a thousand USDC, its agent, an orchestrator, somebody else, two payees, and a grant on the
 * guard rail for three days from today that nobody has approved: 5 a payment, 10 a day, 25 in all.
 */
export async function guardScene(base: Base, terms: Partial<Grant.DefineParams> = {}) {
  const [ownerKey, agentKey, orchestratorKey, strangerKey] = await Promise.all(
    Array.from({ length: 4 }, () => base.createAccount()),
  )
  if (!ownerKey || !agentKey || !orchestratorKey || !strangerKey) throw new Error('No accounts.')
  const wallet = await base.createWallet({ owner: ownerKey, usdc: kit.usd('1000') })
  const payees = [stranger(), stranger()] as const
  // Never so late in a day that the day's meter starts anew within a test.
  if ((await base.now()) % kit.day > kit.day - 7_200) await base.warp((await kit.midnight(base)) + 60)
  const now = await base.now()
  const define = (changes: Partial<Grant.DefineParams> = {}, options: Grant.DefineOptions = {}) =>
    Grant.define(
      {
        owner: wallet.address,
        agent: agentKey.address,
        rail: 'guard',
        allow: [{ host: 'api.example.com', payTo: payees }],
        perCallUsd: '5',
        perDayUsd: '10',
        totalUsd: '25',
        expiresAt: (now + 3 * kit.day) * 1000,
        ...terms,
        ...changes,
      },
      { now, ...options },
    )
  const grant = define()
  const permission = Permission.fromGrant(grant)
  const lane = Guard.lane()
  let index = 0
  const deadline = now + 3 * kit.day

  /** A payment of so many base units, with a number of its own. */
  const payment = (amount: bigint, payee: Address = payees[0]) => {
    const number = Guard.number(lane, index++)
    return { number, ref: Guard.reference(grant.grantId, `key-${number}`), payee, amount }
  }
  /** A batch of payments of so many base units each, to the first payee. */
  const batch = (...amounts: bigint[]): Guard.Batch =>
    Guard.batch(grant, { payments: amounts.map((amount) => payment(amount)), deadline })
  /** A funding of the purse, with a number of its own. */
  const funding = (target: bigint): Guard.Funding => {
    const { number, ref } = payment(0n)
    return { deadline, task: null, ticket: null, number, ref, target }
  }
  const sign = (signed: Permission.Permission) => Permission.sign(wallet.account, signed)
  const clients = {
    owner: kit.clientOf(base, ownerKey),
    agent: kit.clientOf(base, agentKey),
    orchestrator: kit.clientOf(base, orchestratorKey),
    stranger: kit.clientOf(base, strangerKey),
  }
  const keys: Record<'ownerKey' | 'agentKey' | 'orchestratorKey' | 'strangerKey', LocalAccount> = {
    ownerKey,
    agentKey,
    orchestratorKey,
    strangerKey,
  }
  const approve = async (approved: Permission.Permission) => {
    await Spm.approve(clients.stranger, { permission: approved, signature: await sign(approved) })
  }
  return {
    ...keys,
    ...clients,
    wallet: wallet.account,
    payees,
    define,
    grant,
    permission,
    deadline,
    payment,
    batch,
    funding,
    sign,
    approve,
  }
}

/** As {@link guardScene}, approved. */
export async function approvedGuard(
  base: Base,
  terms: Partial<Grant.DefineParams> = {},
): Promise<GuardScene> {
  const it = await guardScene(base, terms)
  await it.approve(it.permission)
  return it
}
