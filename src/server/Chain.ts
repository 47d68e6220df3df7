/**
 * What the server asks the chain for. Answers are kept for some seconds and asked for once at a time, so that many who
 * look at one grant do not become as many requests to the endpoint.
 */
import {
  type Address,
  type Chain,
  type Client,
  createPublicClient,
  custom,
  type Hex,
  type PublicClient,
  type Transport,
} from 'viem'
import { getBalance, getChainId, getCode, getTransactionReceipt } from 'viem/actions'
import { hardcapGuard } from '../Addresses.js'
import * as Permission from '../Permission.js'
import * as Spm from '../Spm.js'
import * as Status from '../Status.js'
import { chainUnseen, Problem } from './Problem.js'

/** How long an answer is good for, and how many are kept. */
const keptMs = 2_000
const most = 1_000

/** What is needed of a client, so that one of any chain will do. */
export type Endpoint = Pick<Client<Transport, Chain>, 'chain' | 'request'>

export type Reader = {
  readonly client: PublicClient<Transport, Chain>
  /** @throws Problem 503 `CHAIN_UNSEEN` */
  readonly status: (permission: Permission.Permission) => Promise<Status.Status>
  readonly balance: (address: Address) => Promise<bigint>
  readonly hasGuard: () => Promise<boolean>
  readonly chainId: () => Promise<number>
}

/**
 * A client that follows no contract's wish to ask a URL (EIP-3668): the address of a signer is for a stranger to say, and
 * its code could have the server call anything in its own network.
 */
function withoutOffchainLookup(client: Endpoint): PublicClient<Transport, Chain> {
  const { chain, request } = client
  const transport = custom({ request: request as never }, { retryCount: 0 })
  return createPublicClient({ chain, transport, ccipRead: false })
}

export function reader(given: Endpoint): Reader {
  const client = withoutOffchainLookup(given)
  const kept = new Map<string, { readonly until: number; readonly answer: Promise<unknown> }>()

  function ask<answer>(name: string, work: () => Promise<answer>): Promise<answer> {
    const now = performance.now()
    const known = kept.get(name)
    if (known && now < known.until) return known.answer as Promise<answer>
    const answer = work().catch(() => {
      kept.delete(name)
      throw chainUnseen()
    })
    kept.delete(name)
    kept.set(name, { until: now + keptMs, answer })
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break
      kept.delete(oldest)
    }
    return answer
  }
  return {
    client,
    status: (permission) =>
      ask(`status ${Permission.hash(permission)}`, () => Status.of(client, { permission })),
    balance: (address) => ask(`balance ${address.toLowerCase()}`, () => getBalance(client, { address })),
    hasGuard: () =>
      ask('guard', async () => (await getCode(client, { address: hardcapGuard })) !== undefined),
    chainId: () => ask('chainId', () => getChainId(client)),
  }
}

/**
 * Whether the permission's account signed it.
 * @throws Problem 422 `SIGNATURE_INVALID`, 503 `CHAIN_UNSEEN`
 */
export async function assertSigned(
  client: PublicClient<Transport, Chain>,
  options: { permission: Permission.Permission; signature: Hex },
): Promise<void> {
  const isSigned = await Permission.verify(client, options).catch(() => {
    throw chainUnseen()
  })
  if (isSigned) return
  const message = `${options.permission.account} did not sign this permission.`
  throw new Problem(422, 'SIGNATURE_INVALID', message)
}

/**
 * That a transaction approved the permission, and that it stands.
 * @throws Problem 409 `REVOKED`, `NOT_APPROVED` (mined later, try again), 422 `NOT_THIS_APPROVAL`, 503 `CHAIN_UNSEEN`
 */
export async function assertApproved(
  client: PublicClient<Transport, Chain>,
  options: { permission: Permission.Permission; hash: Hex },
): Promise<void> {
  const { permission, hash } = options
  const [approved, revoked] = await Promise.all([
    Spm.isApproved(client, { permission }),
    Spm.isRevoked(client, { permission }),
  ]).catch(() => {
    throw chainUnseen()
  })
  if (revoked) throw new Problem(409, 'REVOKED', 'The permission was revoked, which is final.')
  if (!approved)
    throw new Problem(409, 'NOT_APPROVED', 'The chain does not show the approval yet. Try again.')
  const receipt = await getTransactionReceipt(client, { hash }).catch(() => undefined)
  const chainId = client.chain.id
  const wanted = Permission.hash(permission)
  const events = receipt?.status === 'success' ? Spm.parseLogs({ logs: receipt.logs, chainId }) : []
  if (events.some((event) => event.type === 'approved' && event.hash === wanted)) return
  throw new Problem(422, 'NOT_THIS_APPROVAL', 'The transaction did not approve this permission.')
}
