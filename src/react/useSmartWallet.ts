'use client'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Address, isAddressEqual, type PublicClient } from 'viem'
import { getCode } from 'viem/actions'
import { type Config, useConfig, usePublicClient } from 'wagmi'
import { getCapabilities, getPublicClient } from 'wagmi/actions'
import * as Wallet from '../Wallet.js'
import { root } from './queries.js'
import * as SmartWallet from './SmartWallet.js'

/** The wallet that the account can have, as the chain knows it. */
export function smartWalletQuery(client: PublicClient | undefined, whose: SmartWallet.Whose) {
  return queryOptions({
    queryKey: [root, 'smartWallet', whose.chainId, whose.owner],
    queryFn: () => SmartWallet.read(given(client), whose),
    enabled: client !== undefined,
  })
}

/** Whether `account`, which has to be the connected one, could use a smart wallet: see `isPlain`. */
export function plainQuery(config: Config, options: Plain) {
  const { account, chainId, named } = options
  return queryOptions({
    queryKey: [root, 'plain', chainId, account, named ?? null],
    queryFn: () => isPlain(config, options),
  })
}

/** The smart wallet of a plain account, asked of the chain; with `every`, again after so many ms until it is there. */
export function useSmartWallet(whose: SmartWallet.Whose, options: { every?: number | false } = {}) {
  const client = usePublicClient({ chainId: whose.chainId })
  return useQuery({
    ...smartWalletQuery(client, whose),
    refetchInterval: ({ state }) => (state.data?.isThere ? false : (options.every ?? false)),
  })
}

/** Whether the connected account is a plain one that owns nothing here. */
export function usePlain(options: Plain) {
  return useQuery(plainQuery(useConfig(), options))
}

/** Creates the smart wallet of the connected account, which pays the gas; nothing is sent where it is there already. */
export function useCreateWallet() {
  const [config, client] = [useConfig(), useQueryClient()]
  return useMutation({
    mutationFn: (whose: SmartWallet.Whose) => SmartWallet.create(config, whose),
    onSettled: () => client.invalidateQueries({ queryKey: [root] }),
  })
}

/** Moves USDC of the connected account into its smart wallet; the account pays the gas. */
export function useMoveUsdc() {
  const [config, client] = [useConfig(), useQueryClient()]
  return useMutation({
    mutationFn: (options: SmartWallet.Move) => SmartWallet.move(config, options),
    onSettled: () => client.invalidateQueries({ queryKey: [root] }),
  })
}

/** `named`: the account that a grant names, of which `account` may be an owner. */
export type Plain = {
  readonly account: Address
  readonly chainId: number
  readonly named?: Address | undefined
}

/**
 * A plain account has no code of its own (EIP-7702 only lends it some), and is no owner of the wallet that is named. One
 * without any code whose wallet already makes several calls as one is a smart wallet that was never used.
 */
async function isPlain(config: Config, { account, chainId, named }: Plain): Promise<boolean> {
  const client = given(getPublicClient(config, { chainId }))
  const code = await getCode(client, { address: account })
  if (code === undefined) {
    const said = await getCapabilities(config, { account, chainId }).catch(() => undefined)
    const atomic: unknown = said?.atomic
    if (typeof atomic === 'object' && atomic !== null && 'status' in atomic && atomic.status === 'supported')
      return false
  } else if (!code.startsWith('0xef0100')) return false
  if (named === undefined || isAddressEqual(named, account)) return true
  return !(await Wallet.isOwner(client, { account: named, owner: account }))
}

function given(client: PublicClient | undefined): PublicClient {
  if (client === undefined) throw new Error('wagmi has no client for this chain.')
  return client
}
