import type { Address, Hex, PrivateKeyAccount } from 'viem'
import { expect } from 'vitest'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as Purse from '../../src/Purse.js'
import * as Spm from '../../src/Spm.js'
import type { Base } from '../../src/testing/index.js'
import * as Wallet from '../../src/Wallet.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const { day, usd } = kit

/** What a payment says besides its amount; all that is left out is as it should be. */
export type Say = {
  permission?: Permission.Permission
  payee?: Address
  proof?: readonly Hex[]
  number?: bigint
  deadline?: number
  task?: Hex | null
  ticket?: Guard.Ticket | null
  /** Who signs, if somebody else submits. */
  signer?: PrivateKeyAccount
}

export type Granted = Awaited<ReturnType<typeof granted>>

/**
 * A grant at the guard for four days from a midnight ahead, approved, with 1 per call, two payees and an orchestrator,
 * who only signs tickets where the terms cap tasks; and all that somebody can try at an exact second.
 */
export async function granted(base: Base, terms: Partial<Grant.DefineParams> = {}) {
  const ownerKey = await base.createAccount()
  const agentKey = await base.createAccount()
  const orchestratorKey = await base.createAccount()
  const strangerKey = await base.createAccount()
  const wallet = await base.createWallet({ owner: ownerKey, usdc: usd('1000') })
  const payees = [stranger(), stranger()] as const
  const start = await kit.midnight(base)
  const define = (changes: Partial<Grant.DefineParams> = {}, options: Grant.DefineOptions = {}) =>
    Grant.define(
      {
        owner: wallet.address,
        agent: agentKey.address,
        orchestrator: orchestratorKey.address,
        rail: 'guard',
        allow: [{ host: 'api.example.com', payTo: payees }],
        perCallUsd: '1',
        startsAt: start * 1_000,
        expiresAt: (start + 4 * day) * 1_000,
        ...terms,
        ...changes,
      },
      { now: start - 1, ...options },
    )
  const grant = define()
  const permission = Permission.fromGrant(grant)
  const { end } = permission
  const sign = (signed: Permission.Permission) => Permission.sign(wallet.account, signed)
  const submit = async (approved: Permission.Permission) => {
    const call = Spm.prepareApproveWithSignature({ permission: approved, signature: await sign(approved) })
    const raw = { from: strangerKey, call }
    const [receipt] = await kit.mineAt(base, (await base.now()) + 1, [raw])
    expect(receipt?.status).toBe('success')
  }
  await submit(permission)

  /** The same grant with other terms, approved: a sibling, or with `replaces` not approved yet. */
  const sibling = async (changes: Partial<Grant.DefineParams> = {}, replaces?: Hex) => {
    const made = define(changes, { grantId: grant.grantId })
    const other = Permission.fromGrant(made, { nonce: 7n, replaces })
    if (replaces === undefined) await submit(other)
    return other
  }

  let next = 0n
  const number = () => next++
  const ref = Guard.reference(grant.grantId, 'key')
  const head = ({ deadline = end + day, task = null, ticket = null }: Say) => ({ deadline, task, ticket })
  const batchOf = (amounts: readonly bigint[], say: Say = {}): Guard.Batch => ({
    ...head(say),
    payments: amounts.map((amount) => {
      const payee = say.payee ?? payees[0]
      const listed = payees.includes(payee) ? Payees.proof(payees, payee) : []
      return { number: say.number ?? number(), ref, payee, amount, proof: say.proof ?? listed }
    }),
  })
  /** A batch as the agent sends it, or as a stranger does with somebody's signature. */
  const pay = async (amounts: bigint | readonly bigint[], say: Say = {}): Promise<kit.Raw> => {
    const paid = say.permission ?? permission
    const batch = batchOf(typeof amounts === 'bigint' ? [amounts] : amounts, say)
    if (!say.signer) return { from: agentKey, call: Guard.preparePay({ permission: paid, batch }) }
    const signature = await say.signer.signTypedData(Guard.batchTypedData({ permission: paid, batch }))
    return {
      from: strangerKey,
      call: Guard.preparePayWithSignature({ permission: paid, batch, signature }),
    }
  }
  const fund = async (target: bigint, say: Say = {}): Promise<kit.Raw> => {
    const funded = say.permission ?? permission
    const funding = { ...head(say), number: say.number ?? number(), ref, target }
    if (!say.signer) return { from: agentKey, call: Guard.prepareFund({ permission: funded, funding }) }
    const signature = await say.signer.signTypedData(Guard.fundingTypedData({ permission: funded, funding }))
    return {
      from: strangerKey,
      call: Guard.prepareFundWithSignature({ permission: funded, funding, signature }),
    }
  }
  /** A payment by the purse, as a facilitator submits it. */
  const settle = async (
    value: bigint,
    say: Say & { validAfter?: number; nonce?: Hex } = {},
  ): Promise<kit.Raw> => {
    const { permission: of = permission, signer = agentKey, payee: to = payees[0] } = say
    const { deadline = end + day, validAfter = 0 } = say
    const nonce = say.nonce ?? Guard.reference(grant.grantId, `settlement ${number()}`)
    const authorization = { to, value, validAfter, validBefore: deadline, nonce }
    const proof = say.proof ?? (payees.includes(to) ? Payees.proof(payees, to) : [])
    // Whoever signs for the agent: his name is not asked.
    const as = { address: agentKey.address, signTypedData: signer.signTypedData } as const
    const signature = await Purse.signPayment(as as PrivateKeyAccount, {
      permission: of,
      authorization,
      proof,
    })
    return { from: strangerKey, call: Purse.prepareSettle({ permission: of, authorization, signature }) }
  }

  /** One transaction at exactly this second: the chain's answer, held against where the money is afterwards. */
  const at = async (time: number, raw: Promise<kit.Raw>, moved?: { to: Address; amount: bigint }) => {
    const before = moved && (await kit.balanceOf(base, moved.to))
    const answer = await kit.sendAt(base, time, { gas: 1_500_000n, ...(await raw) })
    if (moved && before !== undefined)
      expect((await kit.balanceOf(base, moved.to)) - before).toBe(answer === 'ok' ? moved.amount : 0n)
    return answer
  }
  const payAt = (time: number, amount: bigint, say: Say = {}) => {
    const to = say.payee ?? payees[0]
    return at(time, pay(amount, say), { to, amount })
  }
  /** What became of each of these transactions, all in one block at `time`. */
  const blockAt = async (time: number, ...raws: (kit.Raw | Promise<kit.Raw>)[]) => {
    const all = (await Promise.all(raws)).map((raw) => ({ gas: 1_500_000n, ...raw }))
    const receipts = await kit.mineAt(base, time, all)
    return receipts.map((receipt) => (receipt.status === 'success' ? 'ok' : 'refused'))
  }
  const ticket = (task: Hex, cap: bigint, deadline = end, of = permission) =>
    Guard.signTicket(orchestratorKey, { permission: of, task, cap, deadline })

  const asAccount = (call: Spm.Call): kit.Raw => ({
    from: ownerKey,
    call: Wallet.prepareExecute({ account: wallet.address, call }),
  })
  const key = Guard.key(permission)
  const keys = { ownerKey, agentKey, orchestratorKey, strangerKey }
  const ways = { pay, fund, settle, at, payAt, blockAt, ticket, batchOf, asAccount }
  return { ...keys, ...ways, wallet, payees, grant, permission, start, end, define, sibling, sign, key }
}
