/** What it takes to be paid and to pay, step by step and without books: the steps are what is tested. */
import type { PaymentPayload } from '@x402/core/types'
import { type Address, getAbiItem, type Hex } from 'viem'
import { usdcAbi } from '../../abi/index.js'
import { usdc } from '../../src/Addresses.js'
import { Grant, Guard, Purse } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import { Challenge, Exchange, Judgement, Payer, Payload } from '../../src/x402/index.js'
import { guardScene, stranger } from '../chain/guardScene.js'
import { usd } from '../chain/kit.js'

/** A grant that names one host and one payee, and nobody has signed: 0.05 USDC a call. */
export function grantOf(
  host: string,
  payTo: Address = stranger(),
  changes: Partial<Grant.DefineParams> = {},
) {
  return Grant.define({
    owner: stranger(),
    agent: stranger(),
    allow: [{ host, payTo }],
    perCallUsd: '0.05',
    perDayUsd: '2',
    ...changes,
  })
}

/** An account with a USDC of its own, and a grant to go by. */
export async function accountPayer(base: Base, host: string, payTo: Address) {
  const account = await base.createAccount()
  await base.fundUsdc(account.address, usd('1'))
  const grant = grantOf(host, payTo, { agent: account.address })
  return { grant, payer: Payer.ofAccount(account, grant) }
}

/** A purse with a USDC in it. */
export async function pursePayer(base: Base, host: string, payTo: Address) {
  const it = await guardScene(base, {
    rail: 'purse',
    allow: [{ host, payTo }],
    perCallUsd: '0.05',
    maxFloatUsd: '1',
  })
  const { agentKey, permission, grant } = it
  await it.approve(permission)
  await Guard.fund(it.agent, { permission, funding: it.funding(usd('1')) })
  return { grant, payer: Payer.ofPurse(agentKey, { permission, grant }), purse: Purse.address(permission) }
}

export const payers = { account: accountPayer, purse: pursePayer }

/** The later of chain time and this machine's. */
export async function now(base: Base): Promise<number> {
  return Math.max(await base.now(), Math.floor(Date.now() / 1000))
}

/** Asks, and reads the 402 that comes. */
export async function challenged(url: string, init?: RequestInit, options?: Challenge.ReadOptions) {
  const opened = await Exchange.open(url, init)
  if (!opened.allowed) return { refused: opened }
  const answered = await Exchange.send(opened.outgoing)
  if (!answered.allowed) return { refused: answered }
  const challenge = await Challenge.read(answered.response, options)
  if (!challenge.allowed) return { refused: challenge }
  return { challenge, asked: answered.asked }
}

/** Asks, signs and asks again with the payment. */
export async function pay(
  base: Base,
  url: string,
  options: { grant: Grant.Grant; payer: Payer.Payer; key?: string; init?: RequestInit },
): Promise<{ response: Response; payload: PaymentPayload; nonce: Hex }> {
  const { grant, payer, key = 'key-1', init } = options
  const { challenge, asked, refused } = await challenged(url, init)
  if (refused) throw new Error(refused.reason)
  const judged = Judgement.select(challenge.offers, { grant, host: asked.host })
  if (!judged.allowed) throw new Error(judged.reason)
  const { payable } = judged
  const authorization = Payload.authorize(payable, { grantId: grant.grantId, key, now: await now(base) })
  const payload = await Payload.create({ challenge, offer: payable.offer, payer, authorization })
  const paid = await Exchange.send(asked, { headers: Payload.headers(payload) })
  if (!paid.allowed) throw new Error(paid.reason)
  return { response: paid.response, payload, nonce: authorization.nonce }
}

/** How often the token says that an authorization was settled, and by which transactions. */
export async function settlements(base: Base, payer: Address, nonce: Hex): Promise<Hex[]> {
  const logs = await base.client.getLogs({
    address: usdc[8453],
    event: getAbiItem({ abi: usdcAbi, name: 'AuthorizationUsed' }),
    args: { authorizer: payer, nonce },
    fromBlock: base.startBlock,
  })
  return logs.map(({ transactionHash }) => transactionHash)
}
