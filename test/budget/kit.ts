import {
  type Address,
  createPublicClient,
  custom,
  type EIP1193RequestFn,
  erc20Abi,
  type Hex,
  type LocalAccount,
  type PublicClient,
  parseEther,
  parseUnits,
  zeroHash,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach } from 'vitest'
import {
  type Budget,
  Grant,
  GrantError,
  Guard,
  type OpenBudgetOptions,
  openBudget,
  Permission,
  Spm,
  type Store,
  Time,
} from '../../src/index.js'
import type { Base, Wallet } from '../../src/testing/index.js'
import { type StoreKind, embeddedKinds as storeKinds } from '../ledger/stores.js'
import type { Answer } from './points.js'

export { dieAt, points } from './points.js'

export { storeKinds }

export type Rail = 'direct' | 'guard'
export const rails = ['direct', 'guard'] as const
/** Every store on every rail. */
export const cases: readonly { name: string; kind: StoreKind; rail: Rail }[] = storeKinds.flatMap((kind) =>
  rails.map((rail) => ({ name: `${kind.name}, ${rail}`, kind, rail })),
)

/** Base units of USDC. */
export const usd = (dollars: string) => parseUnits(dollars, 6)

/** A grant with everything that it takes to spend under it. */
export type Account = {
  readonly wallet: Wallet
  readonly agentKey: Hex
  readonly agent: LocalAccount
  readonly payee: Address
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  readonly signature: Hex
}

/** What an account has, in whole units, and whether its wallet is deployed and has SpendPermissionManager as an owner. */
type Holds = { usdc?: string; eth?: string; deployed?: boolean; spm?: boolean }

export function freshAddress(): Address {
  return privateKeyToAccount(generatePrivateKey()).address
}

/**
 * A wallet with 1,000 USDC, an agent with 10 ETH, a payee, and a grant of 5 USDC a day and 8 in all for 30 days,
 * which the owner has signed and nobody has submitted.
 */
export async function createAccount(
  base: Base,
  terms: Partial<Grant.DefineParams> = {},
  { usdc = '1000', eth = '10', ...wallets }: Holds = {},
): Promise<Account> {
  const wallet = await base.createWallet({ usdc: usd(usdc), ...wallets })
  const agentKey = generatePrivateKey()
  const agent = privateKeyToAccount(agentKey)
  await base.fundEth(agent.address, parseEther(eth))
  const payee = freshAddress()
  const now = await base.now()
  const grant = Grant.define(
    {
      owner: wallet.address,
      agent: agent.address,
      rail: 'direct',
      allow: [{ host: 'api.example.com', payTo: payee }],
      perCallUsd: '5',
      perDayUsd: '5',
      totalUsd: '8',
      expiresAt: (now + 30 * Time.day) * 1000,
      ...terms,
    },
    { now },
  )
  const permission = Permission.fromGrant(grant)
  const signature = await Permission.sign(wallet.account, permission)
  return { wallet, agentKey, agent, payee, grant, permission, signature }
}

const ends: (() => Promise<void> | void)[] = []
/** Before the chain is reverted under them: hooks run from the last to the first. */
export function endAfterEach() {
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
}

/** Something to end after the test. */
export function later(end: () => Promise<void> | void): void {
  ends.push(end)
}

/** Books of a kind, which `open` gives again and again. */
export function books(kind: StoreKind): () => Store {
  const { open, end } = kind.create()
  later(end)
  return open
}

/** The budget of an account, looking at the chain often. */
export async function open(
  base: Base,
  { grant, permission, agent }: Pick<Account, 'grant' | 'permission' | 'agent'>,
  store: Store,
  options: Partial<OpenBudgetOptions> & { client?: PublicClient } = {},
): Promise<Budget> {
  const { client = base.client, ...rest } = options
  const budget = await openBudget(client, { grant, permission, agent, store, pollMs: 5, ...rest })
  later(budget.close)
  return budget
}

/** An account with its budget, approved. */
export async function approved(
  base: Base,
  store: Store,
  terms: Partial<Grant.DefineParams> = {},
  options: Partial<OpenBudgetOptions> & { client?: PublicClient } = {},
) {
  const account = await createAccount(base, terms)
  const budget = await open(base, account, store, options)
  await budget.approve({ signature: account.signature })
  return { ...account, budget, order: order(account) }
}

/** One USDC to the payee, under a key. */
export const order =
  ({ payee }: Pick<Account, 'payee'>) =>
  (key: string, amount = '1') => ({ to: payee, amount: usd(amount), key })

/** A task with a ticket of the orchestrator, up to 4 USDC and for good: what an order names where the chain caps tasks. */
export async function ticketed(
  orchestrator: LocalAccount,
  {
    permission,
    task,
    cap = '4',
    deadline,
  }: {
    permission: Permission.Permission
    task: string
    cap?: string
    deadline?: number
  },
) {
  const terms = { cap: usd(cap), deadline: deadline ?? Time.max }
  return {
    task,
    ticket: await Guard.signTicket(orchestrator, { permission, task: Guard.task(task), ...terms }),
  }
}

/** The USDC of an address. */
export function balanceOf(base: Base, address: Address, token: Address): Promise<bigint> {
  return base.client.readContract({
    address: token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [address],
  })
}

