import { stringify } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuard, nativeToken, spendPermissionManager } from '../../src/Addresses.js'
import * as Grant from '../../src/Grant.js'
import * as GuardCall from '../../src/GuardCall.js'
import * as Permission from '../../src/Permission.js'
import * as Comparison from '../../src/react/Comparison.js'
import * as Payload from '../../src/react/Payload.js'
import * as SpmCall from '../../src/SpmCall.js'
import type { Call } from '../../src/Transaction.js'
import * as Wallet from '../../src/Wallet.js'

const owner = '0x1111111111111111111111111111111111111111'
const agent = '0x2222222222222222222222222222222222222222'
const payee = '0x3333333333333333333333333333333333333333'
const thief = '0x4444444444444444444444444444444444444444'
const terms = {
  owner,
  agent,
  allow: [{ host: 'api.example.com', payTo: payee }],
  perCallUsd: '0.05',
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2030-12-31',
} as const
const grant = Grant.define(terms)
const permission = Permission.fromGrant(grant)
/** As it comes over HTTP, or out of a wallet: integers as decimal strings. */
const typedData = JSON.parse(stringify(Permission.typedData(permission)))
const chainId = 8453
const key = { account: grant.owner, token: grant.token.address, grantId: grant.grantId }
const pause = GuardCall.preparePause(key)
const approval = { kind: 'permission', permission }
/** As a wallet shows it. */
const json = (value: unknown) => stringify(value, null, 2)

describe('Payload.read', () => {
  test('default', () => {
    const [payload] = Payload.read(JSON.stringify(typedData, null, 2), { chainId })
    expect(payload).toMatchObject({ kind: 'permission', permission })
  })

  test('behavior: every call that approves shows its permission, also within the wallet', () => {
    const approve = SpmCall.prepareApprove({ permission })
    const calls = [
      approve,
      SpmCall.prepareApproveWithSignature({ permission, signature: '0x1234' }),
      Wallet.prepareExecute({ account: owner, call: approve }),
      GuardCall.prepareReplace({ from: permission, to: permission, signature: '0x1234' }),
    ]
    for (const call of calls) {
      expect(Payload.read(call.data, { chainId })).toContainEqual(expect.objectContaining(approval))
      expect(Payload.read(json(call), { chainId })).toContainEqual(expect.objectContaining(approval))
    }
  })

  test('behavior: what stops, and what hands the wallet over, is told apart', () => {
    const said = (call: Call) => Payload.read(json(call), { chainId }).at(-1)
    expect(said(pause)).toMatchObject({ kind: 'action', words: expect.stringContaining(owner) })
    expect(said(GuardCall.prepareRevoke({ permission }))).toMatchObject({
      kind: 'action',
      words: expect.stringContaining('for good'),
    })
    expect(said(SpmCall.prepareEnable({ account: owner }))).toMatchObject({ kind: 'action' })
    expect(said(Wallet.prepareAddOwner({ account: owner, owner: thief }))).toMatchObject({
      kind: 'unknown',
      words: expect.stringContaining(thief),
    })
  })

  test('behavior: a permission hidden behind ETH or another contract is not passed over', () => {
    const call = { ...SpmCall.prepareApprove({ permission }), value: 5n }
    const [wallet, shown, ether] = Payload.read(json(Wallet.prepareExecute({ account: owner, call })), {
      chainId,
    })
    expect(wallet).toMatchObject({ kind: 'condition', words: expect.stringContaining(owner) })
    expect(shown).toMatchObject({ kind: 'permission' })
    expect(ether).toMatchObject({ kind: 'unknown', words: expect.stringContaining('5 wei') })
    const elsewhere = { ...SpmCall.prepareApprove({ permission }), to: thief } as const
    expect(
      Payload.read(json(Wallet.prepareExecute({ account: owner, call: elsewhere })), { chainId }),
    ).toMatchObject([{ kind: 'condition' }, { kind: 'unknown', words: expect.stringContaining(thief) }])
  })

  test('args: extraData', () => {
    expect(Payload.read(permission.extraData, { chainId })).toMatchObject([
      { kind: 'policy', explanation: { kind: 'policy', policy: { grantId: grant.grantId } } },
    ])
  })

  test('args: nothing that is known', () => {
    for (const text of ['', '0x1', '0xdeadbeef', 'hello', '{}', '[]', 'null', '{"primaryType":"Permit"}'])
      expect(Payload.read(text, { chainId })).toMatchObject([{ kind: 'unknown' }])
  })

  test('error: typed data with another domain, other types or a field twice', () => {
    const { domain, types, message } = typedData
    const field = types.SpendPermission[0]
    const others = [
      { ...typedData, domain: { ...domain, verifyingContract: nativeToken } },
      { ...typedData, domain: { ...domain, name: 'USD Coin' } },
      { ...typedData, domain: { ...domain, salt: `0x${'11'.repeat(32)}` } },
      { ...typedData, types: { ...types, EIP712Domain: [{ name: 'name', type: 'string' }] } },
      { ...typedData, types: { SpendPermission: [...types.SpendPermission].reverse() } },
      { ...typedData, types: { SpendPermission: [...types.SpendPermission, field] } },
      { ...typedData, primaryType: 'EIP712Domain' },
      { ...typedData, message: { ...message, allowance: '1e30' } },
    ]
    for (const other of others)
      expect(Payload.read(JSON.stringify(other), { chainId })).toMatchObject([{ kind: 'unknown' }])
    const twice = JSON.stringify(typedData).replace('"allowance":', '"allowance":"1","allowance":')
    expect(Payload.read(twice, { chainId })).toMatchObject([{ kind: 'unknown' }])
  })
})

