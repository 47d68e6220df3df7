/** What the token's own events say was paid, each payment of a batch by itself. */
import { type Address, parseAbiItem } from 'viem'
import { Guard } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import { sum, type Transfer } from './audit.js'

export async function transfers(
  base: Base,
  args: { readonly from?: Address; readonly to?: Address },
  start: bigint,
): Promise<Transfer[]> {
  const event = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')
  const logs = await base.client.getLogs({ event, args, fromBlock: start, strict: true })
  const byTransaction = new Map(
    logs.map(({ transactionHash }) => [
      transactionHash,
      logs.filter((log) => log.transactionHash === transactionHash),
    ]),
  )
  const all = [...byTransaction].map(async ([hash, logs]) => {
    const { logs: beside, blockNumber } = await base.client.getTransactionReceipt({ hash })
    const { timestamp } = await base.client.getBlock({ blockNumber })
    const whole = logs.map(({ args }) => args.value)
    const parts = Guard.parseLogs(beside).flatMap((event) =>
      event.type === 'paid' && event.payee === args.to ? [event.amount] : [],
    )
    // The guard pays a payee once for all of a batch; its events say for what, and the token's that it did.
    const isSame = parts.length > 0 && sum(parts) === sum(whole)
    return (isSame ? parts : whole).map((amount) => ({ amount, time: Number(timestamp) }))
  })
  return (await Promise.all(all)).flat()
}
