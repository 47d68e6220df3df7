/** Told of new blocks where the way to the chain can do that; everywhere else somebody has to look now and then. */
import type { PublicClient } from 'viem'
import { toChainError } from './ChainError.js'

/** Whether the client's transport tells of new blocks by itself. */
export function canFollow({ transport }: PublicClient): boolean {
  return transport.type === 'webSocket' || transport.type === 'ipc'
}

/** Follows new blocks where {@link canFollow} (`eth_subscribe`, `newHeads`). Returns what ends it. */
export function follow(
  client: PublicClient,
  { onHead, onError }: { readonly onHead: () => void; readonly onError: (error: unknown) => void },
): () => void {
  return client.watchBlockNumber({
    onBlockNumber: onHead,
    // Told without the URL that viem's own errors carry.
    onError: (error) => onError(toChainError(error, 'Following the chain')),
  })
}
