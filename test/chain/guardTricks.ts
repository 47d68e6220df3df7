import { type Address, encodeFunctionData, type Hex } from 'viem'
import { hardcapGuardAbi, purseAbi, spendPermissionManagerAbi, usdcAbi } from '../../abi/index.js'
import { hardcapGuard, spendPermissionManager } from '../../src/Addresses.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Purse from '../../src/Purse.js'
import * as Spm from '../../src/Spm.js'
import { toStruct } from '../../src/SpmCall.js'
import * as Time from '../../src/Time.js'
import type { Granted } from './guardKit.js'
import type * as kit from './kit.js'

/**
 * What a thief with the agent's key tries at the guard and the purse besides paying, none of which may work. `used` is
 * a number that paid before.
 */
export async function guardTricksOf(
  it: Granted,
  permission: Permission.Permission,
  used: bigint | undefined,
) {
  const { agentKey: key, orchestratorKey, payees, pay, fund, settle, batchOf, sign, end } = it
  const tricks: { name: string; raw: kit.Raw }[] = []
  const attempt = (name: string, raw: kit.Raw) => tricks.push({ name, raw: { ...raw, gas: 800_000n } })
  const call = (name: string, to: Address, data: Hex) =>
    attempt(name, { from: key, call: { to, data, value: 0n } })
  const say = { permission }
  const policy = Policy.decode(permission.extraData)
  const wide = Policy.encode({
    ...policy,
    perCall: null,
    perDay: null,
    total: null,
    perTask: null,
    perWindow: null,
    window: null,
    payees: 'any',
    maxFloat: 2n ** 112n - 1n,
  })
  const mine = { ...permission, extraData: wide }
  const batch = batchOf([1n], say)
  const [first] = batch.payments
  if (!first) throw new Error('There is one payment.')

  if (policy.payees !== 'any') {
    attempt('pays himself', await pay(1n, { ...say, payee: key.address }))
    attempt(
      'pays himself with the proof of another',
      await pay(1n, { ...say, payee: key.address, proof: first.proof }),
    )
    // As if the payee were the one before, who needs no proof.
    const sly = { ...first, number: first.number + 10n ** 9n, payee: key.address, proof: [] }
    attempt('pays himself behind another', {
      from: key,
      call: Guard.preparePay({ permission, batch: { ...batch, payments: [first, sly] } }),
    })
  }
  const barred: Address[] = [
    permission.token,
    hardcapGuard,
    spendPermissionManager,
    Purse.address(permission),
  ]
  for (const payee of barred) attempt(`pays ${payee}`, await pay(1n, { ...say, payee, proof: [] }))
  if (used !== undefined) attempt('pays a number again', await pay(1n, { ...say, number: used }))
  attempt('pays nothing', await pay(0n, say))
  attempt('pays an empty batch', await pay([], say))
  attempt('pays above perCall', await pay((policy.perCall ?? 0n) + 1n, say))
  attempt(
    'pays under a policy of his own',
    await pay(1n, { permission: mine, payee: key.address, proof: [] }),
  )
  attempt('pays by a signature that is not his', await pay(1n, { ...say, signer: it.strangerKey }))
  const owned = await sign(permission)
  const forged = await key.sign({ hash: Permission.hash(mine) })
  for (const [name, ownerSignature] of [
    ['no signature', '0x'],
    ["the owner's of other terms", owned],
    ['his own signature', forged],
  ] as const) {
    const mineBatch = { ...batch, payments: [{ ...first, payee: key.address, proof: [] }] }
    attempt(`approves a policy of his own, with ${name}`, {
      from: key,
      call: Guard.prepareApproveAndPay({ permission: mine, ownerSignature, batch: mineBatch }),
    })
    attempt(`replaces by a policy of his own, with ${name}`, {
      from: key,
      call: Guard.prepareReplace({ from: permission, to: mine, signature: ownerSignature }),
    })
  }
  if (policy.perTask !== null) {
    const task = Guard.task('invented')
    const terms = { ...Guard.key(permission), task, cap: 5n, deadline: end }
    const signature = await key.signTypedData(Guard.ticketTypedData(terms))
    attempt('signs a ticket himself', await pay(1n, { ...say, task, ticket: { ...terms, signature } }))
    attempt('pays without a task', await pay(1n, { ...say, task: null, ticket: null }))
    attempt('pays without a ticket', await pay(1n, { ...say, task, ticket: null }))
  }
  attempt('spends around the guard', { from: key, call: Spm.prepareSpend({ permission, amount: 1n }) })
  attempt('fills the purse above its float', await fund((policy.maxFloat ?? 0n) + 1n, say))
  const spm = (functionName: 'approve' | 'revoke') =>
    encodeFunctionData({ abi: spendPermissionManagerAbi, functionName, args: [toStruct(mine)] })
  call('approves as the account', spendPermissionManager, spm('approve'))
  call(
    'revokes in the name of nobody',
    hardcapGuard,
    encodeFunctionData({
      abi: hardcapGuardAbi,
      functionName: 'revoke',
      args: [
        toStruct({
          ...permission,
          extraData: Policy.encode({
            ...{ ...policy, agent: orchestratorKey.address },
            ...{ orchestrator: null, perTask: null },
          }),
        }),
      ],
    }),
  )

  if (policy.maxFloat !== null) {
    const purse = Purse.address(permission)
    attempt('has the purse pay himself', await settle(1n, { ...say, payee: key.address, proof: [] }))
    attempt('has the purse pay above perCall', await settle((policy.perCall ?? 0n) + 1n, say))
    attempt(
      'has the purse pay under a policy of his own',
      await settle(1n, { permission: mine, payee: payees[0], proof: [] }),
    )
    call(
      'tells the purse who funded it',
      purse,
      encodeFunctionData({ abi: purseAbi, functionName: 'noteFunding', args: [Permission.hash(mine)] }),
    )
    const plain = await key.sign({ hash: Permission.hash(mine) })
    const token = permission.token
    const max = BigInt(Time.max)
    for (const [name, data] of [
      [
        'takes from the purse by a permit',
        encodeFunctionData({
          abi: usdcAbi,
          functionName: 'permit',
          args: [purse, key.address, 1n, max, plain],
        }),
      ],
      [
        'takes from the purse by an allowance',
        encodeFunctionData({ abi: usdcAbi, functionName: 'transferFrom', args: [purse, key.address, 1n] }),
      ],
      [
        'takes from the purse by his plain signature',
        encodeFunctionData({
          abi: usdcAbi,
          functionName: 'transferWithAuthorization',
          args: [purse, key.address, 1n, 0n, max, Permission.hash(mine), plain],
        }),
      ],
    ] as const)
      call(name, token, data)
  }
  return tricks
}
