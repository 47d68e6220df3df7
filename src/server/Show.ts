/** What the core has, as JSON: the other way round it is read by `Grant.parse` and its like. */
import type { TypedDataDefinition } from 'viem'
import type { Coverage } from '../Coverage.js'
import * as Grant from '../Grant.js'
import * as Permission from '../Permission.js'
import type { Receipt } from '../Receipt.js'
import type { CoverageJson, GrantJson, PermissionJson, ReceiptJson, TypedDataJson } from './Schema.js'

/** bigints as decimal strings. */
function plain<shown>(value: unknown): shown {
  return JSON.parse(JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field)))
}

export function grant(grant: Grant.Grant): GrantJson {
  return JSON.parse(Grant.serialize(grant))
}

export function permission(permission: Permission.Permission): PermissionJson {
  return JSON.parse(Permission.serialize(permission))
}

export function typedData(permission: Permission.Permission): TypedDataJson {
  const { domain, types, primaryType, message }: TypedDataDefinition = Permission.typedData(permission)
  return plain({ domain, types, primaryType, message })
}

export function coverage(coverage: Coverage): CoverageJson {
  return plain(coverage)
}

export function receipt(receipt: Receipt): ReceiptJson {
  return plain(receipt)
}
