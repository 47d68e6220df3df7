import type { Page } from 'playwright-core'
import { type Address, type Hex, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { spendPermissionManager } from '../../src/Addresses.js'
import * as SmartWallet from '../../src/react/SmartWallet.js'
import * as Transaction from '../../src/Transaction.js'
import * as WalletOf from '../../src/Wallet.js'
import { useBase } from '../base.js'
import { balanceOf, clientOf } from '../chain/kit.js'
import type { Look } from './chromium.js'
import { answer, connect, signIn } from './hands.js'
import { look } from './looks.js'
import { openScene, walletOf } from './scene.js'

const base = await useBase({ isolate: 'file' })
const scene = await openScene(base)

/** A plain account with ETH for gas and USDC, in a wallet that only sends transactions. */
async function plain({ usdc = 20_000_000n, wei = parseEther('1') } = {}) {
  const key = generatePrivateKey()
  const account = privateKeyToAccount(key)
  const { address } = account
  await base.fundEth(address, wei)
  await base.fundUsdc(address, usdc)
  hold(key)
  return { account, address, own: SmartWallet.addressOf(address) }
}

/** Puts the key into the wallet of the next page. */
function hold(key: Hex): void {
  scene.site.wallet = { rpcUrl: base.url, accounts: [{ name: 'Plain', kind: 'eoa', key }], calls: false }
}

const createButton = (page: Page) => page.getByRole('button', { name: /^Create the smart wallet/ })
const moveButton = (page: Page) => page.getByRole('button', { name: /^Move/ })
const amount = (page: Page) => page.getByLabel('USDC to move into the smart wallet')

describe.each<Look>(['light', 'dark', 'phone'])('%s', (kind) => {
  test('default', { timeout: 120_000 }, async () => {
    const { address, own } = await plain()
    const { page, context, outside, thrown } = await scene.visit(kind)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const found: Record<string, unknown> = {}
    const shoot = async (name: string) => {
      found[name] = await look(page, `${name}-${kind}`)
    }
    await page.goto((await scene.ask({ address })).url)
    await connect(page)
    await page.getByText('nothing can ever be spent from it').waitFor()
    await createButton(page).waitFor()
    expect(await page.getByText(own).isVisible()).toBe(true)
    expect(await createButton(page).textContent()).toContain('Your account pays the gas.')
    await shoot('eoa-offer')

    await createButton(page).click()
    await page.getByRole('dialog', { name: /Send a transaction/ }).waitFor()
    await answer(page, 'Confirm')
    await page.getByText('The wallet is on chain.').waitFor()
    expect(await createButton(page).isVisible()).toBe(false)
    const owners: readonly Address[] = [address, spendPermissionManager]
    for (const owner of owners)
      expect(await WalletOf.isOwner(base.client, { account: own, owner })).toBe(true)

    await amount(page).fill('21')
    await page.getByText('Your account has 20 USDC.').waitFor()
    expect(await moveButton(page).isDisabled()).toBe(true)
    await shoot('eoa-too-much')
    await amount(page).fill('5')
    expect(await moveButton(page).textContent()).toBe('Move 5 USDCYour account pays the gas.')
    await moveButton(page).click()
    await answer(page, 'Confirm')
    await page.getByText('5 USDC moved.').waitFor()
    await page.getByText('15 USDC', { exact: true }).waitFor()
    await page.getByText('5 USDC', { exact: true }).waitFor()
    expect(await balanceOf(base, own)).toBe(5_000_000n)
    await page.getByRole('button', { name: 'Copy the address' }).click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(own)
    await shoot('eoa-moved')

    for (const [name, problems] of Object.entries(found))
      expect({ name, problems }).toEqual({ name, problems: { serious: [], overflow: 0 } })
    expect({ outside, thrown }).toEqual({ outside: [], thrown: [] })
  })
})

test('behavior: the grant that is defined anew for the smart wallet is approved and spent from', async () => {
  const { address, own } = await plain()
  const { page } = await scene.visit()
  await page.goto((await scene.ask({ address })).url)
  await connect(page)
  await createButton(page).click()
  await answer(page, 'Confirm')
  await amount(page).fill('1.5')
  await moveButton(page).click()
  await answer(page, 'Confirm')
  await page.getByText('1.5 USDC moved.').waitFor()
  await page.getByText('the service has to define the grant anew').waitFor()

  const anew = await scene.ask({ address: own })
  await page.goto(anew.url)
  await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
  await answer(page, 'Confirm')
  await page.getByText('The chain knows this permission').waitFor()
  expect(await createButton(page).isVisible()).toBe(false)
})

test('behavior: whoever comes back is offered what is left to do', async () => {
  const { account, address, own } = await plain()
  const { page } = await scene.visit()
  const { url } = await scene.ask({ address })
  await page.goto(url)
  await connect(page)
  await createButton(page).click()
  await answer(page, 'Confirm')
  await amount(page).waitFor()
  await page.goto(url)
  await page.getByText('The wallet is on chain.').waitFor()
  expect(await createButton(page).isVisible()).toBe(false)
  await amount(page).fill('2')
  await moveButton(page).click()
  await answer(page, 'Confirm')
  await page.getByText('2 USDC moved.').waitFor()

  const call = WalletOf.prepareAddOwner({ account: own, owner: (await base.createAccount()).address })
  await Transaction.send(clientOf(base, account), { call, doing: 'Adding an owner' })
  await page.goto(url)
  await page.getByText('Somebody gave this wallet 1 further owner').waitFor()
})

test('behavior: an account without ETH is told that it pays the gas', async () => {
  const { address } = await plain({ wei: 0n })
  const { page } = await scene.visit()
  await page.goto((await scene.ask({ address })).url)
  await connect(page)
  await page.getByText('Your account has no ETH.').waitFor()
})

test('error: declined in the wallet, nothing was sent, and it can be done after all', async () => {
  const { address, own } = await plain()
  const { page } = await scene.visit()
  await page.goto((await scene.ask({ address })).url)
  await connect(page)
  await createButton(page).click()
  await answer(page, 'Reject')
  await page.getByText('Creating the smart wallet: you declined it in the wallet.').waitFor()
  expect(await base.client.getCode({ address: own })).toBeUndefined()
  await createButton(page).click()
  await answer(page, 'Confirm')
  await amount(page).fill('5')
  await moveButton(page).click()
  await answer(page, 'Reject')
  await page.getByText('Moving USDC: you declined it in the wallet.').waitFor()
  expect(await balanceOf(base, own)).toBe(0n)
  expect(await amount(page).inputValue()).toBe('5')
})

test('args: what is no amount is said, and nothing can be sent', async () => {
  const { address } = await plain({ usdc: 3_000_000n })
  const { page } = await scene.visit()
  await page.goto((await scene.ask({ address })).url)
  await connect(page)
  await createButton(page).click()
  await answer(page, 'Confirm')
  for (const [typed, said] of [
    ['3.000001', 'Your account has 3 USDC.'],
    ['0.0000001', 'More decimals than the 6'],
    ['1,5', 'Not a plain decimal number'],
    ['1e2', 'Not a plain decimal number'],
    ['0', 'Zero makes no sense here'],
    ['-1', 'The amount is negative'],
  ] as const) {
    await amount(page).fill(typed)
    await page.getByText(said).waitFor()
    expect(await moveButton(page).isDisabled(), typed).toBe(true)
  }
  await amount(page).fill('3')
  expect(await moveButton(page).isEnabled()).toBe(true)
})

test('error: a wallet that is not the one is refused in words, and no button is left', async () => {
  const { address, own } = await plain()
  await base.client.setCode({ address: own, bytecode: '0x5f5ff3' })
  const { page } = await scene.visit()
  await page.goto((await scene.ask({ address })).url)
  await connect(page)
  await page.getByText('This is not the smart wallet that it should be').waitFor()
  expect(await createButton(page).isVisible()).toBe(false)
  expect(await moveButton(page).isVisible()).toBe(false)
})

test('behavior: whoever is not asked can have one too, and an owner needs none', async () => {
  const { own } = await plain()
  const owner = await scene.owner()
  const { url } = await scene.ask(owner.wallet)
  const instead = 'A smart wallet for the connected account instead'
  const stranger = await scene.visit()
  await stranger.page.goto(url)
  await connect(stranger.page)
  await stranger.page.getByText(instead).click()
  await createButton(stranger.page).waitFor()
  expect(await stranger.page.getByText(own).isVisible()).toBe(true)

  hold(owner.key)
  const { page } = await scene.visit()
  await page.goto(url)
  await connect(page)
  await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
  await answer(page, 'Confirm')
  await page.getByText('The chain knows this permission').waitFor()
  expect(await page.getByText(instead).isVisible()).toBe(false)
})

describe('approved all the same', () => {
  const spends = 'the agent can spend within it'

  test('behavior: a plain account is still told that nothing can be spent, and offered its wallet', async () => {
    const { address } = await plain()
    const { page } = await scene.visit()
    await page.goto((await scene.ask({ address })).url)
    await connect(page)
    await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('The chain knows this permission').waitFor()
    await page.getByText('nothing can ever be spent from it').waitFor()
    await createButton(page).waitFor()
    expect(await page.getByText(spends).isVisible()).toBe(false)
  })

  test('behavior: a wallet without SpendPermissionManager can still enable it', async () => {
    const owner = await scene.owner({ spm: false })
    walletOf(scene, [owner])
    const { page } = await scene.visit()
    await page.goto((await scene.ask(owner.wallet)).url)
    await connect(page)
    await page.getByRole('button', { name: /^Approve by a transaction/ }).click()
    await answer(page, 'Confirm')
    await page.getByText('The chain knows this permission').waitFor()
    expect(await page.getByText(spends).isVisible()).toBe(false)
    await page.getByRole('button', { name: /^Let it spend within permissions/ }).click()
    await answer(page, 'Confirm')
    await page.getByText(spends).waitFor()
  })
})

test('behavior: where there are no grants yet', async () => {
  const { own } = await plain()
  const { page } = await scene.visit()
  await signIn(page, scene.site.origin)
  await page.getByText('No grants yet').waitFor()
  await createButton(page).waitFor()
  expect(await page.getByText(own).isVisible()).toBe(true)
  expect(await look(page, 'eoa-grants-light')).toEqual({ serious: [], overflow: 0 })
})
