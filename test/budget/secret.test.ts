// An endpoint's URL often holds a key: no error shows it, whatever fails.
import { createPublicClient, http } from 'viem'
import { expect, test } from 'vitest'
import { memory } from '../../src/index.js'
import { useBase } from '../base.js'
import { Says, Status, startRpc } from '../ledger/rpc.js'
import * as kit from './kit.js'

const base = await useBase()
kit.endAfterEach()

async function secretRpc() {
  const rpc = await startRpc(base)
  kit.later(rpc.stop)
  const transport = http(`${rpc.url}/v2/secret-key`, { retryCount: 0 })
  const client = createPublicClient({ chain: base.chain, transport, pollingInterval: 5, cacheTime: 0 })
  return { rpc, client }
}

/** All that a program or a person can read of it. */
function shown(error: unknown): string {
  const { name, message, figures } = error as Error & { figures?: unknown }
  return `${name} ${message} ${JSON.stringify(figures, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`
}

test('error: the count of the agent at the head fails', async () => {
  const { rpc, client } = await secretRpc()
  const it = await kit.approved(base, memory(), { rail: 'guard' }, { client, pollMs: 3_600_000 })
  const signed = new Promise<void>((resolve) => {
    rpc.lie = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction') return forward()
      resolve()
      throw new Says(-32000, 'dropped')
    }
  })
  void kit.settledAs(it.budget.spend(it.order('a')))
  await signed
  rpc.lie = async ({ method, params }, forward) => {
    if (method === 'eth_sendRawTransaction') throw new Says(-32000, 'dropped')
    const at = String(params[1])
    if (method === 'eth_getTransactionCount' && at.startsWith('0x')) throw new Status(500)
    return forward()
  }
  const error = await kit.settledAs(it.budget.sync())
  expect(error).toBeInstanceOf(Error)
  expect(shown(error)).not.toContain('secret-key')
})

test('error: the receipt of an approval fails', async () => {
  const { rpc, client } = await secretRpc()
  const account = await kit.createAccount(base, { rail: 'guard' })
  const budget = await kit.open(base, account, memory(), { client })
  rpc.lie = async ({ method }, forward) => {
    if (method === 'eth_getTransactionReceipt') throw new Status(500)
    return forward()
  }
  const error = await kit.settledAs(budget.approve({ signature: account.signature }))
  expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(shown(error)).not.toContain('secret-key')
})