/** What a promise rejects with, which has to be a GrantError. */
export async function refusal(promise: Promise<unknown>): Promise<GrantError> {
  const error = await promise.then(
    (value) => new Error(`It resolved: ${String(value)}`),
    (error: unknown) => error,
  )
  if (error instanceof GrantError) return error
  throw new Error('Not a GrantError.', { cause: error })
}

/** What a promise resolves or rejects with, to be looked at later. */
export function settledAs<value>(promise: Promise<value>): Promise<unknown> {
  return promise.catch((error: unknown) => error)
}

/** Sends calls with the agent's key and without the library, as a thief would. */
export async function steal(base: Base, agent: LocalAccount, call: Spm.Call): Promise<Hex> {
  const receipt = await base.client.sendTransactionSync({ account: agent, ...call })
  if (receipt.status !== 'success') throw new Error('The chain stopped the thief.')
  return receipt.transactionHash
}

/** The thief spends: on the direct rail into the agent's account, through the guard to a payee, who is in league. */
export function stealSpend(base: Base, account: Account, amount: bigint): Promise<Hex> {
  const { agent, grant } = account
  return grant.rail === 'direct'
    ? stealPull(base, account, amount)
    : payElsewhere(base, account, { amount }, agent)
}

/** Terms of a payment through the guard that none of the books asked for. */
export type Elsewhere = Partial<Omit<Guard.Payment, 'proof'>> & {
  readonly task?: string
  readonly ticket?: Guard.Ticket
}

/** A batch of one payment that none of the books asked for: of one USDC to the payee, if nothing else is said. */
export async function batchElsewhere(
  base: Base,
  { grant, payee }: Pick<Account, 'grant' | 'payee'>,
  { task, ticket, ...terms }: Elsewhere = {},
): Promise<Guard.Batch> {
  const number = Guard.number(Guard.lane(), 0)
  return Guard.batch(grant, {
    payments: [{ number, ref: zeroHash, payee, amount: usd('1'), ...terms }],
    deadline: (await base.now()) + Time.day,
    task: task === undefined ? undefined : Guard.task(task),
    ticket,
  })
}

/** Pays that, with the key of the agent. */
export async function payElsewhere(
  base: Base,
  account: Pick<Account, 'grant' | 'payee' | 'permission'>,
  terms: Elsewhere,
  agent: LocalAccount,
): Promise<Hex> {
  const batch = await batchElsewhere(base, account, terms)
  return steal(base, agent, Guard.preparePay({ permission: account.permission, batch }))
}

/** The thief pulls into the agent's account. */
export function stealPull(base: Base, { agent, permission }: Account, amount: bigint): Promise<Hex> {
  return steal(base, agent, Spm.prepareSpend({ permission, amount }))
}

/** The thief takes what the agent has. */
export function stealTransfer(base: Base, { agent, grant }: Account, amount: bigint): Promise<Hex> {
  const token = grant.token.address
  return steal(base, agent, Spm.prepareTransfer({ token, to: freshAddress(), amount }))
}

/**
 * A reorganisation: the chain as it was at a snapshot, and as many other, empty blocks on it. Not by `base.reorg`:
 * on a fork anvil takes back the blocks, and leaves what they wrote into contracts.
 */
export async function replaceBlocks(base: Base, before: () => Promise<void>, depth: number): Promise<void> {
  await before()
  // Another time, or an empty block would be the very one that was there.
  await base.nextBlockAt((await base.now()) + 7)
  await base.mine(depth)
}

/** Until the transaction that an endpoint has answered for is in a block, which may be a moment later. */
export async function mined(base: Base, hash: unknown): Promise<void> {
  await base.client.waitForTransactionReceipt({ hash: hash as Hex })
}

/** A client whose endpoint can be made to misbehave. */
export function endpoint(base: Base): { answer: Answer; client: PublicClient } {
  const request: EIP1193RequestFn = base.client.request
  const state: { answer: Answer } = { answer: (_, forward) => forward() }
  const transport = custom(
    {
      request: (asked: { method: string; params?: unknown }) =>
        state.answer(asked, () => request(asked as never)),
    },
    { retryCount: 0 },
  )
  const client: PublicClient = createPublicClient({
    chain: base.chain,
    transport,
    pollingInterval: 20,
    cacheTime: 0,
  })
  return Object.assign(state, { client })
}

/** The next morning: no midnight comes in the hours after it. */
export async function morning(base: Base): Promise<void> {
  await base.warp(Time.midnight(await base.now()) + Time.day + 3600)
}

/** Until nothing that the books may have forgotten can land any more: its deadline has passed in a final block. */
export async function quiet(base: Base, budget: Budget): Promise<void> {
  await base.warp((await base.now()) + 1_300)
  await base.finalize()
  await budget.sync()
}

/** Follows the chain until the payment is paid, a bounded number of rounds. */
export async function untilPaid(budget: Budget, key: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    if ((await budget.payment(key))?.status === 'paid') return
    await budget.sync()
  }
  throw new Error(`The payment ${key} is ${(await budget.payment(key))?.status} and not paid.`)
}
