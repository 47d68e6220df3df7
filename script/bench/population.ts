/** A Base with a past: many grants of many owners, and payments under them, the same for the same seed. */
import { type Address, type Hex, keccak256, stringToHex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import * as Grant from '../../src/Grant.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import type { Call } from '../../src/Transaction.js'
import type { Base } from '../../src/testing/index.js'

/** One of those who have a grant. */
export type Member = {
  readonly grant: Grant.Grant
  readonly permission: Permission.Permission
  readonly ownerSignature: Hex
  readonly agent: PrivateKeyAccount
}

/** Payments in one transaction. */
const batchSize = 50

/** Every payment's amount, base units. */
export const amount = 1_000n

export type Population = {
  readonly members: readonly Member[]
  /** Pays `count` times under each grant, through the guard, in batches that a relayer sends. No books know of it. */
  pay(count: number): Promise<void>
}

/** Defines grants; each is approved with its first payment. `progress` is told how many payments are on chain. */
export async function populate(
  base: Base,
  options: {
    readonly grants: number
    readonly seed: number
    readonly progress: (payments: number) => void
  },
): Promise<Population> {
  const { grants, seed, progress } = options
  const keyOf = (name: string): PrivateKeyAccount =>
    privateKeyToAccount(keccak256(stringToHex(`hardcap population ${seed} ${name}`)))
  const payees = Array.from({ length: 4 }, (_, n): Address => keyOf(`payee ${n}`).address)
  const relayer = await base.createAccount()
  const members: Member[] = []
  for (let n = 0; n < grants; n++) {
    const agent = keyOf(`agent ${n}`)
    const wallet = await base.createWallet({ owner: keyOf(`owner ${n}`), usdc: amount * 1_000_000n })
    const now = await base.now()
    const grant = Grant.define(
      {
        owner: wallet.address,
        agent: agent.address,
        allow: [{ host: 'api.example.com', payTo: payees }],
        perCallUsd: '1',
        perDayUsd: '1000',
        totalUsd: '10000',
        expiresAt: (now + 300 * 86_400) * 1000,
      },
      { now, grantId: keccak256(stringToHex(`hardcap population ${seed} grant ${n}`)) },
    )
    const permission = Permission.fromGrant(grant)
    members.push({
      grant,
      permission,
      ownerSignature: await Permission.sign(wallet.account, permission),
      agent,
    })
  }

  const send = async ({ to, data }: Call) => {
    const { status } = await base.client.sendTransactionSync({ account: relayer, to, data, gas: 25_000_000n })
    if (status !== 'success') throw new Error('A transaction of the population failed.')
  }
  let paid = 0
  return {
    members,
    async pay(count) {
      const until = paid + count
      for (; paid < until; paid += Math.min(batchSize, until - paid)) {
        const size = Math.min(batchSize, until - paid)
        const deadline = (await base.now()) + 86_400
        for (const [n, member] of members.entries()) {
          const signed = await signBatch(member, { from: paid, size, deadline, payees })
          const { ownerSignature } = member
          await send(
            paid === 0
              ? Guard.prepareApproveAndPay({ ...signed, ownerSignature, agentSignature: signed.signature })
              : Guard.preparePayWithSignature(signed),
          )
          progress(paid * grants + (n + 1) * size)
        }
      }
    },
  }
}

async function signBatch(
  { grant, permission, agent }: Member,
  options: {
    readonly from: number
    readonly size: number
    readonly deadline: number
    readonly payees: readonly Address[]
  },
) {
  const { from, size, deadline, payees } = options
  const lane = BigInt(keccak256(grant.grantId)) >> 8n
  const batch = Guard.batch(grant, {
    deadline,
    payments: Array.from({ length: size }, (_, n) => {
      const payee = payees[(from + n) % payees.length]
      if (payee === undefined) throw new Error('There are four payees.')
      return {
        number: Guard.number(lane, from + n),
        ref: Guard.reference(grant.grantId, `payment ${from + n}`),
        payee,
        amount,
      }
    }),
  })
  const signature = await Guard.signBatch(agent, { permission, batch })
  return { permission, batch, signature }
}
