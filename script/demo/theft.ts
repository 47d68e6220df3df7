/** The second half of the story: the agent's key is stolen, and only the chain is left to hold anything. */
import {
  Addresses,
  Amount,
  type Budget,
  Coverage,
  memory,
  openBudget,
  Receipt,
  Spm,
  type Store,
} from '../../src/index.js'
import { balanceOf, clock, day, funds, type Scene, step, stranger, usd } from './scene.js'
import * as Thief from './thief.js'

/** Tells it up to the end of the grant, and closes the books. */
export async function theftStory(scene: Scene, store: Store): Promise<void> {
  const bound = await steal(scene)
  const wind = await scene.base.snapshot()
  await notice(scene)
  await wind()
  await ignore(scene, bound)
  await settle(scene, store)
  await rebuild(scene)
}

async function steal(scene: Scene): Promise<bigint> {
  const { base, grant, permission, print } = scene
  const { must } = step(scene, 'theft', "The agent's machine is taken over: the thief has its key")
  print.explain(
    'From here on nobody uses hardcap: the process is gone, the thief sends raw transactions. Before that, one question to Coverage: from now on, with 1.00 USDC of today spent, what can he take?',
  )
  const now = await base.now()
  const { spent: used } = await Spm.getCurrentPeriod(base.client, { permission })
  const { worst, bound, end } = Coverage.of(grant, { permission, now, used })
  const life = worst.life ?? 0n
  print.table([
    ['within a second', `${usd(worst.second)} USDC`],
    ['in a UTC day', `${usd(worst.utcDay)} USDC`],
    ['in any 24 hours', `${usd(worst.day)} USDC`],
    ['until the grant ends', `${usd(life)} USDC`, end === null ? '' : clock(scene, end)],
  ])
  must('the figures are exact, not estimates', bound === 'exact' && used === 1_000_000n)
  scene.report.thief.bound = String(life)
  return life
}

/** What the thief uses: the key, and what anybody can read on chain. */
function thiefOf({ base, agent, permission }: Scene): Thief.ThiefOptions {
  const { spendPermissionManager } = Addresses
  return { client: base.client, key: agent, spendPermissionManager, permission: Spm.toStruct(permission) }
}

function show(scene: Scene, attempts: readonly Thief.Attempt[]): void {
  const row = ({ time, asked, answer }: Thief.Attempt) => [
    clock(scene, time),
    `asks for ${Amount.format(asked, 6)}`,
    answer,
  ]
  scene.print.table(attempts.map(row))
}

async function notice(scene: Scene): Promise<void> {
  const { base, wallet, permission, dayOne, print } = scene
  const { must, note } = step(scene, 'revoke', 'Ending one: the owner notices, and revokes')
  const thief = thiefOf(scene)
  const before = await balanceOf(scene, wallet.address)
  show(scene, [await Thief.pull(thief, 1_000_000n), await Thief.pull(thief, 1n)])
  await wallet.execute([Spm.prepareRevoke({ permission })])
  print.say('the owner revokes the permission, in one transaction of the wallet')
  const late = [await Thief.pull(thief, 1n)]
  await base.nextBlockAt(dayOne + 2 * day)
  late.push(await Thief.pull(thief, 1n))
  show(scene, late)
  const lost = before - (await balanceOf(scene, wallet.address))
  must('he has what was left of the day', lost === 1_000_000n)
  must(
    'and gets nothing more, on no day',
    late.every(({ answer }) => answer === 'UnauthorizedSpendPermission'),
  )
  note({ taken: String(lost) })
}

