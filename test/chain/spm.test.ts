import { encodeFunctionData, type Log } from 'viem'
import { describe, expect, test } from 'vitest'
import { coinbaseSmartWalletAbi } from '../../abi/index.js'
import { nativeToken, usdc } from '../../src/Addresses.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import * as Wallet from '../../src/Wallet.js'
import { useBase } from '../base.js'
import * as kit from './kit.js'
import { approved, scene } from './scene.js'

const base = await useBase()
const { day } = kit

/** One block with these transactions, as if some other relayer had sent them. */
async function relay(...raws: kit.Raw[]) {
  const receipts = await kit.mineAt(base, (await base.now()) + 1, raws)
  expect(receipts.map((receipt) => receipt.status)).toEqual(raws.map(() => 'success'))
  return receipts.flatMap((receipt) => receipt.logs)
}

const parse = (logs: readonly Log[]) => Spm.parseLogs({ logs, chainId: 8453 })

describe('reads', () => {
  test('default', async () => {
    const { agent, permission } = await approved(base)
    expect(await Spm.isApproved(base.client, { permission })).toBe(true)
    expect(await Spm.isRevoked(base.client, { permission })).toBe(false)
    const period = { start: permission.start, end: permission.start + day }
    expect(await Spm.getLastUpdatedPeriod(base.client, { permission })).toEqual({
      start: 0,
      end: 0,
      spent: 0n,
    })
    expect(await Spm.getCurrentPeriod(base.client, { permission })).toEqual({ ...period, spent: 0n })
    await Spm.spend(agent, { permission, amount: 5n })
    expect(await Spm.getLastUpdatedPeriod(base.client, { permission })).toEqual({ ...period, spent: 5n })
  })

  test('args: blockNumber', async () => {
    const { owner, agent, permission } = await approved(base)
    const blockNumber = await base.client.getBlockNumber()
    await Spm.spend(agent, { permission, amount: 5n })
    await Spm.revoke(owner, { permission })
    const then = { permission, blockNumber }
    expect(await Spm.isApproved(base.client, { permission, blockNumber: blockNumber - 1n })).toBe(false)
    expect(await Spm.isApproved(base.client, then)).toBe(true)
    expect(await Spm.isRevoked(base.client, then)).toBe(false)
    expect(await Spm.getCurrentPeriod(base.client, then)).toMatchObject({ spent: 0n })
    expect(await Spm.getLastUpdatedPeriod(base.client, then)).toMatchObject({ spent: 0n })
  })

  test('behavior: the stored period outlives its time, the current one does not', async () => {
    const { agent, permission } = await approved(base)
    await Spm.spend(agent, { permission, amount: 5n })
    const second = permission.start + day
    await base.warp(second)
    expect(await Spm.getLastUpdatedPeriod(base.client, { permission })).toMatchObject({
      end: second,
      spent: 5n,
    })
    expect(await Spm.getCurrentPeriod(base.client, { permission })).toEqual({
      start: second,
      end: second + day,
      spent: 0n,
    })
  })

  test('error: there is no current period outside the dates', async () => {
    const start = (await base.now()) + 3_600
    const { permission } = await scene(base, {}, { start, end: start + 10 })
    expect(await kit.rejection(Spm.getCurrentPeriod(base.client, { permission }))).toMatchObject({
      code: 'BEFORE_SPEND_PERMISSION_START',
    })
    await base.warp(start + 10)
    expect(await kit.rejection(Spm.getCurrentPeriod(base.client, { permission }))).toMatchObject({
      code: 'AFTER_SPEND_PERMISSION_END',
    })
  })
})

describe('parseLogs', () => {
  test('default: what happened, in order, with the permission whole', async () => {
    const { wallet, permission, agentKey, strangerKey } = await scene(base)
    const signature = await Permission.sign(wallet, permission)
    const logs = await relay(
      { from: strangerKey, call: Spm.prepareApproveWithSignature({ permission, signature }) },
      { from: agentKey, call: Spm.prepareSpend({ permission, amount: 40n }) },
      { from: agentKey, call: Spm.prepareSpend({ permission, amount: 2n }) },
      { from: agentKey, call: Spm.prepareRevokeAsSpender({ permission }) },
    )
    const { account, spender, token, start } = permission
    const used = { type: 'used', account, spender, token, period: { start, end: start + day } }
    const hash = Permission.hash(permission)
    const events = parse(logs)
    expect(events).toMatchObject([
      { type: 'approved', hash, permission },
      { ...used, hash, amount: 40n },
      // The increment, not the sum.
      { ...used, hash, amount: 2n },
      { type: 'revoked', hash, permission },
    ])
    for (const event of events) {
      const log = logs.find(({ logIndex }) => logIndex === event.logIndex)
      const { blockNumber, blockHash, transactionHash } = event
      expect(log).toMatchObject({ blockNumber, blockHash, transactionHash })
    }
  })

  test('behavior: other logs are nobody, and neither are those that are not in a block yet', async () => {
    const { permission, agentKey } = await approved(base)
    const logs = await relay({ from: agentKey, call: Spm.prepareSpend({ permission, amount: 40n }) })
    const used = logs.filter((log) => parse([log]).length === 1)
    expect(used).toHaveLength(1)
    expect(logs.length).toBeGreaterThan(1)
    expect(parse(used.map((log) => ({ ...log, address: usdc[8453] })))).toEqual([])
    expect(parse(used.map((log) => ({ ...log, topics: [] })))).toEqual([])
    expect(parse(used.map((log) => ({ ...log, blockNumber: null })))).toEqual([])
  })
})

