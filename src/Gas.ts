/** The agent's ETH: enough of it before anything is signed, and a word when it runs out. Wei. */
import * as Fee from './Fee.js'
import { GrantError } from './GrantError.js'
import { callOf, gasLow, type Prepared, pending, type Submitter } from './Outbox.js'

/** Gas that the second leg of a payment may need; the first is estimated. A token transfer uses about 45,000. */
export const transferGas = 100_000n

/**
 * What a payment by itself uses about, for an estimate of how many are left: test/gas.json has 123,844 for a typical one
 * through the guard, 89,107 for a pull.
 */
const typicalGas = { guard: 125_000n, direct: 89_000n + 45_000n }

/**
 * Before a payment begins: the agent can pay for it, and for everything that it began before.
 * @throws GrantError `GAS_LOW`
 */
export async function assertEnough(submitter: Submitter, prepared: Prepared, further = 0n): Promise<void> {
  const { store, grantId, agent } = submitter
  const open = await store.transact(grantId, (tx) => tx.list('payments', { grantId, open: 1 }))
  const begun = open.filter(
    ({ pull, transfer }) => transfer === 'none' && (pull === 'signed' || pull === 'seen'),
  )
  const later = further + BigInt(begun.length) * transferGas
  const { balance, needed } = await needs(submitter, prepared, later)
  if (balance < needed) throw gasLow(agent.address, { balance, needed }, 'Nothing was signed.')
}

/** The agent's wei, and what it may need at most: for this, for what is signed and not mined, and for `later` gas. */
export async function needs(submitter: Submitter, { gas, maxFeePerGas }: Prepared, later = 0n) {
  const { client, agent } = submitter
  const [balance, nonce] = await Promise.all([
    client.getBalance({ address: agent.address }),
    client.getTransactionCount({ address: agent.address }),
  ])
  const signed = (await pending(submitter, nonce)).map(callOf)
  const waiting = signed.reduce((sum, call) => sum + call.gas * call.maxFeePerGas, 0n)
  return { balance, needed: (gas + later) * maxFeePerGas + waiting }
}

/** Tells once when the agent's ETH has fallen below a threshold, and again when it has been above it in between. */
export async function watch(
  submitter: Submitter,
  { threshold, rail }: { readonly threshold: bigint; readonly rail: keyof typeof typicalGas },
): Promise<void> {
  const { client, agent, fees, told, onError } = submitter
  const balance = await client.getBalance({ address: agent.address })
  if (balance >= threshold) {
    told.delete('warning')
    return
  }
  if (told.has('warning')) return
  const { maxFeePerGas } = await Fee.now(client, fees.maxFeePerGas)
  const payments = maxFeePerGas === 0n ? null : balance / (typicalGas[rail] * maxFeePerGas)
  told.add('warning')
  onError(
    new GrantError(
      'GAS_WARNING',
      `Agent ${agent.address} has ${balance} wei, less than the ${threshold} of gasWarningWei: at the fees of now that is gas for about ${payments ?? 'any number of'} payments. Send it some ETH.`,
      { figures: { balance, threshold, payments } },
    ),
  )
}
