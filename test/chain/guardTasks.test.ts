// Tasks, which the chain only knows by the tickets of an orchestrator: without one nothing is paid.
import { zeroHash } from 'viem'
import { expect, test } from 'vitest'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import { useBase } from '../base.js'
import { granted } from './guardKit.js'
import * as kit from './kit.js'

const base = await useBase()
const { day, usd } = kit
const one = usd('1')
const { task } = Guard
const [a, b] = [task('a'), task('b')]

const tasked = (terms = {}) => granted(base, { perTaskUsd: '3', perDayUsd: '20', ...terms })

test('behavior: within, at, one unit over, on any day', async () => {
  const { start, end, pay, at, payAt, ticket } = await tasked()
  const say = { task: a, ticket: await ticket(a, usd('10'), end + day) }
  expect(await at(start, pay([one, one], say))).toBe('ok')
  expect(await payAt(start + 1, one - 1n, say)).toBe('ok')
  expect(await at(start + 2, pay([1n, 1n], say))).toBe('OVER_TASK')
  expect(await payAt(start + day, 2n, say)).toBe('OVER_TASK')
  expect(await payAt(start + 2 * day, 1n, say)).toBe('ok')
  expect(await payAt(start + 3 * day, 1n, say)).toBe('OVER_TASK')
  const other = { task: b, ticket: await ticket(b, usd('10')) }
  expect(await payAt(start + 3 * day + 1, one, other)).toBe('ok')
})

test('behavior: the ticket binds where it is lower, and a later one for more goes on from there', async () => {
  const { start, payAt, ticket } = await tasked()
  const low = { task: a, ticket: await ticket(a, one) }
  expect(await payAt(start, one - 1n, low)).toBe('ok')
  expect(await payAt(start + 1, 2n, low)).toBe('OVER_TASK')
  expect(await payAt(start + 2, 1n, low)).toBe('ok')
  const more = { task: a, ticket: await ticket(a, 2n * one) }
  expect(await payAt(start + 3, one, more)).toBe('ok')
  expect(await payAt(start + 4, 1n, more)).toBe('OVER_TASK')
  const nothing = { task: b, ticket: await ticket(b, 0n) }
  expect(await payAt(start + 5, 1n, nothing)).toBe('OVER_TASK')
})

test('error: no task, no ticket, of another task, too old, by somebody else, with another cap', async () => {
  const { start, payAt, ticket, agentKey, ownerKey, key } = await tasked()
  const good = await ticket(a, one)
  const { cap, deadline } = good
  const as = async (signer: typeof agentKey) => {
    const { chainId, account, token, grantId } = key
    const terms = { chainId, account, token, grantId, task: a, cap, deadline }
    return { cap, deadline, signature: await signer.signTypedData(Guard.ticketTypedData(terms)) }
  }
  let at = start
  const say = (task: typeof a | null, ticket: Guard.Ticket | null) => payAt(at++, 1n, { task, ticket })
  expect(await say(null, good)).toBe('TASK_MISSING')
  expect(await say(zeroHash, good)).toBe('TASK_MISSING')
  expect(await say(a, null)).toBe('TICKET_MISSING')
  expect(await say(b, good)).toBe('TICKET_INVALID')
  for (const signer of [agentKey, ownerKey]) expect(await say(a, await as(signer))).toBe('TICKET_INVALID')
  expect(await say(a, { ...good, cap: cap + 1n })).toBe('TICKET_INVALID')
  expect(await say(a, { ...good, deadline: deadline + 1 })).toBe('TICKET_INVALID')
  expect(await say(a, { ...good, signature: '0x00' })).toBe('TICKET_INVALID')
  const short = await ticket(a, one, at + 2)
  expect(await payAt(at + 1, 1n, { task: a, ticket: short })).toBe('ok')
  expect(await payAt(at + 2, 1n, { task: a, ticket: short })).toBe('TICKET_EXPIRED')
  expect(await payAt(at + 3, 1n, { task: a, ticket: good })).toBe('ok')
})

test('error: a ticket of another account, token, grant, chain or guard', async () => {
  const { start, end, payAt, orchestratorKey, strangerKey, key } = await tasked()
  const terms = { ...key, task: a, cap: one, deadline: end }
  const right = Guard.ticketTypedData(terms)
  const { domain } = right
  const signed = [
    Guard.ticketTypedData({ ...terms, account: strangerKey.address }),
    Guard.ticketTypedData({ ...terms, token: strangerKey.address }),
    Guard.ticketTypedData({ ...terms, grantId: zeroHash }),
    Guard.ticketTypedData({ ...terms, chainId: 84532 }),
    { ...right, domain: { ...domain, verifyingContract: strangerKey.address } },
  ]
  for (const [n, definition] of signed.entries()) {
    const ticket = { cap: one, deadline: end, signature: await orchestratorKey.signTypedData(definition) }
    expect(await payAt(start + n, 1n, { task: a, ticket })).toBe('TICKET_INVALID')
  }
  const ticket = { cap: one, deadline: end, signature: await orchestratorKey.signTypedData(right) }
  expect(await payAt(start + 10, 1n, { task: a, ticket })).toBe('ok')
})

test('behavior: siblings and successors share the task, under the same tickets', async () => {
  const { start, payAt, ticket, sibling, permission, sign, strangerKey, at } = await tasked()
  const twin = await sibling()
  const say = { task: a, ticket: await ticket(a, 2n * one) }
  expect(await payAt(start, one, say)).toBe('ok')
  expect(await payAt(start + 1, one - 1n, { ...say, permission: twin })).toBe('ok')
  const renewed = await sibling({ perDayUsd: '19' }, Permission.hash(permission))
  const call = Guard.prepareReplace({ from: permission, to: renewed, signature: await sign(renewed) })
  expect(await at(start + 2, Promise.resolve({ from: strangerKey, call }))).toBe('ok')
  expect(await payAt(start + 3, 2n, { ...say, permission: renewed })).toBe('OVER_TASK')
  expect(await payAt(start + 4, 1n, { ...say, permission: renewed })).toBe('ok')
})

test('error: a ticket where nobody asks for one', async () => {
  const { start, payAt, ticket } = await granted(base, { perDayUsd: '20' })
  expect(await payAt(start, 1n, { task: a, ticket: await ticket(a, one) })).toBe('TICKET_UNEXPECTED')
  expect(await payAt(start + 1, 1n, { task: a })).toBe('ok')
})
