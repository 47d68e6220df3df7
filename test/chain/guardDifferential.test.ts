// `Decision` against the guard: random grants with siblings, replacements, other agents, tickets, pauses, revocations,
// fundings and clock jumps. What `check` says, whether a payment goes through, and what remains, are the same.
import {
  type Address,
  createClient,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  http,
  numberToHex,
  parseEther,
  zeroHash,
} from 'viem'
import { expect, test } from 'vitest'
import { hardcapGuardAbi, hardcapGuardReasons } from '../../abi/index.js'
import { hardcapGuard } from '../../src/Addresses.js'
import * as Guard from '../../src/Guard.js'
import * as Permission from '../../src/Permission.js'
import { toStruct } from '../../src/SpmCall.js'
import * as Time from '../../src/Time.js'
import { useBase } from '../base.js'
import { act } from './guardActs.js'
import { answer, type Book, type Compare, inspect, remaining, type Step, text } from './guardModel.js'
import { attemptOf, bookOf, type Cast, fundingOf, moments, taskOf } from './guardWorlds.js'
import { type Random, randomOf } from './model.js'

const base = await useBase()

const { HARDCAP_SEED, HARDCAP_STEPS } = process.env
// The same run every time, so that a commit fails by its own doing; `npm run check:long` takes another one each time.
const seed = Number(HARDCAP_SEED ?? 20_301_231)
const wanted = Number(HARDCAP_STEPS ?? 3_000)

/** Grants that live through the same days together, so that one block serves many of them. */
const booksAtOnce = 6

test(`behavior: Decision is the guard's own answer (HARDCAP_SEED=${seed} HARDCAP_STEPS=${wanted})`, {
  timeout: 60_000 + wanted * 40,
}, async () => {
  console.info(`HARDCAP_SEED=${seed} HARDCAP_STEPS=${wanted}`)
  const random = randomOf(seed)
  const cast = await castOf()
  const client = clientOf(base.url)
  const divergences: string[] = []
  const seen = new Map<string, number>()
  let steps = 0
  const compare = ({ member, now, what, ours, theirs }: Step) => {
    steps++
    const word = theirs.startsWith('{') ? 'remaining' : theirs
    seen.set(word, (seen.get(word) ?? 0) + 1)
    if (ours !== theirs)
      divergences.push(
        `${Time.format(now)} ${what}: ours ${ours}, the chain's ${theirs}; ${Permission.serialize(member.permission)}`,
      )
  }

  while (steps < wanted) {
    const origin = Time.midnight(await base.now()) + 2 * Time.day
    const books = Array.from({ length: booksAtOnce }, (_, n) => bookOf(random, cast, origin, n))
    let now = origin - 3600
    while (now < origin + 5 * Time.day && steps < wanted) {
      await probe(client, random, cast, books, now, compare)
      now = await act(base, random, cast, books, now, compare)
      const next = books
        .flatMap((book) => moments(book, now + 1, origin + 6 * Time.day))
        .sort((a, b) => a - b)
      // Mostly to the next moment that means something, sometimes to any.
      now = random.chance(0.6) ? (next[0] ?? now + 3600) : now + random.integer(1, 6 * 3600)
    }
    // And what the last block left.
    await probe(client, random, cast, books, now, compare)
  }

  // The first ones tell most: what follows often follows from them.
  expect(divergences.slice(0, 3)).toEqual([])
  expect(steps).toBeGreaterThanOrEqual(wanted)
  // Every reason that a well-formed call can have is heard in a long run; a short one may miss some by chance.
  const malformed = [
    ...['Other', 'UnknownPolicyVersion', 'MalformedPolicy', 'MalformedBatch'],
    ...['WrongSpender', 'NativeToken'],
  ]
  const reasons = hardcapGuardReasons.filter((reason) => !malformed.includes(reason))
  const missed = [...reasons, 'ok', 'reverted', 'settled', 'not settled'].filter((word) => !seen.has(word))
  if (wanted >= 3_000) expect(missed.length).toBeLessThanOrEqual(6)
  if (wanted >= 20_000) expect(missed).toEqual([])
})

async function castOf(): Promise<Cast> {
  const accounts = await Promise.all(Array.from({ length: 6 }, () => base.createAccount()))
  const [owner, first, second, third, fourth, stranger] = accounts
  if (!owner || !first || !second || !third || !fourth || !stranger)
    throw new Error('Six accounts were made.')
  for (const { address } of accounts) await base.fundEth(address, parseEther('10000'))
  const { address: wallet, account } = await base.createWallet({ owner, usdc: 10n ** 15n })
  await base.fundUsdc(stranger.address, 10n ** 15n)
  const payees: Address[] = []
  for (let n = 0; n < 5; n++) payees.push((await base.createAccount()).address)
  return { wallet, account, owner, agents: [first, second], orchestrators: [third, fourth], stranger, payees }
}

/** Requests of one tick go out as one: the questions of a block are a handful of HTTP requests. */
function clientOf(url: string) {
  return createClient({ transport: http(url, { batch: { batchSize: 200 }, retryCount: 0, timeout: 60_000 }) })
}

/** Asks the guard, without changing it, what it would say at `now`, and what it has left. */
async function probe(
  client: ReturnType<typeof clientOf>,
  random: Random,
  cast: Cast,
  books: readonly Book[],
  now: number,
  compare: Compare,
): Promise<void> {
  const ask = (data: Hex) =>
    client.request<{ Method: 'eth_call'; Parameters: unknown[]; ReturnType: Hex }>({
      method: 'eth_call',
      params: [{ to: hardcapGuard, data }, 'latest', {}, { time: numberToHex(now) }],
    })
  const abi = hardcapGuardAbi
  const questions: Promise<Step>[] = []
  for (const book of books)
    for (const member of book.members) {
      const struct = toStruct(member.permission)
      const task = random.chance(0.5) ? taskOf(random) : null
      const left = encodeFunctionData({ abi, functionName: 'remaining', args: [struct, task ?? zeroHash] })
      questions.push(
        ask(left).then((data) => {
          const meters = decodeFunctionResult({ abi, functionName: 'remaining', data })
          const ours = remaining(member, now, task)
          // Where there is no cap, there is nothing to compare.
          const theirs = { ...ours }
          for (const key of [
            'perCall',
            'perDay',
            'perTask',
            'perWindow',
            'total',
            'float',
            'period',
          ] as const)
            if (ours[key] !== null) theirs[key] = meters[key]
          const step = { member, now, what: 'remaining' }
          return { ...step, ours: inspect(ours), theirs: inspect(theirs) }
        }),
      )
      for (let n = random.integer(0, 2); n > 0; n--) {
        const fund = member.grant.rail === 'purse' && random.chance(0.5)
        const attempt = fund
          ? await fundingOf(random, cast, member, now)
          : await attemptOf(random, cast, member, now)
        const data =
          'funding' in attempt
            ? encodeFunctionData({
                abi,
                functionName: 'checkFunding',
                args: [struct, Guard.toFunding(attempt.funding)],
              })
            : encodeFunctionData({ abi, functionName: 'check', args: [struct, Guard.toBatch(attempt.batch)] })
        questions.push(
          ask(data).then((data) => {
            const index = decodeFunctionResult({ abi, functionName: 'check', data })
            const theirs = hardcapGuardReasons[index] ?? String(index)
            return { member, now, what: text(attempt), ours: answer(member, attempt, now), theirs }
          }),
        )
      }
    }
  for (const step of await Promise.all(questions)) compare(step)
}
