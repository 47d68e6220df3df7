/** A chain on paper: blocks of transactions by the agent, which it can lose, and readings of it for the books. */
import { type Address, type Hex, keccak256, stringToBytes } from 'viem'
import type { Fact } from '../../src/Facts.js'
import type * as Grant from '../../src/Grant.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import { address as purseOf } from '../../src/PurseAddress.js'
import type { Reading } from '../../src/Settlement.js'
import type { PaymentRow } from '../../src/Store.js'

/** What a transaction of the agent does: one fact, or nothing where it reverts. */
export type Effect =
  | { readonly kind: 'pull'; readonly amount: bigint; readonly permission?: Permission.Permission }
  | { readonly kind: 'transfer'; readonly amount: bigint; readonly payee: Address }
  | (Pick<PaymentRow, 'amount' | 'payee' | 'ref'> & {
      readonly kind: 'payment'
      /** Null for one of another agent, which has numbers of its own. */
      readonly number: Hex | null
      readonly permission?: Permission.Permission
      readonly task?: Hex
    })
  /** Whoever settles it. */
  | { readonly kind: 'authorization'; readonly amount: bigint; readonly payee: Address; readonly ref: Hex }
  | { readonly kind: 'cancellation'; readonly ref: Hex }
  | { readonly kind: 'nothing' }

/** A transaction of the agent. Without a nonce it is one that was not the agent's: it uses none. */
export type Mined = { readonly hash: Hex; readonly nonce?: number; readonly effect: Effect }

type Block = {
  readonly number: number
  readonly hash: Hex
  readonly time: number
  readonly txs: readonly Mined[]
}

let blocks_ = 0
/** A hash that no other call returns. */
export const freshHash = (): Hex => keccak256(stringToBytes(`hash ${blocks_++}`))

export class Chain {
  readonly #grantId: Hex
  /** The purse, on the purse rail; on the direct rail the agent, where the grant names a float. */
  readonly payer: Address | null
  /** What others gave to the payer. */
  given = 0n
  /** Of which the readings say whether it is approved. */
  permission: Permission.Permission
  readonly #blocks: Block[]
  #final = 0
  approved = true
  revoked = false
  pausedBy: Reading['pausedBy'] = null
  revokedBy: Reading['revokedBy'] = null

  constructor(grant: Grant.Grant, permission: Permission.Permission, time: number) {
    const { grantId, rail, agent, maxFloat } = grant
    this.#grantId = grantId
    const own = rail === 'direct' && maxFloat !== null ? agent : null
    this.payer = rail === 'purse' ? purseOf(permission) : own
    this.permission = permission
    this.#blocks = [{ number: 0, hash: freshHash(), time, txs: [] }]
  }

