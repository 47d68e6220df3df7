/** The end of the story: what the books say of it, held against the chain, lost, and rebuilt. */
import { Amount, type Budget, memory, openBudget, Receipt, type Store } from '../../src/index.js'
import { callOne } from './agent.js'
import { balanceOf, funds, type Scene, step, ticketOf, usd } from './scene.js'

/** What the thief did, as the books have to see it: so many facts, and in words. */
type Foreign = { readonly facts: number; readonly said: string }

/** Tells how the books take it, and closes them. */
export async function booksStory(scene: Scene, store: Store, foreign: Foreign): Promise<void> {
  await settle(scene, store, foreign)
  await rebuild(scene)
}

/** The books after all that, opened again as a process that was restarted would. */
async function settle(scene: Scene, store: Store, { facts, said }: Foreign): Promise<void> {
  const { base, grant, permission, agent, wallet, print, report } = scene
  const { must, note } = step(scene, 'books', 'The books are opened again, and held against the chain')
  const budget = await openBudget(base.client, { grant, permission, agent, store, pollMs: 20 })
  const receipts = await budget.receipts()
  const foreign = receipts.filter(({ event }) => event === 'foreign')
  print.explain('What no payment of theirs explains, the books adopt as foreign:')
  print.table(foreign.map(({ note, amount, seq }) => [`receipt ${seq}`, note, usd(amount)]))
  must(said, foreign.length === facts)
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
  sent: 'received by whomever it went to',
  period: 'in the current period',
  approved: 'approved',
  revoked: 'revoked',
  total: "by the guard's own meter, in all",
  day: 'and on this day',
  window: 'and in the trailing window',
  paused: 'paused',
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
  if (report.rail === 'guard') {
    // As the agent paid it, days ago, in books that are lost.
    const { key, host, to, amount, task } = callOne(scene)
    const again = await budget.spend({ key, host, to, amount, task, ...(await ticketOf(scene, task)) })
    const spent = String(await pulled(budget))
    must(
      `call-1, asked for again, is known by its reference on chain: paid in block ${again.blockNumber}, and not again`,
      spent === settled,
    )
  }
  await budget.close()
}

/** Base units pulled from the wallet, as the books have them. */
async function pulled(budget: Budget): Promise<bigint> {
  return Amount.parse(await budget.spentTotalUsd(), { decimals: 6, field: 'spentTotalUsd', zero: true })
}
