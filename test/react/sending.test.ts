import { type Address, createWalletClient, type Hex, http, numberToHex } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import * as Sending from '../../src/react/Sending.js'
import { useBase } from '../base.js'
import { connected } from './wallet.js'

const base = await useBase()
const chainId = base.chain.id
const doing = 'Paying'
afterEach(() => base.client.setAutomine(true))

async function begin() {
  const key = await base.createAccount()
  const { address: to } = await base.createAccount()
  const call = { to, data: '0x', value: 5n } as const
  const before = await base.client.getBalance({ address: to })
  const received = async () => (await base.client.getBalance({ address: to })) - before
  return { key, call, received, options: { account: key.address, chainId, calls: [call], doing } }
}

test('default', async () => {
  const { key, options, received } = await begin()
  const { config } = await connected(base, key)
  const { hashes } = await Sending.send(config, options)
  expect(hashes).toHaveLength(1)
  expect(await received()).toBe(5n)
})

describe('what the owner sends in the place of it', () => {
  type Put = { to: Address; value: bigint }

  /** A wallet whose owner puts another transaction in the place of the one that was sent, before that is in a block. */
  async function replacing(put: (begun: { to: Address; from: Address; value: bigint }) => Put) {
    const begun = await begin()
    const { key, call } = begun
    const from = key.address
    const wallet = createWalletClient({ account: key, chain: base.chain, transport: http() })
    const nonce = await base.client.getTransactionCount({ address: from })
    const fees = await base.client.estimateFeesPerGas()
    const sent: Hex[] = []
    const send = async ({ to, value }: Put, times: bigint) => {
      const maxFeePerGas = fees.maxFeePerGas * times
      const maxPriorityFeePerGas = fees.maxPriorityFeePerGas * times + times
      const gas = { gas: 21_000n, maxFeePerGas, maxPriorityFeePerGas }
      sent.push(await wallet.sendTransaction({ to, value, nonce, ...gas }))
      return sent.at(-1)
    }
    const { config } = await connected(base, key, {
      eth_sendTransaction: async () => {
        await base.client.setAutomine(false)
        return send(call, 1n)
      },
      // Whoever waits for it sees it once.
      eth_getTransactionByHash: async () => {
        const params = [sent[0] as Hex] as const
        const seen = await base.client.request({ method: 'eth_getTransactionByHash', params: [...params] })
        if (sent.length === 1) {
          await send(put({ ...call, from }), 3n)
          await base.mine()
        }
        return seen
      },
    })
    return { ...begun, config, sent }
  }

  test('behavior: the same at another price is it', async () => {
    const { config, options, sent, received } = await replacing(({ to, value }) => ({ to, value }))
    expect(await Sending.send(config, options)).toEqual({ hashes: [sent[1]] })
    expect(await received()).toBe(5n)
  })

  test.each([
    ['nothing', 'cancelled', ({ from }: { from: Address }) => ({ to: from, value: 0n })],
    ['something else', 'replaced', ({ to }: { to: Address }) => ({ to, value: 1n })],
  ] as const)('error: %s is not it', async (_, reason, put) => {
    const { config, options, sent, received } = await replacing(put)
    const error = await Sending.send(config, options).catch((error: unknown) => error)
    expect(sent).toHaveLength(2)
    expect(error).toMatchObject({
      name: 'OwnerError',
      code: 'CALLS_REPLACED',
      retryable: false,
      figures: { hash: sent[0], replacement: sent[1], reason },
    })
    expect(await received()).toBe(reason === 'cancelled' ? 0n : 1n)
  })
})

describe('calls that are made as one', () => {
  const capabilities = () => ({ [numberToHex(chainId)]: { atomic: { status: 'supported' } } })

  async function batching(status: () => unknown) {
    const begun = await begin()
    const answers = {
      wallet_getCapabilities: capabilities,
      wallet_sendCalls: () => ({ id: '0xca11' }),
      wallet_getCallsStatus: status,
    }
    return { ...begun, ...(await connected(base, begun.key, answers)) }
  }

  test('error: the wallet takes them and does not say what became of them', async () => {
    const { config, options } = await batching(() => {
      throw Object.assign(new Error('Away.'), { code: 4001 })
    })
    await expect(Sending.send(config, options)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('0xca11'),
      retryable: false,
      figures: { id: '0xca11' },
    })
  })

  test('error: the chain reverts them', async () => {
    const { config, options } = await batching(() => ({ id: '0xca11', status: 500, receipts: [] }))
    await expect(Sending.send(config, options)).rejects.toMatchObject({ code: 'CALLS_FAILED' })
  })
})