describe('Payload.read: where a call goes', () => {
  const words = (text: string) => expect.stringContaining(text)

  test('default', () => {
    const approve = SpmCall.prepareApprove({ permission })
    expect(Payload.read(json(pause), { chainId })).toMatchObject([{ kind: 'action' }])
    expect(Payload.read(json([pause, approve]), { chainId })).toMatchObject([{ kind: 'action' }, approval])
    const bundle = { version: '2.0.0', from: owner, chainId: '0x2105', atomicRequired: true, calls: [pause] }
    expect(Payload.read(json(bundle), { chainId })).toMatchObject([{ kind: 'action' }])
  })

  test('behavior: bytes alone are described only on the condition that they go to their contract', () => {
    expect(Payload.read(pause.data, { chainId })).toMatchObject([
      { kind: 'condition', words: words(`the guard, ${hardcapGuard}, as the target and no ETH`) },
      { kind: 'action' },
    ])
    // The same bytes are two calls.
    expect(Payload.read(SpmCall.prepareRevoke({ permission }).data, { chainId })).toMatchObject([
      { kind: 'condition', words: words(spendPermissionManager) },
      { kind: 'action' },
      { kind: 'condition', words: words(hardcapGuard) },
      { kind: 'action', words: words('and its grant') },
    ])
  })

  test('args: to and value, as a wallet shows them', () => {
    const read = (to: string, value: string) => Payload.read(pause.data, { chainId, to, value })
    expect(read(hardcapGuard, '0')).toMatchObject([{ kind: 'action' }])
    expect(read(hardcapGuard, '')).toMatchObject([
      { kind: 'condition', words: words('ETH') },
      { kind: 'action' },
    ])
    expect(read('', '0.0')).toMatchObject([
      { kind: 'condition', words: words('target.') },
      { kind: 'action' },
    ])
    expect(read(hardcapGuard, '0.5')).toMatchObject([
      { kind: 'action' },
      { kind: 'unknown', words: words('500000000000000000 wei') },
    ])
    for (const [to, value] of [
      ['0x12', '0'],
      [hardcapGuard, 'much'],
      [hardcapGuard, '1e18'],
    ] as const)
      expect(read(to, value)).toMatchObject([{ kind: 'unknown' }])
  })

  test("error: a call that goes to another contract is not the guard's, whatever its bytes", () => {
    const unknown = [{ kind: 'unknown', words: words(thief) }]
    expect(Payload.read(json({ ...pause, to: thief }), { chainId })).toMatchObject(unknown)
    expect(Payload.read(pause.data, { chainId, to: thief, value: '0' })).toMatchObject(unknown)
    expect(Payload.read(json([{ ...pause, to: spendPermissionManager }]), { chainId })).toMatchObject([
      { kind: 'unknown', words: words(spendPermissionManager) },
    ])
    expect(Payload.read(permission.extraData, { chainId, to: thief })).toMatchObject(unknown)
  })

  test('error: what a transaction carries besides', () => {
    const read = (more: object) => Payload.read(json({ ...pause, ...more }), { chainId })
    const found = (more: object, text: string, kind = 'unknown') =>
      expect(read(more)).toContainEqual(expect.objectContaining({ kind, words: words(text) }))
    found({ value: '0x5' }, '5 wei')
    found({ authorizationList: [] }, 'authorizationList')
    found({ chainId: 84_532 }, 'chain 84532', 'condition')
    found({ value: undefined }, 'what ETH goes along', 'condition')
    found({ input: '0x1234' }, 'input')
    found({ to: undefined }, 'makes a new contract')
    found({ to: null }, 'makes a new contract')
    found({ data: '0x', value: 7n }, '7 wei')
    found({ data: 'pause' }, 'data')
    const bundle = { calls: [pause], capabilities: { paymasterService: {} } }
    expect(Payload.read(json(bundle), { chainId })).toMatchObject([
      { kind: 'unknown', words: words('capabilities') },
      { kind: 'action' },
    ])
    for (const nothing of [{ calls: [] }, { calls: {} }, { calls: ['0x'] }, [null]])
      expect(Payload.read(json(nothing), { chainId })).toMatchObject([{ kind: 'unknown' }])
  })
})

