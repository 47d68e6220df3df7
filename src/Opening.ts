/** What a budget is opened with, and what has to be true before: grant, permission, agent and chain belong together. */
import { type Hex, isAddressEqual, type LocalAccount, type PublicClient } from 'viem'
import { hardcapGuard } from './Addresses.js'
import type { Feed } from './Feed.js'
import type { Grant } from './Grant.js'
import { GrantError } from './GrantError.js'
import * as Permission from './Permission.js'
import * as Policy from './Policy.js'
import type * as Progress from './Progress.js'
import type * as Receipt from './Receipt.js'
import type { Relay } from './Relay.js'
import type { Store } from './Store.js'
import * as Sync from './Sync.js'

export type OpenBudgetOptions = {
  readonly grant: Grant
  readonly permission: Permission.Permission
  /** The nonce that the permission was made with (`Permission.fromGrant`). Default 0. */
  readonly nonce?: bigint
  /** The agent's EOA, which signs and pays gas. It must be used for nothing else. */
  readonly agent: LocalAccount
  readonly store: Store
  /** Which blocks are final for the books. Default `finalized`. */
  readonly finality?: Sync.Finality
  /**
   * Milliseconds between two looks at the chain. Default: the client's `pollingInterval`; 30,000 where the client's
   * transport is a WebSocket, which tells of new blocks by itself.
   */
  readonly pollMs?: number
  /**
   * Unix seconds: when the books of the grant begin, if that is before the permission's start, as where it replaces
   * an earlier one. Read once, when the grant is first opened in this store. Default: the permission's start.
   */
  readonly since?: number
  /**
   * For books of the direct rail that were lost or restored from a backup, which refuse to reserve
   * (`BOOKS_INCOMPLETE`): the agent's first nonce that was never signed. It says that nothing which the books have
   * forgotten can land any more, and that what the chain shows is accepted.
   */
  readonly firstNonce?: number
  /**
   * For one opening, what nobody can see from the chain where a relay sends, or a float pays: `restored` for books that
   * come from a backup, which then wait as books that were lost; `new` for the first books that this grant ever had,
   * which need not wait though they are empty and the permission is approved. Default: what can be seen.
   */
  readonly books?: 'new' | 'restored'
  /**
   * Sends what the agent signs, in its place: the agent then needs no ETH. Guard rail. `Relay.fromClient` makes one of a
   * client with an account that has ETH. `revoke` alone is still sent by the agent.
   */
  readonly relay?: Relay
  /**
   * Milliseconds from the first payment that is due to the batch that it goes out in, so that more of them share it.
   * Guard rail. Default 0, at most 600,000: while a batch is on its way the next ones gather by themselves.
   */
  readonly batchDelayMs?: number
  /**
   * Blocks for which a transaction that is next is waited for, before it is replaced by the same one with higher fees; a
   * relay is given a call again after as many. Default 10, which is 20 seconds on Base.
   */
  readonly replaceAfterBlocks?: number
  /** Wei per gas: the most that a transaction offers. A stuck one at it is told to `onError` as `FEE_CEILING`. Default: any. */
  readonly maxFeePerGas?: bigint
  /**
   * Wei: `onError` is told `GAS_WARNING`, once each time, when the agent's ETH falls below it. Default 0.0005 ETH. Not with
   * a relay.
   */
  readonly gasWarningWei?: bigint
  /** Nothing is reserved when the chain was not seen for longer than this. Default 60,000. */
  readonly maxUnseenMs?: number
  /**
   * Nothing is reserved when the latest block is older than this by the clock of this machine: an endpoint that
   * answers, and stands still. Default: any age, because a quiet chain of tests mines no blocks. 60 suits Base.
   */
  readonly maxHeadAgeSeconds?: number
  readonly onReceipt?: (receipt: Receipt.Receipt) => void
  /** Told of failed looks at the chain and of refused broadcasts; they are repeated. Default: nothing. */
  readonly onError?: (error: unknown) => void
  /** One way to the chain for many grants (`Feed.create` with the same client), in place of `pollMs`. */
  readonly feed?: Feed
  /** Told after each page of a long way to the head. */
  readonly onProgress?: Progress.Listener
}

type Parts = Pick<OpenBudgetOptions, 'grant' | 'permission' | 'agent' | 'nonce' | 'relay' | 'books'>

/** @throws GrantError `MISMATCH`, which names what does not belong; ChainError `RPC_FAILED` */
export async function assertTogether(client: PublicClient, parts: Parts): Promise<void> {
  const { grant, agent } = parts
  if (!isAddressEqual(agent.address, grant.agent)) {
    throw mismatch(`The grant is for agent ${grant.agent}, the key given is that of ${agent.address}.`)
  }
  // A json-rpc account has an address and no key: what is stored before it is sent has to be signed here.
  if (typeof agent.signTransaction !== 'function') {
    throw mismatch(
      `The agent ${agent.address} cannot sign transactions. Give an account that holds its key, such as privateKeyToAccount makes.`,
    )
  }
  const isTold = grant.maxFloat === null && parts.books !== undefined
  if (grant.rail === 'direct' && (parts.relay !== undefined || isTold)) {
    throw mismatch(
      'On the direct rail the agent sends its transactions itself, and its nonces tell what books have forgotten: relay is for the guard rail, and books for it and for grants that name a float.',
    )
  }
  assertMirrors(parts)
  const chainId = await client.getChainId().catch(Sync.redact('Opening the budget'))
  if (chainId !== grant.chainId) {
    throw mismatch(`The grant is for chain ${grant.chainId}, the client talks to chain ${chainId}.`)
  }
  if (grant.rail === 'direct') return
  const code = await client.getCode({ address: hardcapGuard }).catch(Sync.redact('Opening the budget'))
  if (code === undefined) {
    throw mismatch(
      `The guard is not deployed at ${hardcapGuard} on chain ${chainId}, so nothing could be paid. Deploy it with script/Deploy.s.sol, which anybody can, or define the grant with rail: 'direct'.`,
    )
  }
}

/**
 * The permission is the one that mirrors the grant: what the owner signed are these terms.
 * @throws GrantError `MISMATCH`
 */
export function assertMirrors({
  grant,
  permission,
  nonce = 0n,
}: Pick<Parts, 'grant' | 'permission' | 'nonce'>): void {
  // Which permission it replaces is not of the grant; every other byte of the policy is.
  const replaces = grant.rail === 'direct' ? undefined : replacesOf(permission)
  const expected = Permission.fromGrant(grant, { nonce, ...(replaces === undefined ? {} : { replaces }) })
  if (Permission.hash(permission) === Permission.hash(expected)) return
  for (const field of Object.keys(expected) as (keyof Permission.Permission)[]) {
    if (permission[field] === expected[field] || field === 'salt') continue
    throw mismatch(
      `The permission's ${field} is ${permission[field]}, the grant says ${expected[field]}. Make it with Permission.fromGrant.`,
    )
  }
  throw mismatch(
    `The permission's salt is ${permission.salt}, and would be ${expected.salt}: the permission commits to other terms of the grant than these, or to another nonce than ${nonce}.`,
  )
}

function replacesOf({ extraData }: Permission.Permission): Hex | undefined {
  try {
    return Policy.decode(extraData).replaces ?? undefined
  } catch {
    // What is no policy differs from the one that the grant says.
    return undefined
  }
}

/** The error for things that do not belong together. */
export function mismatch(message: string): GrantError {
  return new GrantError('MISMATCH', message)
}
