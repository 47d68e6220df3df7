// The agent's ETH is watched: a warning below a threshold, once each time, and a refusal before anything is signed.
import { parseEther } from 'viem'
import { describe, expect, test } from 'vitest'
import { GrantError, type OpenBudgetOptions } from '../../src/index.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.rails)('%s', (rail) => {
  const [kind] = kit.storeKinds
  async function start(options: Partial<OpenBudgetOptions> = {}) {
    if (!kind) throw new Error('There is a store.')
    const told: GrantError[] = []
    const onError = (error: unknown) => {
      if (error instanceof GrantError) told.push(error)
    }
    const account = await kit.approved(base, kit.books(kind)(), { rail }, { onError, ...options })
    const setBalance = (eth: string) =>
      base.client.setBalance({ address: account.agent.address, value: parseEther(eth) })
    return { ...account, told, setBalance }
  }

  test('default: below 0.0005 ETH', async () => {
    const { budget, told, setBalance, order } = await start()
    await budget.spend(order('a'))
    expect(told).toEqual([])
    await setBalance('0.00049')
    await budget.spend(order('b')).catch(() => {})
    await budget.sync()
    expect(told).toMatchObject([{ code: 'GAS_WARNING', figures: { threshold: parseEther('0.0005') } }])
  })

  test('behavior: told once each time that it falls below', async () => {
    const { budget, order, told, setBalance, agent } = await start({ gasWarningWei: parseEther('5') })
    await setBalance('4')
    await budget.spend(order('a', '0.1'))
    await budget.spend(order('b', '0.1'))
    await budget.sync()
    const [warning] = told
    expect(told).toHaveLength(1)
    expect(warning).toMatchObject({ message: expect.stringContaining(agent.address) })
    const { balance, payments } = warning?.figures ?? {}
    expect(balance).toBeLessThan(parseEther('5'))
    expect(payments).toBeGreaterThan(0n)
    await setBalance('6')
    await budget.spend(order('c', '0.1'))
    await budget.sync()
    await setBalance('4')
    await budget.spend(order('d', '0.1'))
    await budget.sync()
    expect(told.map(({ code }) => code)).toEqual(['GAS_WARNING', 'GAS_WARNING'])
  })

  test('args: gasWarningWei, the threshold; when opened it is looked at too', async () => {
    const { told } = await start({ gasWarningWei: parseEther('11') })
    expect(told).toMatchObject([{ code: 'GAS_WARNING', figures: { threshold: parseEther('11') } }])
  })

  test('error: GAS_LOW before anything is signed', async () => {
    const { budget, order, setBalance, agent } = await start()
    await setBalance('0')
    const nonce = await base.client.getTransactionCount({ address: agent.address })
    expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'GAS_LOW', retryable: true })
    expect(await base.client.getTransactionCount({ address: agent.address })).toBe(nonce)
    expect(await budget.payment('a')).toMatchObject({ status: 'released' })
  })
})
