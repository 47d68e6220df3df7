import { type Address, concat, encodeFunctionData, type Hex, numberToHex, size, zeroHash } from 'viem'
import { hardcapGuardAbi } from '../abi/index.js'
import { hardcapGuard } from './Addresses.js'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import type { Batch, Funding, Payment } from './GuardHash.js'
import * as Input from './Input.js'
import * as Payees from './Payees.js'
import type { Permission } from './Permission.js'
import * as Policy from './Policy.js'
import { toStruct } from './SpmCall.js'
import * as Time from './Time.js'
import type { Call } from './Transaction.js'

/** What the guard's meters and flags belong to. */
export type Key = {
  readonly chainId: number
  readonly account: Address
  readonly token: Address
  readonly grantId: Hex
}

/** @throws PolicyError where the permission has no policy */
export function key(permission: Permission): Key {
  const { chainId, account, token, extraData } = permission
  return { chainId, account, token, grantId: Policy.decode(extraData).grantId }
}

/**
 * A batch under a grant, with the proofs that its payees are listed.
 *
 * @throws InputError `INVALID_ADDRESS` where a payee is not
 */
export function batch(
  grant: Pick<Grant, 'allow' | 'payees'>,
  options: {
    payments: readonly Omit<Payment, 'proof'>[]
    deadline: number
    task?: Hex | undefined
    ticket?: Batch['ticket'] | undefined
  },
): Batch {
  const { payments, deadline, task = null, ticket = null } = options
  const payees = Payees.of(grant)
  const prove = (payee: Address, before: Address | undefined) =>
    grant.payees === 'any' || payee === before ? [] : Payees.proof(payees, payee)
  return {
    deadline,
    task,
    ticket,
    payments: payments.map((payment, i) => ({
      ...payment,
      proof: prove(payment.payee, payments[i - 1]?.payee),
    })),
  }
}

type Signed = { signature: Hex }
type BatchOf = { permission: Permission; batch: Batch }
type FundingOf = { permission: Permission; funding: Funding }

/** Pays a batch. To be sent by the agent. */
export function preparePay({ permission, batch }: BatchOf): Call {
  const args = [toStruct(permission), toBatch(batch)] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'pay', args }))
}

/** Pays a batch that the agent signed (`signBatch`). Anybody may send it, until its deadline. */
export function preparePayWithSignature({ permission, batch, signature }: BatchOf & Signed): Call {
  const args = [toStruct(permission), toBatch(batch), signature] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'payWithSignature', args }))
}

/**
 * Approves a permission that its account signed and pays a first batch, in one. To be sent by the agent, or by
 * anybody with the agent's signature.
 */
export function prepareApproveAndPay(
  options: BatchOf & { ownerSignature: Hex; agentSignature?: Hex | undefined },
): Call {
  const { permission, batch, ownerSignature, agentSignature = '0x' } = options
  const args = [toStruct(permission), ownerSignature, toBatch(batch), agentSignature] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'approveAndPay', args }))
}

/**
 * Approves `to`, which its account signed and whose policy names `from` as the one that it replaces, and revokes
 * `from`, in one. Anybody may send it. Under the same grantId, what was spent stays spent.
 */
export function prepareReplace(options: { from: Permission; to: Permission } & Signed): Call {
  const args = [toStruct(options.from), toStruct(options.to), options.signature] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'replace', args }))
}

/** Funds the agent's purse, and deploys it if it is not there. To be sent by the agent. */
export function prepareFund({ permission, funding }: FundingOf): Call {
  const args = [toStruct(permission), toFunding(funding)] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'fund', args }))
}

/** As {@link prepareFund}, with the agent's signature (`signFunding`). Anybody may send it, until its deadline. */
export function prepareFundWithSignature({ permission, funding, signature }: FundingOf & Signed): Call {
  const args = [toStruct(permission), toFunding(funding), signature] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'fundWithSignature', args }))
}

/** Pauses a grant, its purses too. To be sent by its account or an orchestrator; nobody else is listened to. */
export function preparePause({ account, token, grantId }: Omit<Key, 'chainId'>): Call {
  const args = [account, token, grantId] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'pause', args }))
}

/** Takes back the sender's own pause, and no other. */
export function prepareResume({ account, token, grantId }: Omit<Key, 'chainId'>): Call {
  const args = [account, token, grantId] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'resume', args }))
}

/**
 * Revokes for good, as far as the sender can, and the permission at hand with SpendPermissionManager. To be sent by
 * its account, or its policy's orchestrator or agent.
 */
export function prepareRevoke({ permission }: { permission: Permission }): Call {
  const args = [toStruct(permission)] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'revoke', args }))
}

/** As {@link prepareRevoke}, without any permission at hand: none is revoked with SpendPermissionManager. */
export function prepareRevokeGrant({ account, token, grantId }: Omit<Key, 'chainId'>): Call {
  const args = [account, token, grantId] as const
  return toGuard(encodeFunctionData({ abi: hardcapGuardAbi, functionName: 'revokeGrant', args }))
}

/** The batch as the guard takes it: packed, see `BatchLib` in contracts/Batch.sol. */
export function toBatch({ deadline, task, ticket, payments }: Batch): Hex {
  const packedTicket = toTicket(ticket)
  const about = (task ?? zeroHash) === zeroHash && ticket === null ? [] : [task ?? zeroHash, packedTicket]
  return concat([
    time(deadline, 'deadline'),
    bytes(BigInt(about.length === 0 ? 0 : size(packedTicket) + 1), 'ticket', 2),
    ...about,
    ...payments.map(({ number, ref, payee, amount, proof }, i) =>
      concat([
        bytes(BigInt(proof.length), `payments[${i}].proof`, 1),
        bytes(number, `payments[${i}].number`, 32),
        ref,
        payee,
        bytes(amount, `payments[${i}].amount`, 14),
        ...proof,
      ]),
    ),
  ])
}

/** The funding as the guard takes it. */
export function toFunding({ deadline, task, ticket, number, ref, target }: Funding) {
  return {
    deadline: Number(time(deadline, 'deadline')),
    task: task ?? zeroHash,
    ticket: toTicket(ticket),
    number: uint(number, 'number', 256),
    ref,
    target: uint(target, 'target', 112),
  }
}

function toTicket(ticket: Batch['ticket']): Hex {
  if (ticket === null) return '0x'
  const { cap, deadline, signature } = ticket
  return concat([bytes(cap, 'ticket.cap', 14), time(deadline, 'ticket.deadline'), signature])
}

function time(value: number, field: string): Hex {
  return numberToHex(Input.integer(value, field, { min: 0, max: Time.max, code: 'INVALID_DATE' }), {
    size: 6,
  })
}

function bytes(value: bigint, field: string, length: number): Hex {
  return numberToHex(uint(value, field, 8 * length), { size: length })
}

function toGuard(data: Hex): Call {
  return { to: hardcapGuard, data, value: 0n }
}

/** Zero is for the chain to refuse: it says so in its own words, in its own order. */
function uint(value: bigint, field: string, bits: number): bigint {
  if (value >= 0n && value < 1n << BigInt(bits)) return value
  throw new InputError('INVALID_AMOUNT', {
    field,
    given: value,
    valid: `0 to 2^${bits} - 1`,
    why: 'Does not fit the contract.',
  })
}
