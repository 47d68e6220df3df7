import { describe, expect, test } from 'vitest'
import { useBase } from '../base.js'

const base = await useBase()
const { client } = base

describe('now', () => {
  test('default', async () => {
    const { timestamp } = await client.getBlock()
    expect(await base.now()).toBe(Number(timestamp))
  })

  test('behavior: time passes with blocks alone, two seconds each', async () => {
    const before = await base.now()
    const account = await base.createAccount()
    await client.sendTransactionSync({ account, to: account.address })
    expect(await base.now()).toBe(before + 2)
    await base.mine(3)
    expect(await base.now()).toBe(before + 8)
  })
})

describe('warp', () => {
  test('default', async () => {
    const block = await client.getBlockNumber()
    const later = (await base.now()) + 86_400
    await base.warp(later)
    expect(await base.now()).toBe(later)
    expect(await client.getBlockNumber()).toBe(block + 1n)
  })

  test('behavior: the time goes on from there', async () => {
    const later = (await base.now()) + 1
    await base.warp(later)
    await base.mine()
    expect(await base.now()).toBe(later + 2)
  })

  test('error: a time that is past', async () => {
    const now = await base.now()
    await expect(base.warp(now)).rejects.toMatchObject({
      name: 'TestingError',
      code: 'TIME_PASSED',
      figures: { timestamp: now, now },
    })
  })

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY])('error: %s is no time', async (timestamp) => {
    await expect(base.warp(timestamp)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('nextBlockAt', () => {
  test('default', async () => {
    const account = await base.createAccount()
    const block = await client.getBlockNumber()
    const later = (await base.now()) + 1_000
    await base.nextBlockAt(later)
    expect(await client.getBlockNumber()).toBe(block)
    const { blockNumber } = await client.sendTransactionSync({ account, to: account.address })
    expect(blockNumber).toBe(block + 1n)
    expect(await base.now()).toBe(later)
  })

  test('error: a time that is past', async () => {
    await expect(base.nextBlockAt(1)).rejects.toMatchObject({ code: 'TIME_PASSED' })
  })
})

describe('finalize', () => {
  test('default', async () => {
    const block = await client.getBlockNumber()
    await base.finalize()
    const finalized = await client.getBlock({ blockTag: 'finalized' })
    expect(finalized.number).toBe(block)
  })
})
