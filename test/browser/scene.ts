/** An owner with a browser, a server, a chain, and an agent's service that submits what the owner signs. */
import type { Hex, LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { type Budget, type Grant, memory, openBudget, type Permission } from '../../src/index.js'
import { type Approved, createServer, Key, memoryRecords } from '../../src/server/index.js'
import type { NewRequest, RequestCreated } from '../../src/server/Schema.js'
import type { Base, Wallet } from '../../src/testing/index.js'
import { type Browser, type Look, launch, type Visit, visit } from './chromium.js'
import { openSite, type Site } from './site.js'

export type Owner = { readonly wallet: Wallet<LocalAccount>; readonly key: Hex; readonly spm: boolean }

export type Scene = {
  readonly base: Base
  readonly site: Site
  /** The real server's answers, to put back, or to change on the way. */
  readonly api: Exclude<Site['api'], 'down'>
  /** Seconds that the server's clock is ahead. */
  ahead: number
  readonly payee: Hex
  /** The budget of a grant that was approved. */
  budget(grantId: Hex): Promise<Budget>
  owner(options?: { spm?: boolean; usdc?: bigint }): Promise<Owner>
  /** Asks the owner, as a backend does. */
  ask(owner: Pick<Wallet, 'address'>, changes?: Partial<NewRequest>): Promise<RequestCreated>
  /** As the backend: whatever its key may. */
  backend<answer>(path: string, body?: unknown): Promise<answer>
  /** Somebody's browser, until the test is over. */
  visit(look?: Look): Promise<Visit>
}

/** The scene of a test file: to be called once, at its top. */
export async function openScene(base: Base): Promise<Scene> {
  const site = await openSite(base.url)
  const [store, records] = [memory(), memoryRecords()]
  const budgets = new Map<Hex, Promise<Budget>>()
  const agents = new Map<Hex, LocalAccount>()
  const payee = (await base.createAccount()).address
  let browser: Browser
  const now = () => Math.floor(Date.now() / 1000)

  async function open(grant: Grant.Grant, permission: Permission.Permission): Promise<Budget> {
    const agent = agents.get(grant.agent)
    if (agent === undefined) throw new Error(`Nobody has the key of agent ${grant.agent}.`)
    return openBudget(base.client, { grant, permission, agent, store, pollMs: 200, onError: () => {} })
  }

  async function submit({ kind, grant, permission, signature }: Approved): Promise<void> {
    const { grantId } = grant
    if (kind === 'increase') {
      const budget = await budgets.get(grantId)
      if (budget && signature) await budget.replace({ grant, permission, signature })
      return
    }
    const budget = open(grant, permission)
    budgets.set(grantId, budget)
    if (signature) await (await budget).approve({ signature })
  }

  const scene: Scene = {
    base,
    site,
    api: (request, env) => server.fetch(request, env),
    ahead: 0,
    payee,
    budget: async (grantId) => {
      const budget = await budgets.get(grantId)
      if (budget === undefined) throw new Error(`Nobody has approved grant ${grantId}.`)
      return budget
    },
    owner: async ({ spm = true, usdc = 40_000_000n } = {}) => {
      const key = generatePrivateKey()
      return { key, spm, wallet: await base.createWallet({ owner: privateKeyToAccount(key), spm, usdc }) }
    },
    ask: async ({ address }, changes = {}) => {
      // An agent's key serves one grant.
      const agent = await base.createAccount()
      agents.set(agent.address, agent)
      const grant = { ...terms(address, agent.address), ...changes.grant }
      return scene.backend('/v1/requests', { ...changes, grant })
    },
    backend: async (path, body) => {
      const response = await fetch(site.origin + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      return response.json()
    },
    visit: async (look) => {
      const visited = await visit(browser, look)
      // Or its pages would go on asking until the last test of the file.
      onTestFinished(() => visited.context.close())
      return visited
    },
  }
  const terms = (owner: Hex, agent: Hex): NewRequest['grant'] => ({
    owner,
    agent,
    id: 'Research agent',
    allow: [{ host: 'api.example.com', payTo: payee }],
    perCallUsd: '0.05',
    perDayUsd: '2',
    totalUsd: '25',
    expiresAt: '2090-12-31',
  })
  const server = createServer({
    store,
    records,
    client: base.client,
    origin: site.origin,
    rpcUrl: base.url,
    explorerUrl: 'https://explorer.example',
    development: true,
    clock: () => now() + scene.ahead,
    limits: { pollMs: 50, perAddress: 100_000, signIns: 1_000 },
    onApproved: submit,
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  })
  site.api = scene.api
  const { text } = await Key.create(records, { label: 'backend', verbs: Key.verbs, grants: 'all' }, now())

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
    await Promise.all([...budgets.values()].map(async (budget) => (await budget).close()))
    await site.close()
  })
  return scene
}

/** The development wallet, with these accounts. */
export function walletOf(scene: Scene, owners: readonly Owner[], options: { calls?: boolean } = {}): void {
  scene.site.wallet = {
    rpcUrl: scene.base.url,
    accounts: owners.map(({ key, spm }, n) => ({ name: `Owner ${n + 1}`, kind: 'smart', key, spm })),
    ...options,
  }
}
