/** The second half of the story: the agent's key is stolen, and only the chain is left to hold anything. */
import { Addresses, Amount, Coverage, Spm, type Store } from '../../src/index.js'
import { booksStory } from './books.js'
import { balanceOf, clock, day, type Scene, step, stranger, usd } from './scene.js'
import * as Thief from './thief.js'

/** Tells it up to the end of the grant, and closes the books. */
export async function theftStory(scene: Scene, store: Store): Promise<void> {
  const bound = await steal(scene)
  const wind = await scene.base.snapshot()
  await notice(scene)
  await wind()
  await ignore(scene, bound)
  await booksStory(scene, store, { facts: 4, said: 'three pulls and what the thief sent on' })
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
