/** A number that the books keep for somebody, such as how many receipts a sink was given, and whose turn it is to move it. */
import type { Hex } from 'viem'
import * as Meter from './Meter.js'
import type { Store } from './Store.js'

export type Cursor = {
  /** 0 at first. */
  readonly read: () => Promise<number>
  readonly write: (value: number) => Promise<void>
  /**
   * Takes it for so many milliseconds by this machine's clock, or for longer where it is taken by this one already; 0 gives
   * it back. False, and nothing is changed, where another one has it, in whatever process.
   */
  readonly take: (ms: number) => Promise<boolean>
}

/** The cursor of a name. Each call gives another one to take it by. */
export function of(store: Store, grantId: Hex, name: string): Cursor {
  const row = { grantId, name: Meter.cursor(name) }
  const until = { grantId, name: Meter.cursor(`${name} until`) }
  const owner = { grantId, name: Meter.cursor(`${name} owner`) }
  const [me = 0n] = crypto.getRandomValues(new BigUint64Array(1))
  return {
    read: () => store.transact(grantId, async (tx) => Number(await Meter.read(tx, grantId, row.name))),
    write: (value) => store.transact(grantId, (tx) => tx.put('meters', { ...row, amount: BigInt(value) })),
    take: (ms) =>
      store.transact(grantId, async (tx) => {
        const now = Date.now()
        const isTaken = (await Meter.read(tx, grantId, until.name)) > BigInt(now)
        if (isTaken && (await Meter.read(tx, grantId, owner.name)) !== me) return false
        await tx.put('meters', { ...until, amount: BigInt(now + ms) })
        await tx.put('meters', { ...owner, amount: me })
        return true
      }),
  }
}