async function ignore(scene: Scene, bound: bigint): Promise<void> {
  const { base, wallet, dayOne, print, grant, report } = scene
  const { must } = step(
    scene,
    'worst',
    'Ending two: the chain is wound back to the theft, and nobody notices',
  )
  const thief = thiefOf(scene)
  const before = await balanceOf(scene, wallet.address)
  const attempts = [await Thief.pull(thief, 1_000_000n), await Thief.pull(thief, 1n)]
  // The last second of day 3 and the first of day 4: two days' caps within a second.
  await base.nextBlockAt(dayOne + 3 * day - 1)
  attempts.push(await Thief.pull(thief, 2_000_000n))
  await base.nextBlockAt(dayOne + 3 * day)
  attempts.push(await Thief.pull(thief, 2_000_000n), await Thief.pull(thief, 1n))
  await base.nextBlockAt(dayOne + 4 * day)
  attempts.push(await Thief.pull(thief, 1n))
  show(scene, attempts)
  const loot = await Thief.cashOut(thief, stranger())
  const taken = before - (await balanceOf(scene, wallet.address))
  report.thief.taken = String(taken)
  must(`he took ${usd(taken)} USDC, what Coverage had said, to the unit`, taken === bound && loot === taken)
  const answers = 'paid,ExceededSpendPermission,paid,paid,ExceededSpendPermission,AfterSpendPermissionEnd'
  must('one unit more was refused every time', attempts.map(({ answer }) => answer).join() === answers)
  const held = Coverage.of({ ...grant, hold: 'total' })
  const end = held.end === null ? 'never' : clock(scene, held.end)
  print.explain(
    `The day cap held; the total of 3 did not. Next to a day cap only the process holds it on this rail, as step 2 warned. Defined with hold: 'total' the same grant ends at ${end}, and the chain lets out ${usd(held.worst.life ?? 0n)} USDC at the most.`,
  )
}

/** The books after all that, opened again as a process that was restarted would. */
async function settle(scene: Scene, store: Store): Promise<void> {
  const { base, grant, permission, agent, wallet, print, report } = scene
  const { must, note } = step(scene, 'books', 'The books are opened again, and held against the chain')
  const budget = await openBudget(base.client, { grant, permission, agent, store, pollMs: 20 })
  const receipts = await budget.receipts()
  const foreign = receipts.filter(({ event }) => event === 'foreign')
  print.explain('What no payment of theirs explains, the books adopt as foreign:')
  print.table(foreign.map(({ note, amount, seq }) => [`receipt ${seq}`, note, usd(amount)]))
  must('three pulls and what the thief sent on', foreign.length === 4)
  must(`${receipts.length} receipts, each with the hash of the one before`, Receipt.verify(receipts).holds)

  const { checks, equal } = await budget.verify()
  const settled = await pulled(budget)
  const spent = funds - (await balanceOf(scene, wallet.address))
  const words = (value: bigint | boolean) =>
    typeof value === 'bigint' ? `${usd(value)} USDC` : String(value)
  print.table([
    ['', 'books', 'chain', ''],
    ...checks.map(({ name, ledger, chain, equal }) => [
      names[name] ?? name,
      words(ledger),
      words(chain),
      equal ? 'equal' : 'DIFFERENT',
    ]),
    [
      "gone from the wallet's balance",
      words(settled),
      words(spent),
      settled === spent ? 'equal' : 'DIFFERENT',
    ],
  ])
  const reserved = await budget.reserved()
  report.ledger = { settled: String(settled), reserved: String(reserved) }
  report.chain = { spent: String(spent) }
  report.equal = equal && settled === spent
  must('the books and the chain agree, nothing is left reserved', report.equal && reserved === 0n)
  note({ receipts: receipts.length })
  await budget.close()
}

/** A check of `verify` in the story's words; one that has none here goes by its own name. */
const names: Readonly<Record<string, string>> = {
  pulled: 'pulled from the wallet',
  today: 'today',
  sent: "sent on by the agent's key",
  period: 'in the current period',
  approved: 'approved',
  revoked: 'revoked',
}

async function rebuild(scene: Scene): Promise<void> {
  const { base, grant, permission, agent, report } = scene
  const { must } = step(scene, 'rebuild', 'The books are lost, and rebuilt from the chain alone')
  const budget = await openBudget(base.client, { grant, permission, agent, store: memory() })
  const settled = String(await pulled(budget))
  const { equal } = await budget.verify()
  must(
    `an empty store has read the same ${usd(BigInt(settled))} USDC`,
    equal && settled === report.ledger.settled,
  )
  await budget.close()
}

/** Base units pulled from the wallet, as the books have them. */
async function pulled(budget: Budget): Promise<bigint> {
  return Amount.parse(await budget.spentTotalUsd(), { decimals: 6, field: 'spentTotalUsd', zero: true })
}
