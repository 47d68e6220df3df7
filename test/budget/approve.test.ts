import { describe, expect, test } from 'vitest'
import { Grant, Permission, Spm } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.cases)('$name', ({ kind, rail }) => {
  test('default', async () => {
    const account = await kit.createAccount(base, { rail })
    const budget = await kit.open(base, account, kit.books(kind)())
    expect(await budget.status()).toMatchObject({ status: 'unapproved' })
    await budget.approve({ signature: account.signature })
    expect(await budget.check({ to: account.payee, amount: 1n })).toEqual({ allowed: true })
    expect(await budget.status()).toMatchObject({ status: 'active', paused: false })
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: approving twice sends nothing the second time', async () => {
    const { budget, agent, signature } = await kit.approved(base, kit.books(kind)(), { rail })
    const nonce = await base.client.getTransactionCount({ address: agent.address })
    await budget.approve({ signature })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(nonce)
  })

  test('behavior: approved by somebody else is approved', async () => {
    const account = await kit.createAccount(base, { rail })
    const budget = await kit.open(base, account, kit.books(kind)())
    await account.wallet.execute([Spm.prepareApprove({ permission: account.permission })])
    await budget.approve({ signature: account.signature })
    expect(await base.client.getTransactionCount({ address: account.agent.address })).toBe(0)
  })
})

const store = () => kit.books(kit.storeKinds[0] ?? fail())()
function fail(): never {
  throw new Error('There is a store.')
}

describe.each(kit.rails)('%s', (rail) => {
  test('behavior: an approval that was signed and never sent does not stop the next one', async () => {
    const account = await kit.createAccount(base, { rail })
    const books = store()
    const endpoint = kit.endpoint(base)
    const first = await kit.open(base, account, books, { client: endpoint.client })
    const died = new Promise<void>((resolve) => {
      endpoint.answer = kit.dieAt({ method: 'eth_sendRawTransaction', nth: 1, reaches: false }, resolve)
    })
    const failing = expect(first.approve({ signature: account.signature })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    })
    await died
    await failing
    await first.close()

    const second = await kit.open(base, account, books)
    await second.approve({ signature: account.signature })
    expect(await second.verify()).toMatchObject({ equal: true })
  })

  test('error: revoked before is final', async () => {
    const account = await kit.createAccount(base, { rail })
    const { permission, signature } = account
    await account.wallet.execute([Spm.prepareRevoke({ permission })])
    const budget = await kit.open(base, account, store())
    const error = await kit.refusal(budget.approve({ signature }))
    expect(error).toMatchObject({ code: 'REVOKED', retryable: false })
    expect(error.message).toContain(Permission.hash(permission))
  })

  test('error: a signature by somebody else', async () => {
    const account = await kit.createAccount(base, { rail })
    const stranger = await kit.createAccount(base, { rail })
    const budget = await kit.open(base, account, store())
    const signature = await stranger.wallet.account.signTypedData(Permission.typedData(account.permission))
    await expect(budget.approve({ signature })).rejects.toMatchObject({ code: 'INVALID_SIGNATURE' })
    expect(await base.client.getTransactionCount({ address: account.agent.address })).toBe(0)
  })

  test('behavior: a wallet that is not deployed yet is deployed by its signature', async () => {
    const account = await kit.createAccount(base, { rail }, { deployed: false })
    const budget = await kit.open(base, account, store())
    await budget.approve({ signature: account.signature })
    expect(await budget.spend(kit.order(account)('a'))).toMatchObject({ key: 'a' })
  })

  test.each([true, false])(
    'error: SPM_NOT_OWNER before anything is sent, deployed %s, until it is enabled',
    async (deployed) => {
      const account = await kit.createAccount(base, { rail }, { spm: false, deployed })
      const { agent, wallet, signature } = account
      const budget = await kit.open(base, account, store())
      const error = await kit.refusal(budget.approve({ signature }))
      expect(error).toMatchObject({ code: 'SPM_NOT_OWNER', figures: { account: wallet.address } })
      expect(error.message).toContain('Spm.enable')
      expect(await base.client.getTransactionCount({ address: agent.address })).toBe(0)
      await wallet.execute([Spm.prepareEnable({ account: wallet.address })])
      await budget.approve({ signature })
      expect(await budget.status()).toMatchObject({ status: 'active' })
    },
  )

  test('error: ACCOUNT_NOT_CONTRACT for an EOA, which could sign and never be spent from', async () => {
    const account = await kit.createAccount(base, { rail })
    const owner = await base.createAccount()
    const grant = Grant.define({
      owner: owner.address,
      agent: account.agent.address,
      rail,
      allow: [{ host: 'api.example.com', payTo: account.payee }],
      perDayUsd: '5',
    })
    const permission = Permission.fromGrant(grant)
    const budget = await kit.open(base, { ...account, grant, permission }, store())
    const signature = await owner.signTypedData(Permission.typedData(permission))
    const error = await kit.refusal(budget.approve({ signature }))
    expect(error).toMatchObject({ code: 'ACCOUNT_NOT_CONTRACT', figures: { account: owner.address } })
  })

  test('error: what is no signature', async () => {
    const budget = await kit.open(base, await kit.createAccount(base, { rail }), store())
    for (const given of [{ signature: 'hello' }, { signature: '0x' }, {}, undefined] as never[]) {
      await expect(budget.approve(given)).rejects.toMatchObject({ name: 'InputError', field: 'signature' })
    }
  })

  test('error: an agent without ETH', async () => {
    const account = await kit.createAccount(base, { rail }, { eth: '0' })
    const budget = await kit.open(base, account, store())
    const error = await kit.refusal(budget.approve({ signature: account.signature }))
    expect(error).toMatchObject({ code: 'GAS_LOW', retryable: true, figures: { balance: 0n } })
    expect(error.message).toContain(account.agent.address)
  })
})
