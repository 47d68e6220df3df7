// What hardcap's transactions cost on an offline Base: whole transactions with real calldata, all meters written once
// before, no balance new. The same figures in every run.
import type { Address, Hex } from 'viem'
import { purseImplementationAddress } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager } from '../../src/Addresses.js'
import type { Grant } from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as Purse from '../../src/Purse.js'
import * as Spm from '../../src/Spm.js'
import { startBase } from '../../src/testing/index.js'
import { amount, end, type GasScene, gasScene, type Sent } from './gasScene.js'
import { calldataGas, ecrecover, gasByContract, traceOf } from './trace.js'

/** Gas of whole transactions. */
export type Gas = {
  /** `SPM.spend` by an EOA, with nothing of ours: what the others are compared with. */
  spend: number
  /** A payment by the agent under caps per call, day and total, to one of eight payees. */
  typical: number
  /** As `typical`, with a trailing window and a ticketed task. Less `ticket`: the transaction is both. */
  allCaps: number
  /** A tenth of a batch of ten to one payee for one task, under all caps and with the ticket. */
  batch10PerPayment: number
  /** A facilitator's `transferWithAuthorization` from a purse, under the caps of `typical`. */
  purseSettle: number
  /** Filling up a purse again, under the same caps. */
  fund: number
  /** Approving a permission and paying from it, with every meter of the grant new. */
  approveAndPay: number
  /** Of a ticket's signature: recovering its signer, and its bytes. */
  ticket: number
}

/** Whose gas the purse's settlement is. */
export type Part = { readonly name: string; readonly gas: number }

export type Measured = { readonly gas: Gas; readonly settlement: readonly Part[] }

export async function measure(): Promise<Measured> {
  const base = await startBase({ forkUrl: false })
  try {
    const scene = await gasScene(base)
    const [bare, paid] = [await spend(scene), await typical(scene)]
    const { one, ten, ticket } = await allCaps(scene)
    const { fund, settle, settlement } = await purse(scene)
    const first = await approveAndPay(scene)
    const gas = {
      spend: bare.gas,
      typical: paid.gas,
      allCaps: one.gas - ticket,
      batch10PerPayment: Math.ceil(ten.gas / 10),
      purseSettle: settle.gas,
      fund: fund.gas,
      approveAndPay: first.gas,
      ticket,
    }
    return { gas, settlement }
  } finally {
    await base.stop()
  }
}

/* ------------------------------------------ payments ------------------------------------------ */

async function spend({ approve, define, send, spender }: GasScene): Promise<Sent> {
  const permission = Permission.fromGrant(define('bare', { rail: 'direct', agent: spender.address }))
  await approve(permission)
  return second(() => send(spender, Spm.prepareSpend({ permission, amount })))
}

async function typical(scene: GasScene): Promise<Sent> {
  const grant = scene.define('typical')
  const permission = Permission.fromGrant(grant)
  await scene.approve(permission)
  return second(() => pay(scene, grant, permission, 1))
}

async function allCaps(scene: GasScene): Promise<{ one: Sent; ten: Sent; ticket: number }> {
  const caps = { perTaskUsd: '50', perWindowUsd: '60', window: 3600 }
  const { approve, base, define, orchestrator } = scene
  const grant = define('all caps', { ...caps, orchestrator: orchestrator.address })
  const permission = Permission.fromGrant(grant)
  await approve(permission)
  const task = Guard.task('report-7')
  const ticket = await Guard.signTicket(orchestrator, { permission, task, cap: 40_000_000n, deadline: end })
  const one = await second(() => pay(scene, grant, permission, 1, { task, ticket }))
  const ten = await pay(scene, grant, permission, 10, { task, ticket })

  const recovery = gasByContract(await traceOf(base, one.hash)).get(ecrecover)
  if (recovery === undefined) throw new Error('No signature was checked.')
  return { one, ten, ticket: recovery + calldataGas(ticket.signature) }
}

async function approveAndPay(scene: GasScene): Promise<Sent> {
  const grant = scene.define('first')
  const permission = Permission.fromGrant(grant)
  const ownerSignature = await scene.sign(permission)
  const batch = Guard.batch(grant, { payments: [scene.payment(grant)], deadline: end })
  return scene.send(scene.agent, Guard.prepareApproveAndPay({ permission, batch, ownerSignature }))
}

function pay(
  { agent, payment, send }: GasScene,
  grant: Grant,
  permission: Permission.Permission,
  count: number,
  about: { task?: Hex; ticket?: Guard.Ticket } = {},
): Promise<Sent> {
  const payments = Array.from({ length: count }, () => payment(grant))
  const batch = Guard.batch(grant, { payments, deadline: end, ...about })
  return send(agent, Guard.preparePay({ permission, batch }))
}

/* ------------------------------------------ the purse ------------------------------------------ */

async function purse(scene: GasScene): Promise<{ fund: Sent; settle: Sent; settlement: readonly Part[] }> {
  const { agent, approve, base, define, facilitator, payees, payment, send } = scene
  const grant = define('purse', { rail: 'purse', maxFloatUsd: '50' })
  const permission = Permission.fromGrant(grant)
  await approve(permission)
  let target = 0n
  const fund = await second(() => {
    target += 1_000_000n
    const { number, ref } = payment(grant)
    const funding = { deadline: end, task: null, ticket: null, number, ref, target }
    return send(agent, Guard.prepareFund({ permission, funding }))
  })
  const settle = await second(async () => {
    const { ref: nonce, payee: to } = payment(grant)
    const authorization = { to, value: amount, validAfter: 0, validBefore: end, nonce }
    const proof = Payees.proof(payees, to)
    const signature = await Purse.signPayment(agent, { permission, authorization, proof })
    return send(facilitator, Purse.prepareSettle({ permission, authorization, signature }))
  })
  const sums = gasByContract(await traceOf(base, settle.hash))
  const { input } = await base.client.getTransaction({ hash: settle.hash })
  return { fund, settle, settlement: partsOf(sums, Purse.address(permission), calldataGas(input)) }
}

/** Whose gas a settlement is; a contract that delegates is one with what it delegates to. */
function partsOf(sums: Map<Address, number>, purse: Address, calldata: number): Part[] {
  const transaction = 21_000 + calldata
  const take = (...addresses: Address[]) =>
    addresses.reduce((sum, address) => sum + (sums.get(address) ?? 0), 0)
  const named = [
    { name: 'a transaction', gas: 21_000 },
    { name: 'its calldata', gas: calldata },
    { name: 'the purse', gas: take(purse, purseImplementationAddress) },
    { name: "recovering the agent's signature", gas: take(ecrecover) },
    { name: "SpendPermissionManager's isRevoked", gas: take(spendPermissionManager) },
    { name: "the guard's stops", gas: take(hardcapGuard) },
  ]
  const all = [...sums.values()].reduce((sum, gas) => sum + gas, 0)
  const token = all - named.reduce((sum, { gas }) => sum + gas, 0)
  if (transaction > all || token < 0) throw new Error('The parts are more than the whole.')
  return [...named, { name: 'the token, its proxy included', gas: token }]
}

/** What it takes when all meters have been written before. */
async function second(send: () => Promise<Sent>): Promise<Sent> {
  await send()
  return send()
}
