import { parseEther, parseGwei } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'

const base = await useBase()
const { client } = base

describe('snapshot', () => {
  test('default', async () => {
    const { address } = await base.createAccount()
    const [block, time] = [await client.getBlockNumber(), await base.now()]
    const revert = await base.snapshot()
    await base.fundEth(address, 1n)
    await base.warp(time + 1_000)
    await revert()
    expect(await client.getBalance({ address })).toBe(parseEther('10'))
    expect(await client.getBlockNumber()).toBe(block)
    expect(await base.now()).toBe(time)
  })

  test('behavior: a snapshot is good for any number of reverts', async () => {
    const block = await client.getBlockNumber()
    const revert = await base.snapshot()
    for (const blocks of [1, 2, 3]) {
      await base.mine(blocks)
      await revert()
      expect(await client.getBlockNumber()).toBe(block)
    }
  })

  test('behavior: the times of blocks go on from the snapshot', async () => {
    const time = await base.now()
    const revert = await base.snapshot()
    await base.nextBlockAt(time + 1_000)
    await revert()
    await base.mine()
    expect(await base.now()).toBe(time + 2)
  })

  test('error: a snapshot later than the one that the chain was reverted to', async () => {
    const revertOuter = await base.snapshot()
    const revertInner = await base.snapshot()
    await revertOuter()
    await expect(revertInner()).rejects.toMatchObject({ name: 'TestingError', code: 'SNAPSHOT_GONE' })
  })
})

describe('reorg', () => {
  const send = async (from?: PrivateKeyAccount) => {
    const account = from ?? (await base.createAccount())
    return client.sendTransactionSync({ account, to: account.address, maxFeePerGas: parseGwei('100') })
  }

  test('default', async () => {
    const receipt = await send()
    const latest = await client.getBlockNumber()
    expect(await base.reorg(1)).toEqual([receipt.transactionHash])
    await expect(client.getTransactionReceipt({ hash: receipt.transactionHash })).rejects.toMatchObject({
      name: 'TransactionReceiptNotFoundError',
    })
    expect(await client.getBlockNumber()).toBe(latest)
    expect((await client.getBlock()).hash).not.toBe(receipt.blockHash)
    expect(await client.getTransactionCount({ address: receipt.from })).toBe(0)
  })

  test('behavior: earlier blocks and balances stay', async () => {
    const kept = await send()
    const dropped = await send()
    expect(await base.reorg(1)).toEqual([dropped.transactionHash])
    const { blockHash } = await client.getTransactionReceipt({ hash: kept.transactionHash })
    expect(blockHash).toBe(kept.blockHash)
    expect(await client.getBalance({ address: dropped.from })).toBe(parseEther('10'))
  })

  test('behavior: what is dropped is not mined later', async () => {
    const { transactionHash } = await send()
    await base.reorg(1)
    await base.mine()
    expect((await client.getBlock()).transactions).not.toContain(transactionHash)
  })

  test('args: keep', async () => {
    const [one, two, three] = [
      await base.createAccount(),
      await base.createAccount(),
      await base.createAccount(),
    ]
    const first = await send(one)
    const second = await send(two)
    const third = await send(three)
    const keep = [third.transactionHash, first.transactionHash]
    expect(await base.reorg(3, { keep })).toEqual([second.transactionHash])
    const block = await client.getBlock()
    expect(block.number).toBe(third.blockNumber)
    expect(new Set(block.transactions)).toEqual(new Set(keep))
  })

  test('behavior: a transaction to keep goes with the earlier one of its sender', async () => {
    const account = await base.createAccount()
    const earlier = await send(account)
    const later = await send(account)
    const dropped = [earlier.transactionHash, later.transactionHash]
    expect(await base.reorg(2, { keep: [later.transactionHash] })).toEqual(dropped)
    await base.mine()
    expect(await client.getTransactionCount(account)).toBe(0)
  })

  test('error: deeper than the chain’s own blocks', async () => {
    await base.mine(2)
    const deepest = (await client.getBlockNumber()) - base.startBlock
    await expect(base.reorg(Number(deepest) + 1)).rejects.toMatchObject({
      code: 'REORG_TOO_DEEP',
      figures: { deepest },
    })
  })

  test.each([0, -1, 1.5])('error: %s blocks', async (depth) => {
    await base.mine(2)
    await expect(base.reorg(depth)).rejects.toMatchObject({ code: 'REORG_TOO_DEEP' })
  })

  test('error: a transaction to keep that is not there', async () => {
    const { transactionHash: hash } = await send()
    await base.mine()
    await expect(base.reorg(1, { keep: [hash] })).rejects.toMatchObject({
      code: 'REORG_UNKNOWN_TRANSACTION',
      figures: { hash, depth: 1 },
    })
  })
})
