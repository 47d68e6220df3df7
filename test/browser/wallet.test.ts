import { describe, expect, test } from 'vitest'
import type * as Permission from '../../src/Permission.js'
import * as Shown from '../../src/react/Shown.js'
import * as SpmRead from '../../src/SpmRead.js'
import type { RequestCreated, RequestShown } from '../../src/server/Schema.js'
import { useBase } from '../base.js'
import { answer, approve, choose, connect } from './hands.js'
import { openScene, walletOf } from './scene.js'

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)

/** What is asked for, as the chain knows it. */
async function permissionOf({ id }: RequestCreated): Promise<Permission.Permission> {
  return Shown.request(await scene.backend<RequestShown>(`/v1/requests/${id}`)).permission
}

const isApproved = async (request: RequestCreated) =>
  SpmRead.isApproved(base.client, { permission: await permissionOf(request) })

describe('approving by a transaction', () => {
  test('args: a wallet that makes calls, and one that only sends transactions', async () => {
    for (const calls of [true, false]) {
      const owner = await scene.owner()
      walletOf(scene, [owner], { calls })
      const request = await scene.ask(owner.wallet)
      const { page, thrown } = await scene.visit()
      await page.goto(request.url)
      await connect(page)
      await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
      await page.getByRole('dialog', { name: calls ? /Make calls/ : /Send a transaction/ }).waitFor()
      await answer(page, 'Confirm')
      await page.getByText('The chain knows this permission').waitFor()
      expect(await isApproved(request)).toBe(true)
      expect(await scene.backend(`/v1/requests/${request.id}`)).toMatchObject({ status: 'approved' })
      expect(thrown).toEqual([])
    }
  })

  test('behavior: a wallet without SpendPermissionManager is told so, and enables it first', async () => {
    const owner = await scene.owner({ spm: false })
    walletOf(scene, [owner])
    const request = await scene.ask(owner.wallet)
    const { page } = await scene.visit()
    await page.goto(request.url)
    await connect(page)
    await page.getByText('This wallet does not know spend permissions yet.').waitFor()
    await page.getByRole('button', { name: /^Let it spend within permissions/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('This wallet does not know spend permissions yet.').waitFor({ state: 'hidden' })
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
  })
})

describe('the wrong wallet', () => {
  test('behavior: on another chain it is asked to switch, and signs only there', async () => {
    const owner = await scene.owner()
    walletOf(scene, [owner])
    const request = await scene.ask(owner.wallet)
    const { page } = await scene.visit()
    await page.goto(request.url)
    await connect(page)
    await choose(page, 'Chain', 'another one')
    await page.getByRole('button', { name: /^Approve by signing/ }).click()
    await page.getByRole('dialog', { name: /Switch to chain 8453/ }).waitFor()
    await answer(page, 'Reject')
    await page.getByText('you declined it in the wallet').waitFor()
    expect(await isApproved(request)).toBe(false)

    await page.getByRole('button', { name: /^Approve by signing/ }).click()
    await answer(page, 'Confirm')
    await page.getByRole('dialog', { name: /Sign a SpendPermission/ }).waitFor()
    await answer(page, 'Confirm')
    await page.getByText('The chain knows this permission').waitFor()
  })

  test('error: a signature that is declined is no approval, and can be given after all', async () => {
    const owner = await scene.owner()
    walletOf(scene, [owner])
    const request = await scene.ask(owner.wallet)
    const { page } = await scene.visit()
    await page.goto(request.url)
    await connect(page)
    await page.getByRole('button', { name: /^Approve by signing/ }).click()
    await answer(page, 'Reject')
    await page.getByText('Nothing was signed or sent.').waitFor()
    expect(await scene.backend(`/v1/requests/${request.id}`)).toMatchObject({ status: 'open' })
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
  })

  test('behavior: switched midway, it is told whose request it is and cannot sign it', async () => {
    const [owner, other] = [await scene.owner(), await scene.owner()]
    walletOf(scene, [owner, other])
    const request = await scene.ask(owner.wallet)
    const { page } = await scene.visit()
    await page.goto(request.url)
    await connect(page)
    const sign = page.getByRole('button', { name: /^Approve by signing/ })
    await expect.poll(() => sign.isEnabled()).toBe(true)
    await choose(page, 'Account', 'Owner 2')
    await page.getByText('Another account is connected.').waitFor()
    expect(await sign.isDisabled()).toBe(true)
    await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
    await page.getByText(`only ${owner.wallet.address} can do this`).waitFor()
    await choose(page, 'Account', 'Owner 1')
    await approve(page)
    await page.getByText('The chain knows this permission').waitFor()
  })

  test('behavior: an EOA is told that nothing can be spent from it', async () => {
    const owner = await scene.owner()
    const { address } = owner.wallet.owner
    scene.site.wallet = {
      rpcUrl: base.url,
      accounts: [{ name: 'Plain', kind: 'eoa', key: owner.key }],
      calls: false,
    }
    const { page } = await scene.visit()
    await page.goto((await scene.ask({ address })).url)
    await connect(page)
    await page.getByText('nothing can ever be spent from it').waitFor()
  })

  test('behavior: an EOA that owns the smart wallet approves through it', async () => {
    const owner = await scene.owner()
    scene.site.wallet = {
      rpcUrl: base.url,
      accounts: [{ name: 'Plain', kind: 'eoa', key: owner.key }],
      calls: false,
    }
    const request = await scene.ask(owner.wallet)
    const { page } = await scene.visit()
    await page.goto(request.url)
    await connect(page)
    await page.getByText('Another account is connected.').waitFor()
    await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('The chain knows this permission').waitFor()
    expect(await isApproved(request)).toBe(true)
  })
})
