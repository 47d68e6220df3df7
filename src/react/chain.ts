'use client'
/** What the page asks the chain itself, so that it need not believe the server. */
import { queryOptions, useQuery } from '@tanstack/react-query'
import { type Address, type Client, erc20Abi, type PublicClient } from 'viem'
import { getBalance, getCode, readContract } from 'viem/actions'
import { usePublicClient } from 'wagmi'
import { spendPermissionManager } from '../Addresses.js'
import * as GuardRead from '../GuardRead.js'
import type * as Permission from '../Permission.js'
import * as PermissionHash from '../PermissionHash.js'
import * as SpmRead from '../SpmRead.js'
import * as Wallet from '../Wallet.js'
import { isGuarded } from './Calls.js'
import { root } from './queries.js'

/** What an account is, for spend permissions. */
export type Owner = {
  /** Whether it has code. Without, it is an EOA, or a smart wallet that is not deployed yet: the chain cannot tell. */
  readonly hasCode: boolean
  /** Whether SpendPermissionManager is an owner of it: without, nothing can be spent. */
  readonly enabled: boolean
  /** Of the token, base units. */
  readonly balance: bigint
  /** Wei, for gas. */
  readonly wei: bigint
}

/** Where a permission stands on chain. */
export type Standing = { readonly approved: boolean; readonly revoked: boolean } & GuardRead.Stops

export async function readOwner(
  client: PublicClient,
  options: { account: Address; token: Address },
): Promise<Owner> {
  const { account, token } = options
  const balanceOf = { address: token, abi: erc20Abi, functionName: 'balanceOf', args: [account] } as const
  const [code, balance, wei] = await Promise.all([
    getCode(client, { address: account }),
    readContract(client, balanceOf),
    getBalance(client, { address: account }),
  ])
  const hasCode = code !== undefined && !code.startsWith('0xef0100')
  const enabled = hasCode && (await Wallet.isOwner(client, { account, owner: spendPermissionManager }))
  return { hasCode, enabled, balance, wei }
}

export async function readStanding(client: Client, permission: Permission.Permission): Promise<Standing> {
  const [approved, revoked, stops] = await Promise.all([
    SpmRead.isApproved(client, { permission }),
    SpmRead.isRevoked(client, { permission }),
    isGuarded(permission) ? GuardRead.stops(client, { permission }) : null,
  ])
  return { approved, revoked: revoked || stops?.revoked === true, paused: stops?.paused === true }
}

export function ownerQuery(client: PublicClient | undefined, options: { account: Address; token: Address }) {
  return queryOptions({
    queryKey: [root, 'owner', client?.chain?.id, options.account, options.token],
    queryFn: () => readOwner(given(client), options),
    enabled: client !== undefined,
  })
}

export function standingQuery(client: PublicClient | undefined, permission: Permission.Permission) {
  return queryOptions({
    queryKey: [root, 'standing', PermissionHash.hash(permission)],
    queryFn: () => readStanding(given(client), permission),
    enabled: client !== undefined,
  })
}

/** What the account is, asked of the chain: smart wallet or not, enabled or not, its balance. */
export function useOwner(options: { account: Address; token: Address; chainId: number }) {
  const client = usePublicClient({ chainId: options.chainId })
  return useQuery(ownerQuery(client, options))
}

/** Whether a permission is approved, paused or revoked, asked of the chain; with `every`, again after so many ms. */
export function useStanding(
  permission: Permission.Permission,
  options: { every?: number | false | undefined } = {},
) {
  const client = usePublicClient({ chainId: permission.chainId })
  return useQuery({ ...standingQuery(client, permission), refetchInterval: options.every ?? false })
}

function given(client: PublicClient | undefined): PublicClient {
  if (client === undefined) throw new Error('wagmi has no client for the chain of the grant.')
  return client
}
