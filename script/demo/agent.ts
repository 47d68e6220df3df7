/** The first half of the story: the owner agrees, the agent pays, the caps hold. */
import { formatEther } from 'viem'
import {
  type Budget,
  Coverage,
  GrantError,
  openBudget,
  Permission,
  type Spent,
  type Store,
} from '../../src/index.js'
import { balanceOf, clock, day, funds, type Payee, type Scene, short, step, ticketOf, usd } from './scene.js'

type Order = Parameters<Budget['spend']>[0]

/** Tells it up to the moment at which the grant's total is spent. */
export async function agentStory(scene: Scene, store: Store): Promise<void> {
  await introduce(scene)
  agree(scene)
  const budget = await approve(scene, store)
  await pay(scene, budget)
  await refuse(scene, budget)
  await race(scene, budget)
  await renew(scene, budget)
  await exhaust(scene, budget)
  if (scene.report.rail === 'guard') await raise(scene, budget)
  await budget.close()
}

async function introduce(scene: Scene): Promise<void> {
  const { base, print, wallet, agent, weather, maps } = scene
  const { must, note } = step(scene, 'base', `A Base to try it on (${base.kind})`)
  print.explain(
    base.kind === 'offline'
      ? "A local chain with Base's id, and stand-ins for Base's contracts at the addresses they have there. With BASE_RPC_URL set, the same story runs on a fork of the real Base, against the originals."
      : 'A local fork of the chain behind BASE_RPC_URL: its contracts as they are there, and money that is not real.',
  )
  const balance = await balanceOf(scene, wallet.address)
  const eth = formatEther(await base.client.getBalance({ address: agent.address }))
  print.say('')
  print.table([
    ["the owner's smart wallet", wallet.address, `${usd(balance)} USDC`],
    ["the agent's key", agent.address, `${eth} ETH for gas, no USDC`],
    [`payee of ${weather.host}`, weather.to],
    [`payee of ${maps.host}`, maps.to],
    ...(scene.report.rail === 'guard'
      ? [["the orchestrator's key", scene.orchestrator.address, 'signs what tasks there are']]
      : []),
  ])
  must('the wallet is funded', balance === funds)
  note({ kind: base.kind, chainId: base.chain.id })
}

function agree(scene: Scene): void {
  const { grant, permission, print, report } = scene
  const { must, note } = step(
    scene,
    'grant',
    'The owner reads what the agent may do, and the most it can cost',
  )
  const coverage = Coverage.of(grant, { permission })
  print.explain(
    report.rail === 'guard'
      ? 'The permission\'s spender is HardcapGuard, a contract that pays the payees itself and holds the caps that a spend permission cannot say. "process" is what only hardcap itself holds, and a thief with the agent\'s key does not use hardcap.'
      : 'The chain holds what a spend permission can say. "process" is what only hardcap itself holds, and a thief with the agent\'s key does not use hardcap.',
  )
  print.say('', ...Coverage.format(coverage).split('\n'), '')
  if (report.rail === 'guard') compare(scene, coverage)
  must('the day cap is a term of the permission', permission.allowance === grant.perDay)
  note({ grantId: grant.grantId, permission: Permission.hash(permission) })
}

/** What the same caps are worth without the guard. */
function compare({ define, print }: Scene, guarded: Coverage.Coverage): void {
  print.explain(
    "The same caps on the direct rail, where the agent's own key is the spender and nothing of ours is deployed:",
  )
  const direct = Coverage.of(define({ rail: 'direct' }))
  const held = guarded.caps.flatMap(({ cap, holder }) => {
    const other = direct.caps.find((line) => line.cap === cap)?.holder
    return other === undefined || other === holder ? [] : [[cap, holder, other]]
  })
  const life = ({ worst }: Coverage.Coverage) => `${usd(worst.life ?? 0n)} USDC`
  print.table([
    ['', 'guard', 'direct'],
    ...held,
    ['the most that can be lost', life(guarded), life(direct)],
    ['and to whom', 'the two payees', 'anybody'],
  ])
}

