/**
 * A thief who has the agent's key and nothing else: raw transactions through viem, not one line of hardcap. He asks
 * the guard for money in every way that the key allows; what stops him is the chain alone.
 */
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  concat,
  encodeAbiParameters,
  encodePacked,
  type Hex,
  keccak256,
  type LocalAccount,
  size,
  stringToHex,
  zeroHash,
} from 'viem'
import { hardcapGuardAbi } from '../../abi/index.js'
import type { Guard, Spm } from '../../src/index.js'
import type { BaseClient } from '../../src/testing/index.js'
import type { Attempt } from './thief.js'

export type GuardThief = {
  readonly client: BaseClient
  /** The agent's key. */
  readonly key: LocalAccount
  /** A key of his own, with some ETH. */
  readonly own: LocalAccount
  readonly guard: Address
  /** The permission, which anybody can read from the chain's events. */
  readonly permission: ReturnType<typeof Spm.toStruct>
  /** The payees that the grant lists, which he read on the agent's machine; two of them. */
  readonly payees: readonly [Address, Address]
}

export type Demand = {
  readonly to: Address
  readonly asked: bigint
  readonly task: string
  /** A ticket that the agent had, or one that he signed himself. */
  readonly ticket?: Guard.Ticket | undefined
  /** The agent's signature, submitted from a key of his own. */
  readonly relayed?: boolean
}

/** Asks the guard to pay. Nothing is simulated first. */
export async function pay(thief: GuardThief, demand: Demand): Promise<Attempt> {
  const { client, key, own, guard: address, permission } = thief
  const batch = await encode(thief, demand)
  const contract = { abi: hardcapGuardAbi, address } as const
  const pays = { ...contract, functionName: 'pay', args: [permission, batch] } as const
  // With its gas given, the transaction goes out whatever will become of it.
  const from = { account: demand.relayed ? own : key, gas: 700_000n }
  const hash = demand.relayed
    ? await client.writeContract({
        ...contract,
        ...from,
        functionName: 'payWithSignature',
        args: [permission, batch, await signature(thief, batch)],
      })
    : await client.writeContract({ ...pays, ...from })
  const { status, blockNumber } = await client.waitForTransactionReceipt({ hash })
  const time = Number((await client.getBlock({ blockNumber })).timestamp)
  const { asked } = demand
  if (status === 'success') return { time, asked, answer: 'paid' }
  // A receipt does not say why it reverted: the same batch on the state after it does.
  const again = client.simulateContract({ ...pays, account: key, blockNumber })
  return { time, asked, answer: await again.then(() => 'reverted', errorName) }
}

/** Has the agent's purse filled, which pays without the guard. */
export async function fund({ client, key, guard: address, permission }: GuardThief): Promise<Attempt> {
  const asked = 500_000n
  const number = BigInt(await client.getTransactionCount({ address: key.address }))
  const funding = {
    deadline: 2 ** 48 - 1,
    task: zeroHash,
    ticket: '0x',
    number,
    ref: zeroHash,
    target: asked,
  } as const
  const call = { abi: hardcapGuardAbi, address, functionName: 'fund', args: [permission, funding] } as const
  const answer = await client.simulateContract({ ...call, account: key }).then(() => 'funded', errorName)
  return { time: Number((await client.getBlock()).timestamp), asked, answer }
}

/** The guard's packed batch of one payment: see the contract's `BatchLib`. */
async function encode(
  { client, key, payees }: GuardThief,
  { to, asked, task, ticket }: Demand,
): Promise<Hex> {
  const packed =
    ticket === undefined
      ? '0x'
      : concat([encodePacked(['uint112', 'uint48'], [ticket.cap, ticket.deadline]), ticket.signature])
  const sibling = payees.find((payee) => payee !== to) ?? payees[0]
  const leaf = keccak256(keccak256(encodeAbiParameters([{ type: 'address' }], [sibling])))
  // A number that nobody used: one per transaction of the key, and of its relays.
  const number = BigInt(keccak256(stringToHex(`${key.address} ${await client.getBlockNumber()}`)))
  return concat([
    encodePacked(
      ['uint48', 'uint16', 'bytes32'],
      [2 ** 48 - 1, size(packed) + 1, keccak256(stringToHex(task))],
    ),
    packed,
    encodePacked(['uint8', 'uint256', 'bytes32', 'address', 'uint112'], [1, number, zeroHash, to, asked]),
    leaf,
  ])
}

/** The agent's signature over the batch: the hash is the guard's own answer. */
async function signature({ client, key, guard, permission }: GuardThief, batch: Hex): Promise<Hex> {
  const hash = await client.readContract({
    abi: hardcapGuardAbi,
    address: guard,
    functionName: 'hashBatch',
    args: [permission, batch],
  })
  if (!key.sign) throw new Error('The stolen key cannot sign.')
  return key.sign({ hash })
}

function errorName(error: unknown): string {
  if (!(error instanceof BaseError)) throw error
  const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
  if (!(revert instanceof ContractFunctionRevertedError)) throw error
  return revert.data?.errorName ?? 'reverted'
}
