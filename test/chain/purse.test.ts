import { describe, expect, test } from 'vitest'
import { usdcAbi } from '../../abi/index.js'
import { usdc } from '../../src/Addresses.js'
import { Guard, Payees, Permission, Purse } from '../../src/index.js'
import * as Transaction from '../../src/Transaction.js'
import { useBase } from '../base.js'
import { guardScene } from './guardScene.js'
import * as kit from './kit.js'
import { mined } from './scene.js'

const base = await useBase()
const { rejection, usd, balanceOf } = kit
const { client } = base

/** A purse with 10 USDC: 5 a payment, and twenty as the float. */
async function pursed(terms: Parameters<typeof guardScene>[1] = {}) {
  const it = await guardScene(base, { rail: 'purse', maxFloatUsd: '20', perDayUsd: '15', ...terms })
  await it.approve(it.permission)
  await Guard.fund(it.agent, { permission: it.permission, funding: it.funding(usd('10')) })
  const { permission, grant, payees, agentKey } = it
  const purse = Purse.address(permission)
  const now = await base.now()

  const authorize = (value: bigint, key = 'key-1', changes: Partial<Purse.Authorization> = {}) => ({
    to: payees[0],
    value,
    validAfter: now - 1,
    validBefore: now + 600,
    nonce: Guard.reference(grant.grantId, key),
    ...changes,
  })
  const proof = Payees.proof(Payees.of(grant), payees[0])
  const sign = (authorization: Purse.Authorization, of = permission) =>
    Purse.signPayment(agentKey, { permission: of, authorization, proof })
  /** By whoever has the signature. */
  const settle = async (authorization: Purse.Authorization, signature: `0x${string}`) => {
    const call = Purse.prepareSettle({ permission, authorization, signature })
    return Transaction.send(it.stranger, { call, doing: 'Settling' })
  }
  const isUsed = (nonce: `0x${string}`) =>
    client.readContract({
      address: usdc[8453],
      abi: usdcAbi,
      functionName: 'authorizationState',
      args: [purse, nonce],
    })
  return { ...it, purse, authorize, proof, signPayment: sign, settle, isUsed }
}

describe('fund', () => {
  test('default', async () => {
    const { agent, define, approve, funding, wallet } = await guardScene(base)
    const permission = Permission.fromGrant(define({ rail: 'purse' }))
    await approve(permission)
    const one = funding(usd('7'))
    expect(await Guard.fund(agent, { permission, funding: one })).toEqual({
      ...mined,
      purse: Purse.address(permission),
      amount: usd('7'),
      number: one.number,
      ref: one.ref,
    })
    expect(await balanceOf(base, Purse.address(permission))).toBe(usd('7'))
    expect(await balanceOf(base, wallet.address)).toBe(usd('993'))
    expect(await Guard.remaining(client, { permission })).toMatchObject({ perDay: usd('3'), float: usd('3') })
  })

  test('behavior: up to the target, not by it', async () => {
    const { agent, permission, funding } = await pursed()
    expect(await Guard.fund(agent, { permission, funding: funding(usd('12')) })).toMatchObject({
      amount: usd('2'),
    })
    expect(await rejection(Guard.fund(agent, { permission, funding: funding(usd('12')) }))).toMatchObject({
      code: 'NOTHING_TO_FUND',
      figures: { balance: usd('12'), target: usd('12') },
    })
  })

  test('error: above a cap, and the same again', async () => {
    const { agent, permission, funding } = await pursed()
    const fund = (funding: Guard.Funding) => rejection(Guard.fund(agent, { permission, funding }))
    expect(await fund(funding(usd('20') + 1n))).toMatchObject({ code: 'OVER_FLOAT' })
    expect(await fund(funding(usd('15') + 1n))).toMatchObject({ code: 'OVER_DAY' })
    const once = funding(usd('11'))
    await Guard.fund(agent, { permission, funding: once })
    expect(await fund({ ...once, target: usd('12') })).toMatchObject({ code: 'NUMBER_USED' })
  })
})