async function approve(scene: Scene, store: Store): Promise<Budget> {
  const { base, print, wallet, agent, grant, permission } = scene
  const { must, note } = step(scene, 'approve', 'The owner signs once')
  const signature = await Permission.sign(wallet.account, permission)
  const budget = await openBudget(base.client, { grant, permission, agent, store, pollMs: 20 })
  await budget.approve({ signature })
  const { status } = await budget.status()
  print.table([
    ['Permission.sign', 'an EIP-712 signature by the wallet: no transaction, no gas'],
    ['budget.approve', 'the agent submits it to SpendPermissionManager'],
  ])
  must(`permission ${short(Permission.hash(permission))} is ${status}`, status === 'active')
  note({ status })
  return budget
}

async function pay(scene: Scene, budget: Budget): Promise<void> {
  const { print, weather, maps } = scene
  const { must, note } = step(scene, 'spend', 'The agent pays, within its caps')
  if (scene.report.rail === 'guard')
    print.explain(
      'Each payment is one transaction to the guard. It names a task, and brings the ticket that the orchestrator signed for it.',
    )
  const first = callOne(scene)
  await paid(scene, budget, [
    first,
    order('call-2', maps, 500_000n, 'report-1'),
    order('call-3', weather, 200_000n, 'report-1'),
    order('call-4', maps, 500_000n, 'report-2'),
  ])
  const received = [await balanceOf(scene, weather.to), await balanceOf(scene, maps.to)]
  must('the payees have 0.70 and 1.00 USDC', received.join() === '700000,1000000')
  await spend(scene, budget, first)
  const spent = await budget.spentTotalUsd()
  must('call-1, asked for again, is the same payment and not a second one', spent === '1.7')
  print.explain('Every payment has a key, and happens at most once per key, whatever fails in between.')
  note({ payments: 4, spentUsd: spent })
}

async function refuse(scene: Scene, budget: Budget): Promise<void> {
  const { weather, maps } = scene
  const { must } = step(scene, 'refusals', 'It asks for more than it may, and is refused')
  const evil = { ...weather, host: `${weather.host}.evil.io` }
  const wrong = { ...maps, to: weather.to }
  const unsigned = order('call-12', maps, 10_000n, 'my-own-task')
  const held = [
    await refused(scene, budget, order('call-5', weather, 500_001n, 'report-2'), 'OVER_PER_CALL'),
    await refused(scene, budget, order('call-6', weather, 10_000n, 'report-1'), 'BUDGET_EXCEEDED perTask'),
    await refused(scene, budget, order('call-7', evil, 10_000n), 'NOT_ALLOWED'),
    await refused(scene, budget, order('call-8', wrong, 10_000n), 'NOT_ALLOWED'),
    await refused(scene, budget, order('call-9', maps, 500_000n, 'report-3'), 'BUDGET_EXCEEDED perDay'),
    ...(scene.report.rail === 'guard' ? [await refused(scene, budget, unsigned, 'TICKET_MISSING')] : []),
  ]
  must('each is a GrantError with its receipt, and no money moved', held.every(Boolean))
}

async function race(scene: Scene, budget: Budget): Promise<void> {
  const { print, maps } = scene
  const { must } = step(scene, 'race', 'Three calls at once, with 0.30 USDC left today')
  const orders = ['a', 'b', 'c'].map((name) => order(`race-${name}`, maps, 300_000n, 'report-2'))
  const outcomes = await Promise.all(
    orders.map(async (each) => {
      const error = await failure(spend(scene, budget, each))
      return error === undefined ? 'paid' : refusal(scene, each, error)
    }),
  )
  print.table(orders.map(({ key, amount }, n) => [key, usd(amount), outcomes[n] ?? '']))
  const count = (outcome: string) => outcomes.filter((each) => each === outcome).length
  must('one is paid, two are refused', count('paid') === 1 && count('BUDGET_EXCEEDED perDay') === 2)
  must('the day is spent to the unit', (await budget.spentTodayUsd()) === '2')
}

async function renew(scene: Scene, budget: Budget): Promise<void> {
  const { base, maps, dayOne } = scene
  const { must } = step(scene, 'midnight', 'Midnight, UTC: a new day')
  await base.warp(dayOne + day)
  await budget.sync()
  // The payment that the day cap refused, under its own key.
  await paid(scene, budget, [order('call-9', maps, 500_000n, 'report-3')])
  must('what the day cap refused yesterday is paid today', (await budget.spentTodayUsd()) === '0.5')
}

