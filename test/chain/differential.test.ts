import { type Address, createClient, encodeFunctionData, type Hex, http, numberToHex, parseEther } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { coinbaseSmartWalletAbi } from '../../abi/index.js'
import { toChainError } from '../../src/ChainError.js'
import * as Spm from '../../src/Spm.js'
import * as Time from '../../src/Time.js'
import { useBase } from '../base.js'
import { mineAt, type Raw } from './kit.js'
import { amounts, decided, moments, type Random, randomOf, stateOf, type World, worldsOf } from './model.js'

const base = await useBase()

const { HARDCAP_SEED, HARDCAP_STEPS } = process.env
// The same run every time, so that a commit fails by its own doing; `npm run check:long` takes another one each time.
const seed = Number(HARDCAP_SEED ?? 20_301_231)
const wanted = Number(HARDCAP_STEPS ?? 3_000)

/** Grants that live through the same days together, so that one block serves many of them. */
const grantsAtOnce = 6

type Client = ReturnType<typeof clientOf>

test(`behavior: Decision.decide is the chain's own answer (HARDCAP_SEED=${seed} HARDCAP_STEPS=${wanted})`, {
  timeout: 60_000 + wanted * 30,
}, async () => {
  console.info(`HARDCAP_SEED=${seed} HARDCAP_STEPS=${wanted}`)
  const random = randomOf(seed)
  const client = clientOf(base.url)
  const owner = await base.createAccount()
  const agent = await base.createAccount()
  // A longer run takes more gas than a new account has.
  for (const { address } of [owner, agent]) await base.fundEth(address, parseEther('10000'))
  const { address: wallet } = await base.createWallet({ owner, usdc: 10n ** 15n })
  const divergences: string[] = []
  const seen = new Map<string, number>()
  let steps = 0
  const compare = (world: World, now: number, amount: bigint, ours: string, theirs: string) => {
    steps++
    seen.set(theirs, (seen.get(theirs) ?? 0) + 1)
    if (ours !== theirs)
      divergences.push(`${Time.format(now)} ${amount}: decide ${ours}, chain ${theirs}; ${world.name}`)
  }

  while (steps < wanted) {
    const origin = Time.midnight(await base.now()) + 2 * Time.day
    const parties = { owner: wallet, agent: agent.address }
    const worlds = Array.from({ length: grantsAtOnce }, () => worldsOf(random, parties, origin)).flat()
    for (const [now, here] of timeline(random, worlds, origin)) {
      await probe(client, random, here, now, agent.address, compare)
      await act(random, here, now, { owner, agent, wallet }, compare)
    }
    await checkSums(worlds)
  }

  expect(divergences).toEqual([])
  expect(steps).toBeGreaterThanOrEqual(wanted)
  // Every answer that the chain has was heard; a shorter run may miss one by chance.
  if (wanted >= 2_000)
    expect([...seen.keys()].sort()).toEqual([
      'AFTER_SPEND_PERMISSION_END',
      'BEFORE_SPEND_PERMISSION_START',
      'EXCEEDED_SPEND_PERMISSION',
      'SPEND_VALUE_OVERFLOW',
      'UNAUTHORIZED_SPEND_PERMISSION',
      'ZERO_VALUE',
      'ok',
      'reverted',
    ])
})

/** Requests of one tick go out as one: the questions of a block are a handful of HTTP requests. */
function clientOf(url: string) {
  return createClient({ transport: http(url, { batch: { batchSize: 200 }, retryCount: 0, timeout: 60_000 }) })
}

/** The moments of all worlds in order, each with the worlds that look at it: those it means something to, and some. */
function timeline(random: Random, worlds: readonly World[], origin: number): [number, World[]][] {
  const [since, until] = [origin - 2 * 3600, origin + 5 * Time.day]
  const times = new Map<number, Set<World>>()
  for (const world of worlds) {
    const idle = Array.from({ length: 3 }, () => random.integer(since, until - 1))
    for (const time of [...moments(world, since, until), ...idle])
      times.set(time, (times.get(time) ?? new Set()).add(world))
  }
  for (const here of times.values()) for (const world of worlds) if (random.chance(0.15)) here.add(world)
  return [...times]
    .sort(([a], [b]) => a - b)
    .map(([time, here]) => [time, worlds.filter((world) => here.has(world))])
}