describe('fundWithSignature', () => {
  test('default: by a stranger', async () => {
    const { stranger, agentKey, permission, funding } = await pursed()
    const one = funding(usd('11'))
    const signature = await Guard.signFunding(agentKey, { permission, funding: one })
    expect(await Guard.fundWithSignature(stranger, { permission, funding: one, signature })).toMatchObject({
      amount: usd('1'),
    })
    const other = { ...funding(usd('12')), number: one.number + 1000n }
    expect(
      await rejection(Guard.fundWithSignature(stranger, { permission, funding: other, signature })),
    ).toMatchObject({ code: 'INVALID_AGENT_SIGNATURE' })
  })
})

describe('signPayment', () => {
  test("default: settled by a stranger through the token's transferWithAuthorization", async () => {
    const { authorize, signPayment, settle, isUsed, payees, purse } = await pursed()
    const authorization = authorize(usd('5'))
    const signature = await signPayment(authorization)
    await settle(authorization, signature)
    expect(await balanceOf(base, payees[0])).toBe(usd('5'))
    expect(await balanceOf(base, purse)).toBe(usd('5'))
    expect(await isUsed(authorization.nonce)).toBe(true)
    await expect(settle(authorization, signature)).rejects.toMatchObject({ code: 'REVERTED' })
  })

  test('args: proof, empty where the policy allows any payee', async () => {
    const it = await pursed({ payees: 'any' })
    const to = it.strangerKey.address
    const authorization = it.authorize(usd('5'), 'key-1', { to })
    const signature = await Purse.signPayment(it.agentKey, {
      permission: it.permission,
      authorization,
      proof: [],
    })
    await it.settle(authorization, signature)
    expect(await balanceOf(base, to)).toBe(usd('5'))
  })

  test.each([
    ['a unit above perCall', { value: 5_000_001n }],
    ['a payee that is not listed', { to: usdc[8453] }],
  ])('behavior: the purse does not agree to %s', async (_, changes) => {
    const { permission, authorize, signPayment } = await pursed()
    const authorization = authorize(usd('5'), 'key-1', changes)
    const hash = Purse.authorizationHash({ permission, authorization })
    const signature = await signPayment(authorization)
    expect(await Purse.isValid(client, { permission, hash, signature })).toBe(false)
  })

  test('error: somebody else than the agent', async () => {
    const { strangerKey, permission, authorize, proof } = await pursed()
    await expect(
      Purse.signPayment(strangerKey, { permission, authorization: authorize(1n), proof }),
    ).rejects.toMatchObject({ code: 'SIGNER_MISMATCH' })
  })

  test('error: what a purse can never accept', async () => {
    const { signPayment, authorize } = await pursed()
    for (const [field, changes] of [
      ['value', { value: 2n ** 112n }],
      ['validBefore', { validBefore: 2 ** 48 }],
      ['validAfter', { validAfter: -1 }],
      ['validAfter', { validAfter: 0.5 }],
    ] as const)
      await expect(signPayment(authorize(1n, 'key-1', changes))).rejects.toMatchObject({
        code: 'INVALID_AMOUNT',
        field,
      })
  })
})

describe('isValid', () => {
  test('default', async () => {
    const it = await pursed()
    const { permission } = it
    const authorization = it.authorize(usd('5'))
    const hash = Purse.authorizationHash({ permission, authorization })
    const signature = await it.signPayment(authorization)
    const ask = (blockNumber?: bigint) => Purse.isValid(client, { permission, hash, signature, blockNumber })
    expect(await ask()).toBe(true)

    await Guard.pause(it.owner, Guard.key(permission))
    expect(await ask()).toBe(false)
    expect(await ask((await client.getBlockNumber()) - 1n)).toBe(true)
    await Guard.resume(it.owner, Guard.key(permission))
    expect(await ask()).toBe(true)
    await Guard.revoke(it.owner, { permission })
    expect(await ask()).toBe(false)
  })

  test('behavior: not under another permission, nor for another hash', async () => {
    const { grant, permission, authorize, signPayment } = await pursed()
    const authorization = authorize(usd('5'))
    const hash = Purse.authorizationHash({ permission, authorization })
    const sibling = Permission.fromGrant(grant, { nonce: 1n })
    const signature = await signPayment(authorization, sibling)
    expect(await Purse.isValid(client, { permission, hash, signature })).toBe(false)
    const right = await signPayment(authorization)
    const other = Purse.authorizationHash({ permission, authorization: authorize(usd('4')) })
    expect(await Purse.isValid(client, { permission, hash: other, signature: right })).toBe(false)
  })

  test('behavior: a purse that is not deployed agrees to nothing', async () => {
    const { permission } = await guardScene(base, { rail: 'purse' })
    const hash = Permission.hash(permission)
    expect(await Purse.isValid(client, { permission, hash, signature: '0x' })).toBe(false)
  })
})

