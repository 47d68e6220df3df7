/** The second half of the story on the guard rail: the agent's key is stolen, and only the chain is left to hold. */
import { Addresses, Amount, Coverage, Guard, Spm, type Store } from '../../src/index.js'
import { booksStory } from './books.js'
import * as Thief from './guardThief.js'
import { balanceOf, clock, day, type Payee, type Scene, step, ticketOf, usd } from './scene.js'
import type { Attempt } from './thief.js'

/** What a task has cost so far, and its ticket, as the agent's machine knew them. */
type Task = { readonly name: string; readonly used: bigint; readonly ticket: Guard.Ticket }

/** Tells it up to the end of the grant, and closes the books. */
export async function guardTheftStory(scene: Scene, store: Store): Promise<void> {
  const tasks = await tasksOf(scene)
  const bounds = await steal(scene, tasks)
  const thief = await thiefOf(scene)
  const wind = await scene.base.snapshot()
  await pause(scene, thief, tasks)
  await wind()
  const taken = await ignore(scene, thief, { tasks, bound: bounds.agent })
  const more = await conspire(scene, thief, bounds.both - taken)
  scene.report.thief = { taken: String(taken + more), bound: String(bounds.both) }
  await booksStory(scene, store, {
    facts: 6,
    said: 'six payments that no reservation explains, all to a payee',
  })
}

async function tasksOf(scene: Scene): Promise<Task[]> {
  const names = ['report-1', 'report-2', 'report-3', 'report-4']
  return Promise.all(
    names.map(async (name) => {
      const { permission, base } = scene
      const { perTask } = await Guard.used(base.client, { permission, task: Guard.task(name) })
      const { ticket } = await ticketOf(scene, name)
      if (ticket === undefined) throw new Error(`Nobody signed for ${name}.`)
      return { name, used: perTask ?? 0n, ticket }
    }),
  )
}

async function steal(scene: Scene, tasks: readonly Task[]): Promise<{ agent: bigint; both: bigint }> {
  const { base, grant, permission, print } = scene
  const { must } = step(scene, 'theft', "The agent's machine is taken over: the thief has its key")
  print.explain(
    'From here on nobody uses hardcap: the process is gone, the thief sends raw transactions. One of the payees is his accomplice. Before that, one question to Coverage: with what the chain has counted so far, what can still go?',
  )
  const now = await base.now()
  const { perDay, total } = await Guard.used(base.client, { permission })
  const { spent: used } = await Spm.getCurrentPeriod(base.client, { permission })
  const spent = { day: perDay ?? 0n, total: total ?? 0n }
  const tickets = tasks.map(({ ticket, used }) => ({ ...ticket, used }))
  const alone = Coverage.of(grant, { permission, now, used, spent, tickets })
  const both = Coverage.of(grant, { permission, now, used, spent })
  const row = (words: string, which: keyof typeof alone.worst) => [
    words,
    `${usd(alone.worst[which] ?? 0n)} USDC`,
    `${usd(both.worst[which] ?? 0n)} USDC`,
  ]
  print.table([
    ['', "with the agent's key", "and the orchestrator's"],
    row('in a UTC day', 'utcDay'),
    row('until the grant ends', 'life'),
  ])
  must('the figures are exact, not estimates', alone.bound === 'exact' && both.bound === 'exact')
  return { agent: alone.worst.life ?? 0n, both: both.worst.life ?? 0n }
}

/** What the thief uses: the key, what was on the machine, and what anybody can read on chain. */
async function thiefOf({ base, agent, permission, weather, maps }: Scene): Promise<Thief.GuardThief> {
  return {
    client: base.client,
    key: agent,
    own: await base.createAccount(),
    guard: Addresses.hardcapGuard,
    permission: Spm.toStruct(permission),
    payees: [weather.to, maps.to],
  }
}

/** A demand for the accomplice, for a task that somebody signed for. */
const demand = ({ to }: Payee, { name, ticket }: Task, asked: bigint): Thief.Demand => ({
  to,
  asked,
  task: name,
  ticket,
})

function show(scene: Scene, attempts: readonly (readonly [string, Attempt])[]): void {
  scene.print.table(
    attempts.map(([what, { time, asked, answer }]) => [
      clock(scene, time),
      `${Amount.format(asked, 6)} ${what}`,
      answer,
    ]),
  )
}