describe('Comparison', () => {
  test('default', () => {
    expect(Comparison.of(grant, permission)).toEqual([])
    expect(Comparison.ofTypedData(grant, typedData)).toEqual([])
    expect(Comparison.ofTypedData(grant, Permission.typedData(permission))).toEqual([])
  })

  test('behavior: whatever field a hostile page changes is named', () => {
    const changed = {
      account: thief,
      spender: thief,
      token: thief,
      allowance: permission.allowance + 1n,
      period: 1,
      start: permission.start + 86_400,
      end: permission.end + 1,
      salt: permission.salt + 1n,
      chainId: 1,
      extraData: '0x',
    } as const
    for (const [field, value] of Object.entries(changed))
      expect(Comparison.of(grant, { ...permission, [field]: value }).map((one) => one.field)).toEqual([field])
  })

  test('behavior: terms that only the salt and the policy commit to are named', () => {
    const { grantId } = grant
    const payees = Grant.define({ ...terms, allow: [{ host: 'api.example.com', payTo: thief }] }, { grantId })
    expect(fields(payees)).toEqual(['salt', 'policy.payees'])
    const hosts = Grant.define({ ...terms, allow: [{ host: 'evil.example', payTo: payee }] }, { grantId })
    expect(fields(hosts)).toEqual(['salt'])
    const perCall = Grant.define({ ...terms, perCallUsd: '2' }, { grantId })
    expect(fields(perCall)).toEqual(['salt', 'policy.perCall'])
  })

  test('behavior: replacing a permission that nobody spoke of is a difference', () => {
    const replaces = Permission.hash(permission)
    const other = Permission.fromGrant(grant, { replaces })
    expect(Comparison.of(grant, other).map(({ field }) => field)).toEqual(['policy.replaces'])
    expect(Comparison.of(grant, other, { replaces })).toEqual([])
  })

  test('error: typed data of something else', () => {
    const permit = { ...typedData, domain: { ...typedData.domain, verifyingContract: grant.token.address } }
    expect(Comparison.ofTypedData(grant, permit)).toMatchObject([{ field: 'typedData' }])
    expect(Comparison.ofTypedData(grant, null)).toMatchObject([{ field: 'typedData' }])
    expect(spendPermissionManager).toBe(typedData.domain.verifyingContract)
  })

  function fields(signed: Grant.Grant): string[] {
    return Comparison.of(grant, Permission.fromGrant(signed)).map(({ field }) => field)
  }
})
