import { type Address, recoverTypedDataAddress, zeroHash } from 'viem'
import { describe, expect, test } from 'vitest'
import { hardcapGuardAbi } from '../../abi/index.js'
import { hardcapGuard, purseImplementation } from '../../src/Addresses.js'
import { Guard, Permission, Policy, Purse } from '../../src/index.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { guardScene, stranger } from './guardScene.js'

// What the library computes without a chain is what the guard computes.
const base = await useBase()
const contract = { address: hardcapGuard, abi: hardcapGuardAbi } as const

const task = Guard.task('report-7')

describe('hashes', () => {
  test('default: batch', async () => {
    const { permission, grant, payment, payees, deadline } = await guardScene(base)
    const payments = [payment(1n), payment(2n, payees[1]), payment(2n ** 112n - 1n, payees[1])]
    for (const batch of [
      Guard.batch(grant, { payments, deadline }),
      Guard.batch(grant, { payments: payments.slice(1), deadline: 0, task }),
      Guard.batch(grant, { payments: [], deadline: 2 ** 48 - 1, task: zeroHash }),
    ]) {
      const args = [Spm.toStruct(permission), Guard.toBatch(batch)] as const
      expect(Guard.batchHash({ permission, batch })).toBe(
        await base.client.readContract({ ...contract, functionName: 'hashBatch', args }),
      )
    }
  })

  test('default: funding', async () => {
    const { permission, funding } = await guardScene(base)
    for (const one of [funding(1n), { ...funding(2n ** 112n - 1n), task }]) {
      const args = [Spm.toStruct(permission), Guard.toFunding(one)] as const
      expect(Guard.fundingHash({ permission, funding: one })).toBe(
        await base.client.readContract({ ...contract, functionName: 'hashFunding', args }),
      )
    }
  })

  test('default: ticket', async () => {
    const { permission, deadline } = await guardScene(base)
    const { chainId, account, token, grantId } = Guard.key(permission)
    const args = [account, token, grantId, task, 7n, deadline] as const
    expect(Guard.ticketHash({ chainId, account, token, grantId, task, cap: 7n, deadline })).toBe(
      await base.client.readContract({ ...contract, functionName: 'hashTicket', args }),
    )
  })
})

describe('signBatch, signFunding, signTicket', () => {
  test('default', async () => {
    const it = await guardScene(base)
    const permission = Permission.fromGrant(it.define({ orchestrator: it.orchestratorKey.address }))
    const batch = it.batch(1n)
    const ticket = await Guard.signTicket(it.orchestratorKey, { permission, task, cap: 1n, deadline: 2 })
    expect(
      await recoverTypedDataAddress({
        ...Guard.batchTypedData({ permission, batch }),
        signature: await Guard.signBatch(it.agentKey, { permission, batch }),
      }),
    ).toBe(it.agentKey.address)
    const funding = it.funding(1n)
    expect(
      await recoverTypedDataAddress({
        ...Guard.fundingTypedData({ permission, funding }),
        signature: await Guard.signFunding(it.agent, { permission, funding }),
      }),
    ).toBe(it.agentKey.address)
    expect(ticket).toMatchObject({ cap: 1n, deadline: 2 })
    expect(
      await recoverTypedDataAddress({
        ...Guard.ticketTypedData({ ...Guard.key(permission), task, cap: 1n, deadline: 2 }),
        signature: ticket.signature,
      }),
    ).toBe(it.orchestratorKey.address)
  })

  test('error: somebody else, or nobody', async () => {
    const { strangerKey, permission, batch, funding } = await guardScene(base)
    const mismatch = { code: 'SIGNER_MISMATCH' }
    await expect(Guard.signBatch(strangerKey, { permission, batch: batch(1n) })).rejects.toMatchObject(
      mismatch,
    )
    await expect(Guard.signFunding(strangerKey, { permission, funding: funding(1n) })).rejects.toMatchObject(
      mismatch,
    )
    const ticket = { permission, task, cap: 1n, deadline: 2 }
    await expect(Guard.signTicket(strangerKey, ticket)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  test('error: a permission of the direct rail', async () => {
    const { agentKey, define, batch } = await guardScene(base)
    const permission = Permission.fromGrant(define({ rail: 'direct' }))
    await expect(Guard.signBatch(agentKey, { permission, batch: batch(1n) })).rejects.toMatchObject({
      code: 'MALFORMED_POLICY',
    })
  })
})

describe('addresses', () => {
  test("default: the implementation of purses is the guard's", async () => {
    expect(await base.client.readContract({ ...contract, functionName: 'purseImplementation' })).toBe(
      purseImplementation,
    )
  })

  test('default: a purse', async () => {
    for (const _ of [1, 2, 3]) {
      const of = {
        account: stranger(),
        token: stranger(),
        grantId: Guard.task(stranger()),
        agent: stranger(),
      }
      const args = [of.account, of.token, of.grantId, of.agent] as const
      const purse: Address = await base.client.readContract({ ...contract, functionName: 'purseOf', args })
      expect(Purse.addressOf(of)).toBe(purse)
    }
  })
})

test('explain: what the library encodes, the guard decodes', async () => {
  const { define, orchestratorKey } = await guardScene(base)
  const terms = { perTaskUsd: '6', perWindowUsd: '7', window: 3600, orchestrator: orchestratorKey.address }
  const grant = define({ rail: 'purse', ...terms })
  const data = Policy.encode(Policy.fromGrant(grant))
  expect(await Guard.explain(base.client, { extraData: data })).toEqual(Policy.decode(data))
})