  get head(): Block {
    return this.block(this.#blocks.length - 1)
  }

  get final(): Block {
    return this.block(this.#final)
  }

  block(number: number): Block {
    const block = this.#blocks[number]
    if (!block) throw new Error(`There is no block ${number}.`)
    return block
  }

  /** Transactions above the final block. */
  get provisional(): Mined[] {
    return this.#blocks.slice(this.#final + 1).flatMap(({ txs }) => txs)
  }

  /** One more block, two seconds later or at `time`. */
  mine(txs: readonly Mined[] = [], time = this.head.time + 2): void {
    this.#blocks.push({ number: this.#blocks.length, hash: freshHash(), time, txs })
  }

  /** Drops the last blocks. What takes their place has to be mined. */
  drop(depth: number): Mined[] {
    if (this.#blocks.length - depth <= this.#final) throw new Error('Final blocks do not go.')
    return this.#blocks.splice(this.#blocks.length - depth).flatMap(({ txs }) => txs)
  }

  finalize(number = this.head.number): void {
    this.#final = Math.max(this.#final, number)
  }

  /** The agent's transaction count after a block. */
  nonceAt(number: number): number {
    const nonces = this.#blocks.slice(0, number + 1).flatMap(({ txs }) => txs.map(({ nonce }) => nonce ?? -1))
    return Math.max(-1, ...nonces) + 1
  }

  get nonce(): number {
    return this.nonceAt(this.head.number)
  }

  /** Whether the guard has used a payment number, by the head. */
  isUsed(number: Hex): boolean {
    return this.#blocks.some(({ txs }) =>
      txs.some(({ effect }) => effect.kind === 'payment' && effect.number === number),
    )
  }

  get #effects(): Effect[] {
    return this.#blocks.flatMap(({ txs }) => txs.map(({ effect }) => effect))
  }

  /** What the payer holds at the head: what was funded or pulled, less what authorizations and transfers took. */
  get float(): bigint {
    return this.#effects.reduce((float, effect) => {
      if (effect.kind === 'authorization' || effect.kind === 'transfer') return float - effect.amount
      if (effect.kind === 'pull') return float + effect.amount
      return effect.kind === 'payment' && effect.payee === this.payer ? float + effect.amount : float
    }, this.given)
  }

  /** Whether the token has used a nonce of the purse, by the head. */
  isNonceUsed(nonce: Hex): boolean {
    return this.#effects.some(
      (effect) => (effect.kind === 'authorization' || effect.kind === 'cancellation') && effect.ref === nonce,
    )
  }

  #payerReading(): Reading['payer'] {
    if (this.payer === null) return undefined
    const isFunded = this.#effects.some(
      ({ kind, ...effect }) => 'payee' in effect && effect.payee === this.payer,
    )
    return { balance: this.float, fundedBy: isFunded ? Permission.hash(this.permission) : null }
  }

  /** Everything after block `after`, as an endpoint would tell it now, which was asked for these numbers and nonces. */
  reading(
    after: number,
    numbers: readonly Hex[] = [],
    nonces: readonly Hex[] = [],
  ): Reading & { readonly finalNonce: number } {
    const { head, final, pausedBy, revokedBy } = this
    return {
      after,
      head: { number: head.number, hash: head.hash, time: head.time },
      final: { number: final.number, hash: final.hash, time: final.time },
      facts: this.#blocks.slice(after + 1).flatMap((block) => this.#facts(block)),
      finalNonce: this.nonceAt(final.number),
      numbers: new Map(numbers.map((number) => [number, this.isUsed(number)])),
      nonces: new Map(nonces.map((nonce) => [nonce, this.isNonceUsed(nonce)])),
      payer: this.#payerReading(),
      permissionHash: Permission.hash(this.permission),
      approved: this.approved,
      revoked: this.revoked,
      pausedBy,
      revokedBy,
      siblings: [],
    }
  }

  #facts(block: Block): Fact[] {
    return block.txs.flatMap(({ hash, effect }, logIndex): Fact[] => {
      if (effect.kind === 'nothing') return []
      const place = {
        grantId: this.#grantId,
        blockNumber: block.number,
        logIndex,
        blockHash: block.hash,
        txHash: hash,
        time: block.time,
        amount: effect.kind === 'cancellation' ? 0n : effect.amount,
        ref: null,
        number: null,
        payer: null,
        window: null,
        task: null,
      }
      if (effect.kind === 'transfer') {
        return [{ ...place, kind: 'transfer', payee: effect.payee, permissionHash: null, periodStart: null }]
      }
      if (effect.kind === 'authorization' || effect.kind === 'cancellation') {
        const { payer } = this
        if (payer === null) throw new Error('There is no purse.')
        const { kind, ref } = effect
        const payee = kind === 'authorization' ? effect.payee : payer
        return [{ ...place, kind, ref, payer, payee, permissionHash: null, periodStart: null }]
      }
      const { permission = this.permission } = effect
      const bounds = Permission.periodAt(permission, block.time)
      if (!bounds) throw new Error('The permission would refuse that.')
      const taken = { permissionHash: Permission.hash(permission), periodStart: bounds.start }
      if (effect.kind === 'pull') return [{ ...place, ...taken, kind: 'pull', payee: permission.spender }]
      const { payee, ref, number, task = null } = effect
      const { window } = Policy.decode(permission.extraData)
      return [{ ...place, ...taken, kind: 'payment', payee, ref, number, window, task }]
    })
  }
}
