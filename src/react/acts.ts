'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { getAddress, type Hex } from 'viem'
import { createSiweMessage } from 'viem/siwe'
import { type Config, useConfig } from 'wagmi'
import { getAccount, getConnectorClient, signMessage } from 'wagmi/actions'
import type * as Permission from '../Permission.js'
import type * as Schema from '../server/Schema.js'
import * as Calls from './Calls.js'
import { readStanding } from './chain.js'
import { useApi } from './HardcapProvider.js'
import { fromWallet, OwnerError } from './OwnerError.js'
import { root } from './queries.js'
import * as Sending from './Sending.js'
import type { ShownIncrease, ShownRequest } from './Shown.js'

/** Everything shown may have changed, also where it failed: somebody else may have been faster. */
function useRefresh() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: [root] })
}

/** Nothing is signed that is not what the page shows. */
function assertSame({ differences }: Pick<ShownRequest, 'differences'>): void {
  if (differences.length === 0) return
  throw new OwnerError(
    'TYPED_DATA_DIFFERS',
    `What you would sign is not what is shown: ${differences.map(({ field }) => field).join(', ')}. Nothing was signed. Tell whoever sent you here.`,
    { figures: { differences } },
  )
}

/**
 * What is raised has to be what the owner once approved: else a server could bring payees along in terms that it claims
 * were there before. Asked through the wallet, whose endpoint the server has not chosen.
 */
async function assertApproved(config: Config, permission: Permission.Permission): Promise<void> {
  const doing = 'Looking the grant up'
  const standing = await getConnectorClient(config, { chainId: permission.chainId })
    .then((client) => readStanding(client, permission))
    .catch((error: unknown) => {
      throw fromWallet(error, doing)
    })
  if (standing.approved && !standing.revoked) return
  throw new OwnerError(
    'NOT_ON_CHAIN',
    'The terms that this is said to raise are not approved on chain, or were revoked. Nothing was signed. Compare everything that is shown with what you agreed to.',
  )
}

/** How an approval was given. `told` is false where the server could not be told; the chain knows it all the same. */
export type Approved =
  | { readonly by: 'signature'; readonly signature: Hex }
  | { readonly by: 'call'; readonly hash: Hex; readonly told: boolean }

/**
 * Approves a request: by a signature, which the agent or its relay submits and pays for, or by a call of the owner's
 * wallet. Refuses with `TYPED_DATA_DIFFERS` where what would be signed is not what is shown.
 */
export function useApprove() {
  const [api, config, refresh] = [useApi(), useConfig(), useRefresh()]
  return useMutation({
    mutationFn: async ({ request, by }: { request: ShownRequest; by: Approved['by'] }): Promise<Approved> => {
      assertSame(request)
      const { id, permission } = request
      if (by === 'signature') {
        const signature = await Sending.sign(config, permission)
        await api.approveRequest(id, { signature })
        return { by, signature }
      }
      const calls = Calls.prepare('approve', { permission })
      const { hashes } = await Sending.send(config, { ...actor(permission), calls, doing: 'Approving' })
      const hash = hashes.at(-1) as Hex
      const told = await api.approveRequest(id, { transactionHash: hash }).then(
        () => true,
        () => false,
      )
      return { by, hash, told }
    },
    onSettled: refresh,
  })
}

/** Declines a request. */
export function useDecline() {
  const [api, refresh] = [useApi(), useRefresh()]
  return useMutation({ mutationFn: (id: string) => api.declineRequest(id), onSettled: refresh })
}

/** The permission alone: what a server says that its grant is decides nothing. */
type Terms = { permission: Permission.Permission }

/** What stops an agent must not depend on an endpoint that a server may have chosen. */
const stops: readonly Calls.Verb[] = ['pause', 'revoke']

function useCalls(verb: Calls.Verb, doing: string) {
  const [config, refresh] = [useConfig(), useRefresh()]
  const [doubt, setDoubt] = useState<Error | null>(null)
  const mutation = useMutation({
    mutationFn: ({ permission }: Terms): Promise<Sending.Sent> => {
      setDoubt(null)
      const calls = Calls.prepare(verb, { permission })
      const told = stops.includes(verb) ? { doubt: setDoubt } : {}
      return Sending.send(config, { ...actor(permission), calls, doing, ...told })
    },
    // Not waited for: what is done is done, whether server and endpoint answer or not.
    onSettled: () => void refresh(),
  })
  return { ...mutation, doubt }
}

/**
 * Pauses a grant by a transaction of the owner's wallet, which pays the gas. No server is needed. Where the rehearsal
 * fails, `doubt` says so and the wallet is asked all the same.
 */
export const usePause = () => useCalls('pause', 'Pausing the grant')

/** Takes the owner's own pause back, as `usePause`. */
export const useResume = () => useCalls('resume', 'Resuming the grant')

/** Revokes for good, as `usePause`. */
export const useRevoke = () => useCalls('revoke', 'Revoking the grant')

/** Makes SpendPermissionManager an owner of the wallet, without which nothing can be spent; as `usePause`. */
export const useEnable = () => useCalls('enable', 'Letting SpendPermissionManager spend')

/** Approves or declines a higher cap. What is signed replaces the permission; what was spent stays spent. */
export function useDecideIncrease() {
  const [api, config, refresh] = [useApi(), useConfig(), useRefresh()]
  return useMutation({
    mutationFn: async (options: {
      id: string
      decision: { approve: ShownIncrease } | 'decline'
    }): Promise<Schema.Decided> => {
      const { id, decision } = options
      if (decision === 'decline') return api.declineIncrease(id)
      assertSame(decision.approve)
      await assertApproved(config, decision.approve.current)
      const signature = await Sending.sign(config, decision.approve.permission)
      return api.approveIncrease(id, { signature })
    },
    onSettled: refresh,
  })
}

/** Signs in with the connected wallet (Sign-In with Ethereum), and out. */
export function useSignIn() {
  const [api, config, refresh] = [useApi(), useConfig(), useRefresh()]
  const doing = 'Signing in'
  const signIn = useMutation({
    mutationFn: async (): Promise<Schema.SessionShown> => {
      const { address } = getAccount(config)
      if (address === undefined) throw new OwnerError('NOT_CONNECTED', `${doing}: no wallet is connected.`)
      const [{ chainId }, nonce] = await Promise.all([api.config(), api.nonce()])
      const issuedAt = new Date()
      const message = createSiweMessage({
        address: getAddress(address),
        chainId,
        domain: window.location.host,
        uri: window.location.origin,
        version: '1',
        statement: 'See and manage what your agents may spend. This signature moves no money.',
        nonce,
        issuedAt,
        expirationTime: new Date(issuedAt.getTime() + 5 * 60_000),
      })
      const signature = await signMessage(config, { account: address, message }).catch((error: unknown) => {
        throw fromWallet(error, doing)
      })
      return api.signIn({ message, signature })
    },
    onSettled: refresh,
  })
  const signOut = useMutation({ mutationFn: () => api.signOut(), onSettled: refresh })
  return { signIn, signOut }
}

function actor({ account, chainId }: Permission.Permission): Sending.Actor {
  return { account, chainId }
}
