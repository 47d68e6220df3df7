/**
 * What a wallet is asked to sign or send, read from its own bytes and from nothing that a page says about it. No network.
 */
import {
  type Address,
  decodeFunctionData,
  type Hex,
  hashTypedData,
  isAddressEqual,
  isHex,
  type TypedDataDefinition,
} from 'viem'
import { coinbaseSmartWalletAbi, hardcapGuardAbi, spendPermissionManagerAbi } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager } from '../Addresses.js'
import { HardcapError, InputError } from '../errors.js'
import * as Json from '../Json.js'
import * as Permission from '../Permission.js'
import * as Policy from '../Policy.js'

/** One thing that a payload does. */
export type Payload =
  /** Lets the permission's spender spend. `words` says how: by a signature, by a call. */
  | { readonly kind: 'permission'; readonly words: string; readonly permission: Permission.Permission }
  /** Does something else that is known: pausing, revoking, adding an owner. */
  | { readonly kind: 'action'; readonly words: string }
  /** The `extraData` of a permission alone. */
  | { readonly kind: 'policy'; readonly explanation: Policy.Explanation }
  /** Nothing that is known here: not to be signed on this page's word. */
  | { readonly kind: 'unknown'; readonly words: string }

/**
 * Reads what somebody pasted: typed data as JSON, a grant's permission as JSON, the calldata of a transaction, or the
 * `extraData` of a permission. Never throws: what cannot be read is `unknown`, with the reason.
 *
 * @param options.chainId the chain that calldata is for, which its bytes do not say
 */
export function read(text: string, options: { chainId: number }): readonly Payload[] {
  const trimmed = text.trim()
  try {
    if (!isHex(trimmed)) return readJson(trimmed)
    if (trimmed.length % 2 !== 0) return [unknown('Half a byte is missing at the end.')]
    return readCall(null, trimmed.toLowerCase() as Hex, options.chainId) ?? [readPolicy(trimmed)]
  } catch (error) {
    if (error instanceof HardcapError) return [unknown(error.message)]
    return [unknown(error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'It cannot be read.')]
  }
}

/**
 * The permission that typed data asks a wallet to sign. What is returned hashes to exactly what the wallet would sign:
 * other types, another domain or another field than SpendPermissionManager's are refused.
 *
 * @throws InputError `INVALID_VALUE`, and what `Permission.parse` throws
 */
export function fromTypedData(given: unknown): Permission.Permission {
  const { domain, message, primaryType } = record(given, 'typedData') as Record<string, unknown>
  if (primaryType !== 'SpendPermission') throw refuse('primaryType', primaryType, '"SpendPermission"')
  const { chainId } = record(domain, 'domain')
  const fields = record(message, 'message')
  const decimal = (name: string) => String(integer(fields[name], name))
  const permission = Permission.parse(
    JSON.stringify({
      version: 1,
      chainId: Number(integer(chainId, 'domain.chainId')),
      account: fields.account,
      spender: fields.spender,
      token: fields.token,
      allowance: decimal('allowance'),
      period: Number(integer(fields.period, 'period')),
      start: Number(integer(fields.start, 'start')),
      end: Number(integer(fields.end, 'end')),
      salt: decimal('salt'),
      extraData: typeof fields.extraData === 'string' ? fields.extraData.toLowerCase() : fields.extraData,
    }),
  )
  const digest = hashTypedData(given as TypedDataDefinition)
  if (digest === Permission.hash(permission)) return permission
  throw refuse(
    'typedData',
    digest,
    `${Permission.hash(permission)}, the digest of this permission: the domain or the types are not SpendPermissionManager's`,
  )
}

function readJson(text: string): Payload[] {
  const value = Json.parse(text, 'payload')
  // Of a key that is there twice, a wallet may take the one that is not shown here.
  Json.checkSame(text, JSON.stringify(value), 'payload')
  if (typeof value === 'object' && value !== null && 'extraData' in value && 'version' in value)
    return [
      { kind: 'permission', words: 'A permission, not signed yet.', permission: Permission.parse(text) },
    ]
  return [
    {
      kind: 'permission',
      words: 'A signature that approves a permission.',
      permission: fromTypedData(value),
    },
  ]
}

function readPolicy(bytes: Hex): Payload {
  const explanation = Policy.explain(bytes.toLowerCase() as Hex)
  if (explanation.kind === 'unknown')
    return unknown(`${explanation.error.message} Nor is it a call that is known.`)
  return { kind: 'policy', explanation }
}

/** What a call does; undefined where its selector is of no contract that is known. `to`: null where nobody said. */
function readCall(to: Address | null, data: Hex, chainId: number): readonly Payload[] | undefined {
  const at = (address: Address) => to === null || isAddressEqual(to, address)
  return (
    (at(spendPermissionManager) ? spmCall(data, chainId) : undefined) ??
    (at(hardcapGuard) ? guardCall(data, chainId) : undefined) ??
    walletCall(data, chainId)
  )
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
      return [action(`Pauses the grant ${call.args[2]} until it is resumed.`)]
    case 'resume':
      return [action(`Resumes the grant ${call.args[2]}.`)]
    case 'revokeGrant':
      return [action(`Revokes the grant ${call.args[2]}, for good.`)]
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
  const inner = (to: Address, value: bigint, bytes: Hex): readonly Payload[] => {
    const known = bytes === '0x' ? undefined : readCall(to, bytes, chainId)
    const does = known ?? [unknown(`It calls ${to} in a way that is not known here.`)]
    return value === 0n ? does : [...does, unknown(`It sends ${value} wei to ${to}.`)]
  }
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

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw refuse(field, value, 'an object, as eth_signTypedData_v4 takes it')
}

function integer(value: unknown, field: string): bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return BigInt(value)
  if (typeof value === 'string' && /^(0|[1-9][0-9]{0,77}|0x[0-9a-f]{1,64})$/i.test(value))
    return BigInt(value)
  throw refuse(field, value, 'a whole number')
}

function refuse(field: string, given: unknown, valid: string): InputError {
  return new InputError('INVALID_VALUE', {
    field,
    given,
    valid,
    why: 'Not what a permission is signed with.',
  })
}

function action(words: string): Payload {
  return { kind: 'action', words }
}

function unknown(words: string): Payload {
  return { kind: 'unknown', words }
}