async function exhaust(scene: Scene, budget: Budget): Promise<void> {
  const { weather } = scene
  const { must } = step(scene, 'total', 'The total of 3 USDC is spent')
  await paid(scene, budget, [order('call-10', weather, 500_000n, 'report-3')])
  const last = order('call-11', weather, 10_000n, 'report-3')
  must('not a cent more', await refused(scene, budget, last, 'BUDGET_EXCEEDED total'))
}

/** The owner agrees to more: other terms in place of these, and what was spent stays spent. */
async function raise(scene: Scene, budget: Budget): Promise<void> {
  const { wallet, maps, print } = scene
  const { must } = step(scene, 'raise', 'The owner raises the total to 5 USDC')
  const grant = scene.define({ totalUsd: '5' })
  const permission = Permission.fromGrant(grant, { replaces: Permission.hash(scene.permission) })
  const signature = await Permission.sign(wallet.account, permission)
  await budget.replace({ grant, permission, signature })
  print.table([
    ['Permission.sign', 'the owner signs the new permission, which names the old one'],
    ['budget.replace', 'the guard approves the one and revokes the other, in one transaction'],
  ])
  const { total } = await budget.remaining()
  must('3 USDC of the total are still spent, 2 are left', total === 2_000_000n)
  Object.assign(scene, { grant, permission })
  const task = 'report-4'
  await paid(scene, budget, [order('call-13', maps, 500_000n, task)])
}

/** Pays, with the ticket of the task where there is one. */
async function spend(scene: Scene, budget: Budget, order: Order): Promise<Spent> {
  const { task } = order
  // Nobody signed for this one.
  if (task === undefined || task === 'my-own-task') return budget.spend(order)
  return budget.spend({ ...order, ...(await ticketOf(scene, task)) })
}

/** The first payment of all. */
export function callOne({ weather }: Scene) {
  return { ...order('call-1', weather, 500_000n), task: 'report-1' }
}

function order(key: string, { host, to }: Payee, amount: bigint, task?: string): Order {
  return { key, host, to, amount, task }
}

/** Payments that have to go through, one after the other. */
async function paid(scene: Scene, budget: Budget, orders: readonly Order[]): Promise<void> {
  const rows: string[][] = []
  for (const each of orders) {
    const { blockNumber, txHash } = await spend(scene, budget, each)
    const block = await scene.base.client.getBlock({ blockNumber: BigInt(blockNumber) })
    const { key, amount, host = '', task = '' } = each
    rows.push([clock(scene, Number(block.timestamp)), key, usd(amount), host, task, `tx ${short(txHash)}`])
  }
  scene.print.table(rows)
}

/** Whether a payment is refused as expected, and leaves the books as they were. */
async function refused(scene: Scene, budget: Budget, order: Order, expected: string): Promise<boolean> {
  const { print } = scene
  const books = async () => `${await budget.spentTotalUsd()} ${await budget.reserved()}`
  const before = await books()
  const error = await failure(spend(scene, budget, order))
  const words = refusal(scene, order, error)
  const receipt = error instanceof GrantError ? error.receipt?.seq : undefined
  const { amount, host = '' } = order
  print.table([[print.style('bold', words.padEnd(23)), usd(amount).padEnd(8), `${host}, receipt ${receipt}`]])
  if (error instanceof Error) print.explain(error.message.replace(/0x[0-9a-f]{40}/gi, short))
  return words === expected && before === (await books())
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Puts a refusal into the report, and into words: its code, and which of the budget's caps it was. */
function refusal({ report }: Scene, order: Order, error: unknown): string {
  if (error === undefined) return 'paid'
  if (!(error instanceof GrantError)) throw error
  const { code, figures, receipt } = error
  const cap = typeof figures.cap === 'string' ? figures.cap : null
  const { amount, host = null } = order
  report.refusals.push({ code, cap, amount: String(amount), host, receipt: receipt?.hash ?? null })
  if (receipt?.event !== 'refused' || receipt.note !== code || receipt.amount !== amount)
    return `${code} without its receipt`
  return code === 'BUDGET_EXCEEDED' ? `${code} ${cap}` : code
}