describe('calls', () => {
  const asOwner = (account: kit.Raw['from'], wallet: `0x${string}`, call: Spm.Call): kit.Raw => ({
    from: account,
    call: Wallet.prepareExecute({ account: wallet, call }),
  })

  test('default: in one block a relayer enables, approves, replaces and revokes for the account', async () => {
    const { permission: from, wallet, ownerKey } = await scene(base, { spm: false })
    const to = { ...from, salt: from.salt + 1n }
    const lastUpdatedPeriod = { start: 0, end: 0, spent: 0n }
    const logs = await relay(
      { from: ownerKey, call: Spm.prepareEnable({ account: wallet.address }) },
      asOwner(ownerKey, wallet.address, Spm.prepareApprove({ permission: from })),
      asOwner(ownerKey, wallet.address, Spm.prepareReplace({ from, to, lastUpdatedPeriod })),
      asOwner(ownerKey, wallet.address, Spm.prepareRevoke({ permission: to })),
    )
    expect(parse(logs).map((event) => [event.type, event.hash])).toEqual([
      ['approved', Permission.hash(from)],
      ['revoked', Permission.hash(from)],
      ['approved', Permission.hash(to)],
      ['revoked', Permission.hash(to)],
    ])
  })

  test('behavior: many calls as one of the smart wallet', async () => {
    const { permission, wallet, ownerKey } = await scene(base, { spm: false })
    const calls = [Spm.prepareEnable({ account: wallet.address }), Spm.prepareApprove({ permission })]
    const batch = calls.map(({ to: target, ...call }) => ({ target, ...call }))
    const data = encodeFunctionData({
      abi: coinbaseSmartWalletAbi,
      functionName: 'executeBatch',
      args: [batch],
    })
    const logs = await relay({ from: ownerKey, call: { to: wallet.address, data, value: 0n } })
    expect(parse(logs)).toMatchObject([{ type: 'approved' }])
  })

  test('behavior: a passkey has them in a user operation, also before its wallet is deployed', async () => {
    const { agent, agentKey } = await scene(base)
    const wallet = await base.createWallet({ owner: 'passkey', spm: false, deployed: false, usdc: 1_000n })
    const permission = await kit.permissionOf(base, wallet.address, agentKey.address)
    await wallet.execute([Spm.prepareEnable({ account: wallet.address }), Spm.prepareApprove({ permission })])
    expect(await Spm.spend(agent, { permission, amount: 9n })).toMatchObject({ amount: 9n })
    await wallet.execute([Spm.prepareRevoke({ permission })])
    expect(await Spm.isRevoked(base.client, { permission })).toBe(true)
  })

  test('behavior: a payment on the direct rail is a pull and a transfer', async () => {
    const { permission, agentKey, strangerKey } = await approved(base)
    await relay(
      { from: agentKey, call: Spm.prepareSpend({ permission, amount: 30n }) },
      {
        from: agentKey,
        call: Spm.prepareTransfer({ token: permission.token, to: strangerKey.address, amount: 30n }),
      },
    )
    expect(await kit.balanceOf(base, strangerKey.address)).toBe(30n)
    expect(await kit.balanceOf(base, agentKey.address)).toBe(0n)
  })

  test('behavior: a transfer of the native token carries the amount', () => {
    const to = '0x000000000000000000000000000000000000dEaD'
    expect(Spm.prepareTransfer({ token: nativeToken, to, amount: 3n })).toEqual({ to, data: '0x', value: 3n })
  })

  test('behavior: a replacement without the account is the revocation, then the approval', async () => {
    const { wallet, permission: from, agentKey, strangerKey } = await approved(base)
    const to = { ...from, salt: from.salt + 1n }
    const signature = await Permission.sign(wallet, to)
    const [revoke, approve] = Spm.prepareReplaceAsSpender({ from, to, signature })
    const logs = await relay({ from: agentKey, call: revoke }, { from: strangerKey, call: approve })
    expect(parse(logs).map((event) => event.type)).toEqual(['revoked', 'approved'])
  })

  test('error: an amount that does not fit', () => {
    const to = '0x000000000000000000000000000000000000dEaD'
    const transfer = (amount: bigint) => () => Spm.prepareTransfer({ token: usdc[8453], to, amount })
    expect(transfer(2n ** 256n - 1n)).not.toThrow()
    expect(transfer(2n ** 256n)).toThrow(/base units from 0 to/)
    expect(transfer(-1n)).toThrow(/base units from 0 to/)
  })
})
