/** Whoever settles what replicas have signed for payees, out of a float: at once, twice, or not before it is asked again. */
import { type Address, encodeFunctionData, type Hex } from 'viem'
import { usdcAbi } from '../../abi/index.js'
import type { Base } from '../../src/testing/index.js'

/** An authorization that somebody was given. Amounts and times as text. */
export type Signed = {
  readonly token: Address
  readonly payer: Address
  readonly to: Address
  readonly amount: string
  readonly validBefore: number
  readonly nonce: Hex
  readonly signature: Hex
}

export type Facilitator = {
  /** Has the token settle it, or refuse to. */
  settle(signed: Signed): Promise<void>
  /** By its nonce it is settled once, or twice at the same time, or left alone. */
  given(signed: Signed): void
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
}

export async function createFacilitator(base: Base): Promise<Facilitator> {
  const account = await base.createAccount()
  // One after the other: its nonces are counted by the node.
  let tail: Promise<unknown> = Promise.resolve()
  function settle(signed: Signed): Promise<void> {
    const { token: to, payer, amount, validBefore, nonce, signature } = signed
    const args = [payer, signed.to, BigInt(amount), 0n, BigInt(validBefore), nonce, signature] as const
    const data = encodeFunctionData({ abi: usdcAbi, functionName: 'transferWithAuthorization', args })
    // One that reverts is mined too: the token has the last word.
    const sent = tail.then(() => base.client.sendTransactionSync({ account, to, data, gas: 1_000_000n }))
    tail = sent.catch(() => {})
    return sent.then(() => {})
  }
  return {
    settle,
    given(signed) {
      const times = [1, 2, 0, 1][Number(BigInt(signed.nonce) % 4n)] ?? 1
      for (let n = 0; n < times; n++) void settle(signed).catch(() => {})
    },
    idle: () => tail.then(() => {}),
  }
}