describe('cancel', () => {
  test('default: what was signed can no longer be settled', async () => {
    const { stranger, agentKey, permission, authorize, signPayment, settle, isUsed, payees } = await pursed()
    const authorization = authorize(usd('5'))
    const { nonce } = authorization
    const payment = await signPayment(authorization)
    const signature = await Purse.signCancellation(agentKey, { permission, nonce })
    const hash = Purse.cancellationHash({ permission, nonce })
    expect(await Purse.isValid(client, { permission, hash, signature })).toBe(true)
    expect(await Purse.cancel(stranger, { permission, nonce, signature })).toEqual(mined)
    expect(await isUsed(nonce)).toBe(true)
    await expect(settle(authorization, payment)).rejects.toMatchObject({ code: 'REVERTED' })
    expect(await balanceOf(base, payees[0])).toBe(0n)
  })

  test('error: settled before', async () => {
    const { stranger, agentKey, permission, authorize, signPayment, settle } = await pursed()
    const authorization = authorize(usd('5'))
    await settle(authorization, await signPayment(authorization))
    const { nonce } = authorization
    const signature = await Purse.signCancellation(agentKey, { permission, nonce })
    const error = await rejection(Purse.cancel(stranger, { permission, nonce, signature }))
    expect(error.code).toBe('REVERTED')
    expect(error.message).toContain('authorization is used or canceled')
  })

  test('error: signed by somebody else', async () => {
    const { strangerKey, permission, authorize } = await pursed()
    await expect(
      Purse.signCancellation(strangerKey, { permission, nonce: authorize(1n).nonce }),
    ).rejects.toMatchObject({ code: 'SIGNER_MISMATCH' })
  })
})

describe('sweep', () => {
  test('default: by the agent', async () => {
    const { agent, permission, wallet, purse } = await pursed()
    expect(await Purse.sweep(agent, { permission })).toEqual({
      already: false,
      amount: usd('10'),
      ...mined,
    })
    expect(await balanceOf(base, purse)).toBe(0n)
    expect(await balanceOf(base, wallet.address)).toBe(usd('1000'))
    // No meter is credited.
    expect(await Guard.used(client, { permission })).toMatchObject({ total: usd('10') })
  })

  test('args: by, the account', async () => {
    const { owner, permission, wallet } = await pursed()
    expect(await Purse.sweep(owner, { permission, by: wallet.address })).toMatchObject({ amount: usd('10') })
    const { account: by } = permission
    const { agent } = await pursed()
    expect(await rejection(Purse.sweep(agent, { permission, by }))).toMatchObject({ code: 'WRONG_SENDER' })
  })

  test('behavior: an empty purse, and one that is not deployed, are already', async () => {
    const it = await pursed()
    await Purse.sweep(it.agent, it)
    expect(await Purse.sweep(it.agent, it)).toEqual({ already: true })
    const undeployed = Permission.fromGrant(it.define())
    expect(await Purse.sweep(it.agent, { permission: undeployed })).toEqual({ already: true })
  })

  test('behavior: by anybody once it is revoked', async () => {
    const { stranger, strangerKey, owner, permission, wallet } = await pursed()
    expect(await rejection(Purse.sweep(stranger, { permission }))).toMatchObject({
      code: 'SWEEP_NOT_ALLOWED',
      figures: { caller: strangerKey.address },
    })
    await Guard.revoke(owner, { permission })
    expect(await Purse.sweep(stranger, { permission })).toMatchObject({ amount: usd('10') })
    expect(await balanceOf(base, wallet.address)).toBe(usd('1000'))
  })

  test('error: a stranger with another permission than the one that funded the purse', async () => {
    const { stranger, grant } = await pursed()
    const permission = Permission.fromGrant(grant, { nonce: 1n })
    expect(await rejection(Purse.sweep(stranger, { permission }))).toMatchObject({ code: 'NOT_FUNDED_BY' })
  })
})
