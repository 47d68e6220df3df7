// A Base on which the same transactions cost the same gas in every run: keys, times, numbers and salts are fixed, as
// calldata is paid by its bytes that are not zero.
import { type Address, getAddress, type Hex, keccak256, pad, slice, stringToHex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { hardcapGuard } from '../../src/Addresses.js'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import type { Call } from '../../src/Transaction.js'
import type { Base } from '../../src/testing/index.js'

/** 2050-01-01 12:00 UTC, ahead of any clock that runs this. */
const now = Date.UTC(2050, 0, 1, 12) / 1000
/** When all that is signed ends, 2051-01-01. */
export const end = Date.UTC(2051, 0, 1) / 1000

/** What every payment pays: 0.012345 USDC. */
export const amount = 12_345n

/** A transaction that succeeded. */
export type Sent = { readonly hash: Hex; readonly gas: number }

export type GasScene = Awaited<ReturnType<typeof gasScene>>

const fixed = (name: string): Hex => keccak256(stringToHex(`hardcap gas ${name}`))
const keyOf = (name: string): PrivateKeyAccount => privateKeyToAccount(fixed(name))

/**
 * A wallet with USDC that SpendPermissionManager is an owner of, and those around it. Guard, payees and `spender` have
 * a unit of USDC each, so that no balance is new; the guard's is a donation that no payment touches.
 */
export async function gasScene(base: Base) {
  const owner = keyOf('owner')
  const keys = {
    agent: keyOf('agent'),
    orchestrator: keyOf('orchestrator'),
    /** To whom SpendPermissionManager pays without a guard. */
    spender: keyOf('spender'),
    facilitator: keyOf('facilitator'),
  }
  /** Eight, so that a proof has three words. */
  const payees = Array.from({ length: 8 }, (_, n): Address => getAddress(slice(fixed(`payee ${n}`), 12)))
  for (const { address } of [owner, ...Object.values(keys)]) await base.fundEth(address, 10n ** 18n)
  const wallet = await base.createWallet({ owner, usdc: 10n ** 12n })
  const receivers: Address[] = [hardcapGuard, keys.spender.address, ...payees]
  for (const address of receivers) await base.fundUsdc(address, 1n)
  await base.warp(now)

  /** Up to 5 USDC a payment, 100 a day, 1,000 in all, to eight payees. */
  const define = (name: string, terms: Partial<Grant.DefineParams> = {}) =>
    Grant.define(
      {
        owner: wallet.address,
        agent: keys.agent.address,
        rail: 'guard',
        allow: [{ host: 'api.example.com', payTo: payees }],
        perCallUsd: '5',
        perDayUsd: '100',
        totalUsd: '1000',
        expiresAt: end * 1000,
        ...terms,
      },
      // As many random bits as a new grant's.
      { now, grantId: pad(slice(fixed(name), 16)) },
    )
  const sign = (permission: Permission.Permission) => Permission.sign(wallet.account, permission)

  /** A whole transaction, which has to succeed. */
  const send = async (account: PrivateKeyAccount, { to, data }: Call): Promise<Sent> => {
    const receipt = await base.client.sendTransactionSync({ account, to, data, gas: 3_000_000n })
    if (receipt.status !== 'success') throw new Error(`A transaction to ${to} failed.`)
    return { hash: receipt.transactionHash, gas: Number(receipt.gasUsed) }
  }
  const approve = async (permission: Permission.Permission) => {
    const signature = await sign(permission)
    await send(keys.facilitator, Spm.prepareApproveWithSignature({ permission, signature }))
  }

  let index = 0
  // As many random bits as a new ledger's.
  const lane = BigInt(slice(fixed('lane'), 24)) << 40n
  /** A payment to the first payee, with the next number. */
  const payment = ({ grantId }: Grant.Grant) => {
    const number = Guard.number(lane, index++)
    const [payee] = payees
    if (payee === undefined) throw new Error('There are eight payees.')
    return { number, ref: Guard.reference(grantId, `payment ${number}`), payee, amount }
  }
  return { base, ...keys, payees, define, sign, send, approve, payment }
}
