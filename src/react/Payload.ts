/**
 * What a wallet is asked to sign or send, read from its own bytes and from nothing that a page says about it. No network.
 */
import { type Hex, hashTypedData, isHex, parseEther, type TypedDataDefinition } from 'viem'
import { HardcapError, InputError } from '../errors.js'
import * as Input from '../Input.js'
import * as Json from '../Json.js'
import * as Permission from '../Permission.js'
import * as Policy from '../Policy.js'
import * as CallText from './CallText.js'
import { condition, type Payload, unknown } from './CallText.js'

export type { Payload } from './CallText.js'

export type ReadOptions = {
  /** The chain that calls are for, where what was pasted does not say. */
  readonly chainId: number
  /** For calldata alone, whose bytes do not say it: the contract it goes to, as the wallet shows it. */
  readonly to?: string | undefined
  /** Likewise the ETH that goes along, a decimal as the wallet shows it. */
  readonly value?: string | undefined
}

/**
 * Reads what somebody pasted: typed data as JSON, a grant's permission as JSON, a transaction or the calls of
 * `wallet_sendCalls` as JSON, the calldata of a transaction, or the `extraData` of a permission. What a call does depends
 * on where it goes: where nobody said, that is a `condition` of the rest. Never throws: what cannot be read is `unknown`,
 * with the reason.
 */
export function read(text: string, options: ReadOptions): readonly Payload[] {
  const trimmed = text.trim()
  const { chainId } = options
  try {
    if (!isHex(trimmed)) return readJson(trimmed, chainId)
    if (trimmed.length % 2 !== 0) return [unknown('Half a byte is missing at the end.')]
    const to = options.to?.trim() ? Input.address(options.to.trim(), 'to') : null
    const value = options.value?.trim() ? ether(options.value.trim()) : null
    const data = trimmed.toLowerCase() as Hex
    // Nobody sends a policy anywhere.
    if (to === null) return CallText.read({ to, value, data }, chainId) ?? [readPolicy(data)]
    return CallText.readTo({ to, value, data }, chainId)
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

function readJson(text: string, chainId: number): readonly Payload[] {
  const value = Json.parse(text, 'payload')
  // Of a key that is there twice, a wallet may take the one that is not shown here.
  Json.checkSame(text, JSON.stringify(value), 'payload')
  if (Array.isArray(value)) return readCalls(value, chainId)
  if (typeof value === 'object' && value !== null) {
    if ('extraData' in value && 'version' in value)
      return [
        { kind: 'permission', words: 'A permission, not signed yet.', permission: Permission.parse(text) },
      ]
    if ('calls' in value) return readBundle(value, chainId)
    if ('to' in value || 'data' in value || 'input' in value) return readTransaction(value, chainId)
  }
  return [
    {
      kind: 'permission',
      words: 'A signature that approves a permission.',
      permission: fromTypedData(value),
    },
  ]
}

/** What `wallet_sendCalls` takes (EIP-5792). */
const bundleFields = ['version', 'id', 'from', 'chainId', 'atomicRequired', 'calls']
/** Of a transaction, as a wallet is asked for it or shows it: those that leave open only what it costs. */
const costs = [
  'gas',
  'gasLimit',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'nonce',
  'accessList',
  'type',
]
const transactionFields = ['from', 'to', 'data', 'input', 'value', 'chainId', ...costs]

function readBundle(bundle: object, known: number): readonly Payload[] {
  const { calls, chainId } = bundle as Record<string, unknown>
  if (!Array.isArray(calls)) throw refuse('calls', calls, 'a list of calls')
  return [
    ...others(bundle, bundleFields),
    ...elsewhere(chainId, known),
    ...readCalls(calls, chainOf(chainId, known)),
  ]
}

function readCalls(calls: readonly unknown[], chainId: number): readonly Payload[] {
  if (calls.length === 0) return [unknown('There is no call in it.')]
  return calls.flatMap((call) => readTransaction(record(call, 'call'), chainId))
}

function readTransaction(given: object, known: number): readonly Payload[] {
  const { to, data, input, value, chainId } = given as Record<string, unknown>
  if (data !== undefined && input !== undefined && data !== input)
    throw refuse('input', input, 'the same as data, or one of the two')
  if (to === undefined || to === null)
    return [unknown('It names nothing that it goes to: a transaction without `to` makes a new contract.')]
  const bytes = data ?? input ?? '0x'
  if (typeof bytes !== 'string' || !isHex(bytes) || bytes.length % 2 !== 0)
    throw refuse('data', bytes, 'hexadecimal with 0x and whole bytes')
  const call = {
    to: Input.address(to, 'to'),
    data: bytes.toLowerCase() as Hex,
    value: value === undefined ? null : integer(value, 'value'),
  }
  return [
    ...others(given, transactionFields),
    ...elsewhere(chainId, known),
    ...CallText.readTo(call, chainOf(chainId, known)),
  ]
}

/** What is there besides what is read here, such as an authorization (EIP-7702), may do anything. */
function others(given: object, fields: readonly string[]): Payload[] {
  return Object.keys(given)
    .filter((field) => !fields.includes(field))
    .map((field) => unknown(`It carries ${JSON.stringify(field)}, which is not read here.`))
}

function chainOf(chainId: unknown, known: number): number {
  return chainId === undefined ? known : Number(integer(chainId, 'chainId'))
}

function elsewhere(chainId: unknown, known: number): Payload[] {
  const actual = chainOf(chainId, known)
  return actual === known ? [] : [condition(`It is for chain ${actual}, and not for ${known}.`)]
}

function ether(text: string): bigint {
  if (/^\d{1,30}(\.\d{1,18})?$/.test(text)) return parseEther(text)
  throw refuse('value', text, 'ETH as a decimal, such as "0"')
}

function readPolicy(bytes: Hex): Payload {
  const explanation = Policy.explain(bytes.toLowerCase() as Hex)
  if (explanation.kind === 'unknown')
    return unknown(`${explanation.error.message} Nor is it a call that is known.`)
  return { kind: 'policy', explanation }
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
    why: 'Not what a wallet is asked for.',
  })
}
