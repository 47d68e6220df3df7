/** What the chain says of a payer: what it holds, who funded it, and which authorizations it has used. */
import { type Address, type Hex, type PublicClient, zeroHash } from 'viem'
import { purseAbi, usdcAbi } from '../abi/index.js'
import type * as Settlement from './Settlement.js'
import type { PaymentRow } from './Store.js'

type Source = {
  readonly token: Address
  readonly agent: Address
  readonly payer: Address | null
  readonly held: readonly Pick<PaymentRow, 'ref' | 'amount' | 'deadline'>[]
}

/**
 * Read in the state of one block: as its logs are. Of authorizations only those are asked for that nobody can settle any
 * more once `finalTime`, unix seconds, is final.
 */
export async function read(
  client: PublicClient,
  { token, agent, payer, held }: Source,
  { blockHash, finalTime }: { readonly blockHash: Hex; readonly finalTime: number },
): Promise<Pick<Settlement.Reading, 'nonces' | 'payer'>> {
  if (payer === null) return { nonces: new Map() }
  const overdue = held.filter(({ deadline }) => deadline !== null && finalTime >= deadline)
  const [balance, fundedBy, ...used] = await Promise.all([
    balanceOf(client, { token, payer, blockHash }),
    // Nobody but its own pulls fills the agent's address.
    payer === agent ? null : funder(client, { payer, blockHash }),
    ...overdue.map(({ ref }) => isUsed(client, { token, payer, nonce: ref, blockHash })),
  ])
  return {
    payer: { balance, fundedBy },
    nonces: new Map(overdue.map(({ ref }, index) => [ref, used[index] === true])),
  }
}

type At = { readonly payer: Address; readonly blockHash?: Hex }

const at = ({ blockHash }: Pick<At, 'blockHash'>) => (blockHash === undefined ? {} : { blockHash })

/** Base units of the token. */
export function balanceOf(client: PublicClient, options: At & { readonly token: Address }): Promise<bigint> {
  const { token, payer } = options
  const asked = { address: token, abi: usdcAbi, functionName: 'balanceOf', args: [payer] } as const
  return client.readContract({ ...asked, ...at(options) })
}

/** Whether the token has used a nonce: for a payment, or for a cancellation. */
export function isUsed(
  client: PublicClient,
  options: At & { readonly token: Address; readonly nonce: Hex },
): Promise<boolean> {
  const { token, payer, nonce } = options
  const asked = {
    address: token,
    abi: usdcAbi,
    functionName: 'authorizationState',
    args: [payer, nonce],
  } as const
  return client.readContract({ ...asked, ...at(options) })
}

/** The permission that funded a purse last; null for none, and where it is not deployed. */
async function funder(client: PublicClient, options: At): Promise<Hex | null> {
  const { payer } = options
  const code = await client.getCode({ address: payer, ...at(options) })
  if (code === undefined) return null
  const asked = { address: payer, abi: purseAbi, functionName: 'fundedBy' } as const
  const hash = await client.readContract({ ...asked, ...at(options) })
  return hash === zeroHash ? null : hash
}
