/** What a call does, read from where it goes, what it sends along and its bytes. No network. */
import { type Address, decodeFunctionData, type Hex, isAddressEqual } from 'viem'
import { coinbaseSmartWalletAbi, hardcapGuardAbi, spendPermissionManagerAbi } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager } from '../Addresses.js'
import * as Permission from '../Permission.js'
import type * as Policy from '../Policy.js'

/** One thing that a payload does. */
export type Payload =
  /** Lets the permission's spender spend. `words` says how: by a signature, by a call. */
  | { readonly kind: 'permission'; readonly words: string; readonly permission: Permission.Permission }
  /** Does something else that is known: pausing, revoking, adding an owner. */
  | { readonly kind: 'action'; readonly words: string }
  /** What has to be so for what follows to be true, and what was pasted does not say. */
  | { readonly kind: 'condition'; readonly words: string }
  /** The `extraData` of a permission alone. */
  | { readonly kind: 'policy'; readonly explanation: Policy.Explanation }
  /** Nothing that is known here: not to be signed on this page's word. */
  | { readonly kind: 'unknown'; readonly words: string }

/** A call as somebody tells of it. `to` and `value`, in wei, are null where he did not say. */
export type Told = { readonly to: Address | null; readonly value: bigint | null; readonly data: Hex }

type Place = {
  /** What the wallet has to show as the target. */
  readonly where: string
  readonly is: (to: Address) => boolean
  readonly does: (data: Hex, chainId: number) => readonly Payload[] | undefined
}

const isSpm = (to: Address) => isAddressEqual(to, spendPermissionManager)
const isGuard = (to: Address) => isAddressEqual(to, hardcapGuard)

/** The same bytes mean one thing to one contract and something else, or nothing, to another. */
const places: readonly Place[] = [
  { where: `SpendPermissionManager, ${spendPermissionManager},`, is: isSpm, does: spmCall },
  { where: `the guard, ${hardcapGuard},`, is: isGuard, does: guardCall },
  { where: 'your own smart wallet', is: (to) => !isSpm(to) && !isGuard(to), does: walletCall },
]

/** What the call does, wherever it may go; undefined where no contract that is known has such a call. */
export function read(call: Told, chainId: number): readonly Payload[] | undefined {
  const { to, value, data } = call
  const found = places
    .filter((place) => to === null || place.is(to))
    .flatMap((place) => {
      const does = place.does(data, chainId)
      return does === undefined ? [] : [...conditions(call, place), ...does]
    })
  if (found.length === 0) return undefined
  return value === null || value === 0n ? found : [...found, sends(value, to)]
}

/** As `read`, for a call that says where it goes: what is not known there is `unknown`. */
export function readTo(call: Told & { readonly to: Address }, chainId: number): readonly Payload[] {
  const { to, value, data } = call
  const known = data === '0x' ? undefined : read(call, chainId)
  if (known !== undefined) return known
  if (data === '0x' && value !== null && value !== 0n) return [sends(value, to)]
  return [
    unknown(`It calls ${to} in a way that is not known here.`),
    ...(value === null || value === 0n ? [] : [sends(value, to)]),
  ]
}

function conditions({ to, value }: Told, { where, does }: Place): Payload[] {
  const open = [...(to === null ? ['where it goes'] : []), ...(value === null ? ['what ETH goes along'] : [])]
  const shows = [...(to === null ? [`${where} as the target`] : []), ...(value === null ? ['no ETH'] : [])]
  return [
    ...(open.length === 0
      ? []
      : [
          condition(
            `Nothing here says ${open.join(', nor ')}. What follows is so only if your wallet shows ${shows.join(' and ')}.`,
          ),
        ]),
    ...(to === null || does !== walletCall
      ? []
      : [condition(`It goes to ${to}. What follows is so only if that is your own smart wallet.`)]),
  ]
}

