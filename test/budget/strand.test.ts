import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'
import { blacklist } from './blacklist.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

describe.each(kit.storeKinds)('$name', (kind) => {
  /** A payment whose payee is blacklisted between its pull and its transfer, as often as it is tried. */
  async function stranded() {
    const endpoint = kit.endpoint(base)
    const { client } = endpoint
    const told: string[] = []
    const onReceipt = ({ event }: { event: string }) => told.push(event)
    const account = await kit.approved(base, kit.books(kind)(), {}, { client, onReceipt })
    const token = account.grant.token.address
    endpoint.answer = async ({ method }, forward) => {
      const answer = await forward()
      if (method !== 'eth_sendRawTransaction') return answer
      endpoint.answer = (_, forward) => forward()
      await kit.mined(base, answer)
      await blacklist(base, token, 'blacklist', account.payee)
      return answer
    }
    const error = await kit.refusal(account.budget.spend(account.order('a')))
    return { ...account, endpoint, token, told, error }
  }

  test('error: STRANDED where the payee is blacklisted after the pull', async () => {
    const { error, budget, agent, payee, token, told } = await stranded()
    expect(error).toMatchObject({
      code: 'STRANDED',
      retryable: true,
      figures: { amount: kit.usd('1'), payee },
    })
    expect(await budget.payment('a')).toMatchObject({ status: 'stranded' })
    expect(await kit.balanceOf(base, agent.address, token)).toBe(kit.usd('1'))
    expect(await budget.spentTotalUsd()).toBe('1')
    expect(told).toEqual(['reserved', 'stranded'])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: the same key tries again, and pays without another pull', async () => {
    const { budget, order, payee, token } = await stranded()
    expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'STRANDED' })
    await blacklist(base, token, 'unBlacklist', payee)
    expect(await budget.spend(order('a'))).toMatchObject({ amount: kit.usd('1') })
    expect(await kit.balanceOf(base, payee, token)).toBe(kit.usd('1'))
    expect(await budget.spentTotalUsd()).toBe('1')
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: one stranded payment does not stop the next one', async () => {
    const { budget, order, payee, token } = await stranded()
    await blacklist(base, token, 'unBlacklist', payee)
    expect(await budget.spend(order('b'))).toMatchObject({ key: 'b' })
    expect(await budget.payment('a')).toMatchObject({ status: 'stranded' })
  })

  test('error: STRANDED where a thief takes the money between the legs', async () => {
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, kit.books(kind)(), {}, { client: endpoint.client })
    endpoint.answer = async ({ method }, forward) => {
      const answer = await forward()
      if (method !== 'eth_sendRawTransaction') return answer
      endpoint.answer = (_, forward) => forward()
      await kit.mined(base, answer)
      await kit.stealTransfer(base, account, kit.usd('1'))
      return answer
    }
    const { budget, order } = account
    expect(await kit.refusal(budget.spend(order('a')))).toMatchObject({ code: 'STRANDED' })
    const events = (await budget.receipts()).map(({ event, note }) => `${event} ${note}`)
    expect(events).toEqual(['reserved reserved', 'foreign FOREIGN_TRANSFER', 'stranded STRANDED'])
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('behavior: a pull that a reorganisation takes away under the transfer strands nothing', async () => {
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, kit.books(kind)(), {}, { client: endpoint.client })
    const { budget, order, payee, grant } = account
    const token = grant.token.address
    let before = async () => {}
    endpoint.answer = async ({ method, params }, forward) => {
      if (method === 'eth_sendRawTransaction') before = await base.snapshot()
      const [call] = (params ?? []) as { to?: string }[]
      if (method !== 'eth_call' || call?.to?.toLowerCase() !== token.toLowerCase()) return forward()
      endpoint.answer = (_, forward) => forward()
      await kit.replaceBlocks(base, before, 1)
      return forward()
    }
    await budget.spend(order('a'))
    expect((await budget.receipts()).map(({ event }) => event)).toEqual(['reserved', 'settled'])
    expect(await kit.balanceOf(base, payee, token)).toBe(kit.usd('1'))
    expect(await budget.verify()).toMatchObject({ equal: true })
  })

  test('error: GAS_LOW for what the gas of payments under way does not leave room for', async () => {
    const { budget, order, agent, payee, grant } = await kit.approved(base, kit.books(kind)())
    const setBalance = (value: bigint) => base.client.setBalance({ address: agent.address, value })
    await setBalance(0n)
    const { figures } = await kit.refusal(budget.spend(order('a')))
    await setBalance((BigInt(String(figures.needed)) * 3n) / 2n)
    // No block comes, so that the balance still looks as if nothing was under way.
    await base.client.setAutomine(false)
    const [first, ...others] = ['a', 'b', 'c'].map((key) => budget.spend(order(key)))
    for (const other of others) expect(await kit.refusal(other)).toMatchObject({ code: 'GAS_LOW' })
    await base.client.setAutomine(true)
    await base.mine()
    expect(await first).toMatchObject({ key: 'a' })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await kit.balanceOf(base, agent.address, grant.token.address)).toBe(0n)
  })

  test('error: GAS_LOW where a thief takes the ETH between the legs; the payment goes on when there is some', async () => {
    const endpoint = kit.endpoint(base)
    const account = await kit.approved(base, kit.books(kind)(), {}, { client: endpoint.client })
    const { budget, order, agent, payee, grant } = account
    endpoint.answer = async ({ method }, forward) => {
      const answer = await forward()
      if (method !== 'eth_sendRawTransaction') return answer
      await kit.mined(base, answer)
      await base.client.setBalance({ address: agent.address, value: 0n })
      return answer
    }
    const error = await kit.refusal(budget.spend(order('a')))
    expect(error).toMatchObject({ code: 'GAS_LOW', retryable: true })
    expect(await budget.payment('a')).toMatchObject({ status: 'pulled' })
    endpoint.answer = (_, forward) => forward()
    await base.client.setBalance({ address: agent.address, value: 10n ** 18n })
    await budget.spend(order('a'))
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect(await budget.spentTotalUsd()).toBe('1')
  })

  test('behavior: a worker that another one outruns between the legs opens, and strands nothing', async () => {
    const [slow, fast] = [kit.endpoint(base), kit.endpoint(base)]
    const open = kit.books(kind)
    const account = await kit.approved(base, open(), {}, { client: fast.client })
    const { budget, order, payee, grant } = account
    let go = () => {}
    const going = new Promise<void>((resolve) => {
      go = resolve
    })
    const atTransfer = new Promise<void>((resolve) => {
      let estimates = 0
      fast.answer = async ({ method }, forward) => {
        if (method === 'eth_estimateGas' && ++estimates === 2) {
          resolve()
          await going
        }
        return forward()
      }
    })
    const spending = budget.spend(order('a'))
    await atTransfer
    slow.answer = async ({ method }, forward) => {
      if (method !== 'eth_estimateGas') return forward()
      go()
      await spending
      return forward()
    }
    const other = await kit.open(base, account, open(), { client: slow.client })
    expect(await other.spend(order('a'))).toMatchObject({ key: 'a' })
    expect(await kit.balanceOf(base, payee, grant.token.address)).toBe(kit.usd('1'))
    expect((await other.receipts()).map(({ event }) => event)).toEqual(['reserved', 'settled'])
    expect(await other.verify()).toMatchObject({ equal: true })
  })
})