async function pause(scene: Scene, thief: Thief.GuardThief, tasks: readonly Task[]): Promise<void> {
  const { wallet, permission, maps, print } = scene
  const { must } = step(scene, 'pause', 'Ending one: the owner notices, and pauses')
  const last = task(tasks, 'report-4')
  const first = await Thief.pay(thief, demand(maps, last, 300_000n))
  await wallet.execute([Guard.preparePause(Guard.key(permission))])
  const before = await balanceOf(scene, wallet.address)
  show(scene, [['for report-4', first]])
  print.say('the owner pauses the grant, in one transaction of the wallet')
  const late = await Thief.pay(thief, demand(maps, last, 1n))
  const relayed = await Thief.pay(thief, { ...demand(maps, last, 1n), relayed: true })
  show(scene, [
    ['for report-4', late],
    ['relayed by a stranger', relayed],
  ])
  must(
    'and nothing moves until the owner resumes',
    first.answer === 'paid' &&
      [late, relayed].every(({ answer }) => answer === 'PausedBy') &&
      before === (await balanceOf(scene, wallet.address)),
  )
}

async function ignore(
  scene: Scene,
  thief: Thief.GuardThief,
  { tasks, bound }: { tasks: readonly Task[]; bound: bigint },
): Promise<bigint> {
  const { base, wallet, maps, dayOne, agent } = scene
  const { must } = step(scene, 'worst', 'Ending two: the chain is wound back, and nobody notices')
  const before = await balanceOf(scene, wallet.address)
  const [two, three, four] = [task(tasks, 'report-2'), task(tasks, 'report-3'), task(tasks, 'report-4')]
  const refused: (readonly [string, Attempt])[] = [
    ['to an address of his own', await Thief.pay(thief, demand({ ...maps, to: agent.address }, four, 1n))],
    ['for a task of his own', await Thief.pay(thief, { to: maps.to, asked: 1n, task: 'loot' })],
    ['with the ticket of another task', await Thief.pay(thief, { ...demand(maps, four, 1n), task: 'loot' })],
    ['in one call', await Thief.pay(thief, demand(maps, four, 500_001n))],
    ['for a purse', await Thief.fund(thief)],
  ]
  const today = await Thief.pay(thief, demand(maps, two, 400_000n))
  const relayed = await Thief.pay(thief, { ...demand(maps, three, 100_000n), relayed: true })
  refused.push(['more today', await Thief.pay(thief, demand(maps, three, 1n))])
  await base.nextBlockAt(dayOne + 2 * day)
  const later = [
    await Thief.pay(thief, demand(maps, three, 100_000n)),
    await Thief.pay(thief, demand(maps, four, 500_000n)),
    await Thief.pay(thief, demand(maps, four, 200_000n)),
  ]
  refused.push(['more for report-4', await Thief.pay(thief, demand(maps, four, 1n))])
  show(scene, [
    ...refused.slice(0, 5),
    ['for report-2', today],
    ['for report-3, relayed by a stranger', relayed],
    ...refused.slice(5, 6),
    ['for report-3', later[0] as Attempt],
    ['for report-4', later[1] as Attempt],
    ['for report-4', later[2] as Attempt],
    ...refused.slice(6),
  ])
  const taken = before - (await balanceOf(scene, wallet.address))
  must(`he took ${usd(taken)} USDC, what Coverage had said, to the unit`, taken === bound)
  must(
    'all of it went to a payee that the owner had named, and nothing else was let through',
    [today, relayed, ...later].every(({ answer }) => answer === 'paid') &&
      refused.map(([, { answer }]) => answer).join() ===
        'WrongPayee,TicketMissing,TicketInvalid,OverPerCall,OverFloat,OverDay,OverTask',
  )
  return taken
}

/** Worse than a stolen agent: the orchestrator's key is gone too. */
async function conspire(scene: Scene, thief: Thief.GuardThief, left: bigint): Promise<bigint> {
  const { wallet, maps, print } = scene
  const { must } = step(scene, 'conspiracy', "And if the orchestrator's key is stolen too")
  const before = await balanceOf(scene, wallet.address)
  const { ticket } = await ticketOf(scene, 'loot')
  const attempts: (readonly [string, Attempt])[] = []
  for (const asked of [left, 1n])
    attempts.push([
      'for a task of his own',
      await Thief.pay(thief, { to: maps.to, asked, task: 'loot', ticket }),
    ])
  show(scene, attempts)
  const taken = before - (await balanceOf(scene, wallet.address))
  must('the total holds, to the unit', taken === left && attempts[1]?.[1].answer === 'OverTotal')
  print.explain(
    'Of 100 USDC in the wallet 5 are gone, the total that the owner had agreed to. What the permissions before and after the raise let out was counted as one.',
  )
  return taken
}

function task(tasks: readonly Task[], name: string): Task {
  const found = tasks.find((task) => task.name === name)
  if (!found) throw new Error(`There is no task ${name}.`)
  return found
}