function sends(value: bigint, to: Address | null): Payload {
  return unknown(`It sends ${value} wei to ${to ?? 'wherever it goes'}.`)
}

function spmCall(data: Hex, chainId: number): Payload[] | undefined {
  const call = decoded(() => decodeFunctionData({ abi: spendPermissionManagerAbi, data }))
  switch (call?.functionName) {
    case 'approve':
    case 'approveWithSignature':
      return [approval('A call that approves a permission.', call.args[0], chainId)]
    case 'approveWithRevoke':
      return [
        approval('A call that approves a permission and revokes another.', call.args[0], chainId),
        action(`Revokes the permission ${hashOf(call.args[1], chainId)}, for good.`),
      ]
    case 'revoke':
    case 'revokeAsSpender':
      return [action(`Revokes the permission ${hashOf(call.args[0], chainId)}, for good.`)]
    default:
      return call && [unknown(`It calls ${call.functionName} of SpendPermissionManager.`)]
  }
}

function guardCall(data: Hex, chainId: number): Payload[] | undefined {
  const call = decoded(() => decodeFunctionData({ abi: hardcapGuardAbi, data }))
  switch (call?.functionName) {
    case 'pause':
      return [action(`Pauses the grant ${keyOf(call.args)}, until it is resumed.`)]
    case 'resume':
      return [action(`Resumes the grant ${keyOf(call.args)}.`)]
    case 'revokeGrant':
      return [action(`Revokes the grant ${keyOf(call.args)}, for good.`)]
    case 'revoke':
      return [action(`Revokes the permission ${hashOf(call.args[0], chainId)} and its grant, for good.`)]
    case 'replace':
      return [
        approval('A call that replaces a permission by this one.', call.args[1], chainId),
        action(`Revokes the permission ${hashOf(call.args[0], chainId)}, for good.`),
      ]
    default:
      return call && [unknown(`It calls ${call.functionName} of the guard.`)]
  }
}

function walletCall(data: Hex, chainId: number): Payload[] | undefined {
  const call = decoded(() => decodeFunctionData({ abi: coinbaseSmartWalletAbi, data }))
  const inner = (to: Address, value: bigint, data: Hex) => readTo({ to, value, data }, chainId)
  switch (call?.functionName) {
    case 'execute':
      return [...inner(...call.args)]
    case 'executeBatch':
      return call.args[0].flatMap(({ target, value, data }) => inner(target, value, data))
    case 'addOwnerAddress':
      return isAddressEqual(call.args[0], spendPermissionManager)
        ? [
            action(
              'Makes SpendPermissionManager an owner of the wallet, so that permissions can be spent from.',
            ),
          ]
        : [unknown(`It makes ${call.args[0]} an owner of the wallet, who could then do everything with it.`)]
    default:
      return call && [unknown(`It calls ${call.functionName} of the wallet.`)]
  }
}

/** Another wallet or token is another grant to the guard, whatever its id. */
function keyOf([account, token, grantId]: readonly [Address, Address, Hex]): string {
  return `${grantId} of the wallet ${account} and the token ${token}`
}

type Struct = Omit<Permission.Permission, 'chainId'>

function approval(words: string, struct: Struct, chainId: number): Payload {
  const { account, spender, token, allowance, period, start, end, salt, extraData } = struct
  const permission = { chainId, account, spender, token, allowance, period, start, end, salt, extraData }
  return { kind: 'permission', words, permission }
}

function hashOf(struct: Struct, chainId: number): Hex {
  return Permission.hash({ ...struct, chainId })
}

/** Undefined where the selector is not the contract's, or what follows it is not its arguments. */
function decoded<call>(decode: () => call): call | undefined {
  try {
    return decode()
  } catch {
    return undefined
  }
}

function action(words: string): Payload {
  return { kind: 'action', words }
}

export function condition(words: string): Payload {
  return { kind: 'condition', words }
}

export function unknown(words: string): Payload {
  return { kind: 'unknown', words }
}
