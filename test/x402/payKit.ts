/** An agent with a budget that pays, and everything that it ever signed. */
import type { PaymentPayload } from '@x402/core/types'
import { encodeFunctionData, type Hex, isAddressEqual, type TypedDataDefinition } from 'viem'
import { expect } from 'vitest'
import { usdcAbi } from '../../abi/index.js'
import { type Grant, memory } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import { type PaymentReceipt, type PayWithOptions, payWith } from '../../src/x402/index.js'
import * as kit from '../budget/kit.js'
import type { Hostile } from './hostile.js'
import { settlements } from './kit.js'

/** 0.05 USDC a call, 1 a day, 2 in all, out of a purse of half a dollar at most. */
export async function payer(
  base: Base,
  host: string,
  payTo: `0x${string}`,
  { terms, ...options }: PayWithOptions & { terms?: Partial<Grant.DefineParams> } = {},
) {
  const account = await kit.createAccount(base, {
    rail: 'purse',
    allow: [{ host, payTo }],
    perCallUsd: '0.05',
    perDayUsd: '1',
    totalUsd: '2',
    maxFloatUsd: '0.5',
    ...terms,
  })
  const { agent } = account
  const signed: TypedDataDefinition[] = []
  const sign = agent.signTypedData
  agent.signTypedData = async (definition) => {
    signed.push(definition as unknown as TypedDataDefinition)
    return sign(definition)
  }
  const store = memory()
  const budget = await kit.open(base, account, store)
  await budget.approve({ signature: account.signature })
  const receipts: PaymentReceipt[] = []
  const pay = payWith(budget, { onReceipt: (receipt) => receipts.push(receipt), ...options })
  kit.later(pay.close)
  const { grantId, token } = account.grant

  /**
   * That the books are as the chain is, within the caps, and hold everything that was signed and can still be settled.
   * @returns what payees have and what is held, base units
   */
  async function sound(): Promise<{ paid: bigint; held: bigint }> {
    await budget.sync()
    const { equal, checks } = await budget.verify()
    expect(equal ? [] : checks).toEqual([])
    const rows = await store.transact(grantId, (tx) => tx.list('payments', { grantId }))
    let held = 0n
    for (const { primaryType, message } of signed) {
      expect(primaryType).toBe('TransferWithAuthorization')
      const { from, to, value, validAfter, validBefore, nonce } = message as Message
      const row = rows.find(({ ref }) => ref === nonce)
      expect({ payer: from, payee: to, amount: value, deadline: Number(validBefore) }).toEqual({
        payer: row?.payer,
        payee: row?.payee,
        amount: row?.amount,
        deadline: row?.deadline,
      })
      expect([validAfter, value <= budget.grant.perCall]).toEqual([0n, true])
    }
    const signedOnce = new Set(signed.map(({ message }) => String(message.nonce)))
    for (const row of rows)
      if (row.via === 'authorization' && row.pull === 'signed' && signedOnce.has(row.ref)) held += row.amount
    expect((await budget.float()).held).toBe(held)
    const paid = await kit.balanceOf(base, payTo, token.address)
    const { perDay, total } = budget.grant
    expect([perDay === null || paid <= perDay, total === null || paid <= total]).toEqual([true, true])
    expect((await budget.totals()).paid).toBe(paid)
    for (const { txHash, key, note } of receipts.filter(({ ok }) => ok)) {
      const row = rows.find((one) => one.key === key)
      expect(note).toBe('settled')
      expect(await settlements(base, row?.payer ?? '0x', row?.ref ?? '0x')).toEqual([txHash])
    }
    return { paid, held }
  }

  return { ...account, store, budget, pay, receipts, signed, sound }
}

type Message = { from: Hex; to: Hex; value: bigint; validAfter: bigint; validBefore: bigint; nonce: Hex }

/** Has the token settle every payment that merchants were given, whoever was served: those that it takes still. */
export async function settleAll(base: Base, ...merchants: readonly Hostile[]): Promise<void> {
  const thief = await base.createAccount()
  for (const { payload, accepted } of merchants.flatMap(({ payments }) => payments)) {
    const { authorization, signature } = payload as Pick<Given, 'authorization' | 'signature'>
    const { from, to, value, validAfter, validBefore, nonce } = authorization
    expect(isAddressEqual(to, accepted.payTo as Hex)).toBe(true)
    const numbers = [BigInt(value), BigInt(validAfter), BigInt(validBefore)] as const
    const data = encodeFunctionData({
      abi: usdcAbi,
      functionName: 'transferWithAuthorization',
      args: [from, to, ...numbers, nonce, signature],
    })
    const gas = 1_000_000n
    await base.client
      .sendTransactionSync({ account: thief, to: accepted.asset as Hex, data, gas })
      .catch(() => {})
  }
}

type Given = PaymentPayload['payload'] & {
  signature: Hex
  authorization: Record<'from' | 'to' | 'nonce', Hex> & Record<'value' | 'validAfter' | 'validBefore', string>
}