type Compare = (world: World, now: number, amount: bigint, ours: string, theirs: string) => void

/** Asks the chain, without changing it, what it would say at `now` to each amount that is worth asking about. */
async function probe(
  client: Client,
  random: Random,
  worlds: readonly World[],
  now: number,
  agent: Address,
  compare: Compare,
): Promise<void> {
  const questions = worlds.flatMap((world) =>
    amounts(world, now)
      .filter(() => random.chance(0.5))
      .map((amount) => ({ world, amount })),
  )
  const answers = await Promise.all(
    questions.map(({ world: { permission }, amount }) => {
      const { to, data } = Spm.prepareSpend({ permission, amount })
      return client
        .request<{ Method: 'eth_call'; Parameters: unknown[]; ReturnType: Hex }>({
          method: 'eth_call',
          params: [{ from: agent, to, data }, 'latest', {}, { time: numberToHex(now) }],
        })
        .then(
          () => 'ok',
          (error: unknown) => toChainError(error, 'Spending').code,
        )
    }),
  )
  for (const [n, { world, amount }] of questions.entries())
    compare(world, now, amount, decided(stateOf(world, now), agent, amount), answers[n] ?? 'no answer')
}

/** One block at exactly `now`: approvals and revocations by the owner first, then what the agent does. */
async function act(
  random: Random,
  worlds: readonly World[],
  now: number,
  { owner, agent, wallet }: { owner: PrivateKeyAccount; agent: PrivateKeyAccount; wallet: Address },
  compare: Compare,
): Promise<void> {
  const asOwner = ({ to, data, value }: Spm.Call): Raw => ({
    from: owner,
    call: {
      to: wallet,
      data: encodeFunctionData({
        abi: coinbaseSmartWalletAbi,
        functionName: 'execute',
        args: [to, value, data],
      }),
      value: 0n,
    },
  })
  const sent: { sent: Raw; world: World; amount?: bigint; effect?: () => void }[] = []
  const approve = (world: World) => {
    world.approved = !world.revoked || world.approved
  }
  const revoke = (world: World) => {
    world.revoked = true
  }
  for (const world of worlds) {
    const { permission } = world
    // Also again, and after a revocation, where it succeeds without any effect.
    if (random.chance(world.approved ? 0.05 : 0.4))
      sent.push({ sent: asOwner(Spm.prepareApprove({ permission })), world, effect: () => approve(world) })
    if (random.chance(0.01))
      sent.push({ sent: asOwner(Spm.prepareRevoke({ permission })), world, effect: () => revoke(world) })
  }
  for (const world of worlds) {
    const { permission } = world
    for (let n = random.integer(0, 2); n > 0; n--) {
      const amount = random.pick(amounts(world, now))
      sent.push({ sent: { from: agent, call: Spm.prepareSpend({ permission, amount }) }, world, amount })
    }
    if (random.chance(0.01)) {
      const call = Spm.prepareRevokeAsSpender({ permission })
      sent.push({ sent: { from: agent, call }, world, effect: () => revoke(world) })
    }
  }
  if (sent.length === 0) return

  const raws = sent.map((each) => ({ ...each.sent, gas: 400_000n }))
  const receipts = await mineAt(base, now, raws)
  for (const [n, { world, amount, effect }] of sent.entries()) {
    const outcome = receipts[n]?.status === 'success' ? 'ok' : 'reverted'
    if (amount === undefined) {
      if (outcome !== 'ok') throw new Error(`An approval or revocation reverted: ${world.name}`)
      effect?.()
      continue
    }
    const ours = decided(stateOf(world, now), agent.address, amount)
    compare(world, now, amount, ours === 'ok' ? 'ok' : 'reverted', outcome)
    if (outcome === 'ok') world.spends.push({ time: now, amount })
  }
}

/** The period that the chain has stored for each permission is the model's, sum for sum. */
async function checkSums(worlds: readonly World[]): Promise<void> {
  const stored = await Promise.all(
    worlds.map(({ permission }) => Spm.getLastUpdatedPeriod(base.client, { permission })),
  )
  for (const [n, world] of worlds.entries()) {
    const last = world.spends.at(-1)
    expect(stored[n]?.spent).toBe(last === undefined ? 0n : stateOf(world, last.time).used.period)
  }
}
