// What a permission says besides amounts: payees, dates, numbers and deadlines, under siblings and successors too.
import { describe, expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as Spm from '../../src/Spm.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import { stranger } from './guardScene.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')
const terms = { perDayUsd: '20' } as const
const host = 'api.example.com'

/** Approves `renewed` in place of the grant's permission, submitted by a stranger at this second. */
async function replaceAt(
  it: Awaited<ReturnType<typeof granted>>,
  time: number,
  renewed: Permission.Permission,
) {
  const signature = await it.sign(renewed)
  const call = Guard.prepareReplace({ from: it.permission, to: renewed, signature })
  expect(await it.blockAt(time, { from: it.strangerKey, call })).toEqual(['ok'])
}

describe('payees', () => {
  test('behavior: a sibling and a successor have lists of their own', async () => {
    const it = await granted(base, terms)
    const { start, payAt, payees, sibling, permission, agentKey: signer } = it
    const [old] = payees
    const added = stranger()
    const to = { permission: await sibling({ allow: [{ host, payTo: added }] }), payee: added, proof: [] }
    expect(await payAt(start, one, { payee: added, proof: [] })).toBe('WRONG_PAYEE')
    expect(await payAt(start + 1, one, to)).toBe('ok')
    expect(await payAt(start + 2, one, { ...to, payee: old, proof: Payees.proof(payees, old) })).toBe(
      'WRONG_PAYEE',
    )
    const renewed = await sibling(
      { allow: [{ host, payTo: [added, payees[1]] }] },
      Permission.hash(permission),
    )
    await replaceAt(it, start + 3, renewed)
    const list = [added, payees[1]]
    for (const [n, more] of [{}, { signer }].entries()) {
      const say = { permission: renewed, ...more }
      const proof = Payees.proof(list, payees[1])
      expect(await payAt(start + 10 + 3 * n, one, { ...say, payee: payees[1], proof })).toBe('ok')
      // The proof that showed it in the list before.
      expect(await payAt(start + 11 + 3 * n, one, { ...say, payee: payees[1] })).toBe('WRONG_PAYEE')
      const gone = Payees.proof(payees, old)
      expect(await payAt(start + 12 + 3 * n, one, { ...say, payee: old, proof: gone })).toBe('WRONG_PAYEE')
    }
  })

  test('error: one who is not listed, in the midst of a batch: nobody is paid', async () => {
    const { start, payees, permission, agentKey, batchOf, blockAt } = await granted(base, terms)
    const thief = stranger()
    const batch = batchOf([1n, 2n, 3n])
    const payments = batch.payments.map((payment, n) => (n === 1 ? { ...payment, payee: thief } : payment))
    const call = Guard.preparePay({ permission, batch: { ...batch, payments } })
    expect(await blockAt(start, { from: agentKey, call })).toEqual(['refused'])
    for (const who of [thief, payees[0]]) expect(await kit.balanceOf(base, who)).toBe(0n)
  })

  test('error: an inner node of the list, shown as a payee', async () => {
    const many = [stranger(), stranger(), stranger(), stranger()]
    const { start, payAt } = await granted(base, { ...terms, allow: [{ host, payTo: many }] })
    const [first] = many
    if (!first) throw new Error('There are four.')
    const proof = Payees.proof(many, first)
    expect(await payAt(start, one, { payee: first, proof })).toBe('ok')
    const node = `0x${(proof[0] ?? '0x').slice(26)}` as const
    expect(await payAt(start + 1, one, { payee: node, proof: proof.slice(1) })).toBe('WRONG_PAYEE')
    expect(await payAt(start + 2, one, { payee: first, proof: [...proof, ...proof] })).toBe('WRONG_PAYEE')
    expect(await payAt(start + 3, one, { payee: first, proof: proof.slice(1) })).toBe('WRONG_PAYEE')
  })
})

describe('dates', () => {
  test('behavior: a sibling that starts later, and a successor that ends later', async () => {
    const it = await granted(base, terms)
    const { start, end, payAt, sibling, permission, agentKey: signer, fund, at } = it
    const later = await sibling({ startsAt: (start + day) * 1_000 })
    for (const more of [{}, { signer }]) {
      const time = start + ('signer' in more ? 10 : 0)
      expect(await payAt(time, 1n, { permission: later, ...more })).toBe('BEFORE_SPEND_PERMISSION_START')
      expect(await payAt(time + 1, 1n, more)).toBe('ok')
    }
    expect(await payAt(start + day - 1, 1n, { permission: later })).toBe('BEFORE_SPEND_PERMISSION_START')
    expect(await payAt(start + day, 1n, { permission: later, signer })).toBe('ok')
    const renewed = await sibling({ expiresAt: (end + day) * 1_000 }, Permission.hash(permission))
    await replaceAt(it, start + 2 * day, renewed)
    expect(await payAt(end - 1, 1n, { permission: later })).toBe('ok')
    expect(await payAt(end, 1n, { permission: later })).toBe('AFTER_SPEND_PERMISSION_END')
    expect(await payAt(end + 1, 1n, { permission: renewed, signer })).toBe('ok')
    expect(await payAt(end + day - 1, 1n, { permission: renewed, deadline: end + day })).toBe('ok')
    const last = { permission: renewed, deadline: end + 2 * day, signer }
    expect(await payAt(end + day, 1n, last)).toBe('AFTER_SPEND_PERMISSION_END')
    expect(await at(end + day + 1, fund(1n, last))).toBe('OVER_FLOAT')
  })

  test('behavior: replaced after its end, the successor goes on', async () => {
    const it = await granted(base, terms)
    const { end, payAt, sibling, permission } = it
    const renewed = await sibling({ expiresAt: (end + day) * 1_000 }, Permission.hash(permission))
    await replaceAt(it, end + 5, renewed)
    expect(await payAt(end + 6, 1n)).toBe('UNAUTHORIZED_SPEND_PERMISSION')
    expect(await payAt(end + 7, 1n, { permission: renewed })).toBe('ok')
  })
})

describe('numbers', () => {
  test('behavior: used stays used after a replacement, and another agent has numbers of its own', async () => {
    const it = await granted(base, terms)
    const { start, payAt, sibling, permission, agentKey: signer, strangerKey, at, pay } = it
    const foreign = await sibling({ agent: strangerKey.address })
    expect(await payAt(start, 1n, { number: 7n })).toBe('ok')
    const theirs = await pay(1n, { number: 7n, permission: foreign })
    expect(await at(start + 1, Promise.resolve({ ...theirs, from: strangerKey }))).toBe('ok')
    const renewed = await sibling({ perCallUsd: '0.9' }, Permission.hash(permission))
    await replaceAt(it, start + 2, renewed)
    expect(await payAt(start + 3, 1n, { number: 7n, permission: renewed })).toBe('NUMBER_USED')
    expect(await payAt(start + 4, 1n, { number: 7n, permission: renewed, signer })).toBe('NUMBER_USED')
    expect(await payAt(start + 5, 1n, { number: 8n, permission: renewed, signer })).toBe('ok')
  })

  test('behavior: a refused payment has not used it', async () => {
    const { start, payAt, pay, at, permission } = await granted(base, terms)
    expect(await payAt(start, one + 1n, { number: 9n })).toBe('OVER_PER_CALL')
    expect(await payAt(start + 1, 1n, { number: 9n, deadline: start })).toBe('DEADLINE_PASSED')
    expect(await at(start + 2, pay([1n, 2n], { number: 9n }))).toBe('NUMBER_USED')
    expect(await Guard.isUsed(base.client, { permission, number: 9n })).toBe(false)
    expect(await payAt(start + 3, 1n, { number: 9n })).toBe('ok')
    expect(await Guard.isUsed(base.client, { permission, number: 9n })).toBe(true)
  })

  test('behavior: each number is one, at the edges of lanes and of all numbers', async () => {
    const { start, payAt } = await granted(base, terms)
    const edges = [0n, 255n, 256n, 511n, 2n ** 255n, 2n ** 256n - 256n, 2n ** 256n - 1n]
    let time = start
    for (const number of edges) expect(await payAt(time++, 1n, { number })).toBe('ok')
    for (const number of edges) expect(await payAt(time++, 1n, { number })).toBe('NUMBER_USED')
    for (const number of [1n, 254n, 257n, 2n ** 256n - 2n])
      expect(await payAt(time++, 1n, { number })).toBe('ok')
  })
})

describe('deadline', () => {
  test('behavior: what was signed can be submitted until it, by anybody, once', async () => {
    const it = await granted(base, terms)
    const { start, pay, at, agentKey: signer, blockAt, asAccount, key } = it
    const signed = await pay(1n, { signer, deadline: start + 100 })
    const other = await pay(1n, { signer, deadline: start + 100 })
    expect(await blockAt(start, asAccount(Guard.preparePause(key)))).toEqual(['ok'])
    // Refused while it is paused, and then not.
    expect(await at(start + 50, Promise.resolve(signed))).toBe('PAUSED_BY')
    expect(await blockAt(start + 60, asAccount(Guard.prepareResume(key)))).toEqual(['ok'])
    expect(await at(start + 99, Promise.resolve(signed))).toBe('ok')
    expect(await at(start + 100, Promise.resolve(other))).toBe('DEADLINE_PASSED')
    expect(await at(start + 101, Promise.resolve(signed))).toBe('DEADLINE_PASSED')
  })

  test('error: a batch that was signed for another sibling, or for the permission before', async () => {
    const it = await granted(base, terms)
    const { start, sibling, permission, agentKey, strangerKey, batchOf, at, sign } = it
    const twin = await sibling({ perDayUsd: '19' })
    const batch = batchOf([1n])
    const signature = await Guard.signBatch(agentKey, { permission, batch })
    const submit = (of: Permission.Permission) =>
      Promise.resolve({
        from: strangerKey,
        call: Guard.preparePayWithSignature({ permission: of, batch, signature }),
      })
    expect(await at(start, submit(twin))).toBe('INVALID_AGENT_SIGNATURE')
    const renewed = await sibling({ perCallUsd: '0.9' }, Permission.hash(permission))
    const call = Spm.prepareApproveWithSignature({ permission: renewed, signature: await sign(renewed) })
    expect(await at(start + 1, Promise.resolve({ from: strangerKey, call }))).toBe('ok')
    expect(await at(start + 2, submit(renewed))).toBe('INVALID_AGENT_SIGNATURE')
    expect(await at(start + 3, submit(permission))).toBe('ok')
  })
})
