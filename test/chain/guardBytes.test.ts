// What the library writes is what the deployed guard and purse read, and nothing else: bytes that are nearly a policy,
// a batch or a blob are accepted by both sides or by none. `HARDCAP_SEED` takes others than those of every commit.
import {
  concat,
  createClient,
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  http,
  numberToHex,
  parseSignature,
  RpcRequestError,
  serializeCompactSignature,
  signatureToCompactSignature,
  size,
  slice,
} from 'viem'
import { expect, test } from 'vitest'
import { hardcapGuardAbi, hardcapGuardReasons, purseAbi } from '../../abi/index.js'
import { hardcapGuard } from '../../src/Addresses.js'
import { PolicyError } from '../../src/errors.js'
import * as Guard from '../../src/Guard.js'
import * as Payees from '../../src/Payees.js'
import * as Permission from '../../src/Permission.js'
import * as Policy from '../../src/Policy.js'
import * as Purse from '../../src/Purse.js'
import { toStruct } from '../../src/SpmCall.js'
import { useBase } from '../base.js'
import { batchSizes, policyLike, policySizes, readBatch, spoilt } from './guardBytes.js'
import { granted } from './guardKit.js'
import * as kit from './kit.js'
import { randomOf } from './model.js'

const base = await useBase()
const { usd } = kit
const abi = hardcapGuardAbi
const seed = Number(process.env.HARDCAP_SEED ?? 20_310_115)
const some = <item>(count: number, make: () => item) => Array.from({ length: count }, make)

/** Requests of one tick go out as one. */
const client = createClient({
  transport: http(base.url, { batch: { batchSize: 200 }, retryCount: 0, timeout: 60_000 }),
})

/** What a call returns, or the data that it reverts with. */
async function ask(to: Hex, data: Hex): Promise<{ ok: boolean; data: Hex }> {
  try {
    const params = [{ to, data, gas: '0x4c4b40' }, 'latest']
    return { ok: true, data: await client.request({ method: 'eth_call', params } as never) }
  } catch (error) {
    if (error instanceof RpcRequestError && typeof error.data === 'string')
      return { ok: false, data: error.data as Hex }
    throw error
  }
}

/** The name of the error that the guard reverted with. */
const refusalOf = (data: Hex) => decodeErrorResult({ abi, data }).errorName

async function reasonOf(struct: ReturnType<typeof toStruct>, batch: Hex) {
  const { data } = await ask(
    hardcapGuard,
    encodeFunctionData({ abi, functionName: 'check', args: [struct, batch] }),
  )
  return hardcapGuardReasons[decodeFunctionResult({ abi, functionName: 'check', data })]
}

test(`behavior: policies: explain and Policy.decode read the same bytes (HARDCAP_SEED=${seed})`, async () => {
  const random = randomOf(seed)
  const { permission } = await granted(base, { perDayUsd: '5' })
  const full = Policy.encode({
    ...Policy.decode(permission.extraData),
    ...{ perCall: 5n, total: 9n, perTask: 7n, perWindow: 3n, window: 60, maxFloat: 4n },
    replaces: `0x${'ab'.repeat(32)}`,
  })
  const cases = [
    ...some(1_200, () => spoilt(random, random.pick([permission.extraData, full]), policySizes)),
    ...some(1_200, () => policyLike(random)),
    ...some(size(full), () => full).map((data, n) => (n === 0 ? '0x' : slice(data, 0, n))),
  ]
  const seen = { policy: 0, MalformedPolicy: 0, UnknownPolicyVersion: 0 }
  await Promise.all(
    cases.map(async (data) => {
      const struct = toStruct({ ...permission, extraData: data })
      const [theirs, reason] = await Promise.all([
        ask(hardcapGuard, encodeFunctionData({ abi, functionName: 'explain', args: [data] })),
        reasonOf(struct, '0x'),
      ])
      const ours = read(data)
      seen[typeof ours === 'string' ? ours : 'policy']++
      if (typeof ours === 'string') {
        expect({ data, error: refusalOf(theirs.data), reason }).toEqual({ data, error: ours, reason: ours })
        return
      }
      expect(Policy.encode(ours)).toBe(data)
      expect({ data, policy: await Guard.explain(client, { extraData: data }) }).toEqual({
        data,
        policy: ours,
      })
      // The policy was read: it is the batch that is none.
      expect(reason).toBe('MalformedBatch')
    }),
  )
  expect(Object.values(seen).every((count) => count > 100)).toBe(true)
})

function read(data: Hex): Policy.Policy | 'MalformedPolicy' | 'UnknownPolicyVersion' {
  try {
    return Policy.decode(data)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.code === 'MALFORMED_POLICY' ? 'MalformedPolicy' : 'UnknownPolicyVersion'
  }
}

test.each([
  { name: 'with tasks', terms: { perDayUsd: '20', perTaskUsd: '10' }, task: Guard.task('a') },
  { name: 'without', terms: { perDayUsd: '20' }, task: null },
])(
  `behavior: batches, $name: the guard reads what stands there, or MalformedBatch (HARDCAP_SEED=${seed})`,
  async ({ terms, task }) => {
    const random = randomOf(seed)
    const it = await granted(base, terms)
    const { permission, payees, start } = it
    await base.warp(start)
    const struct = toStruct(permission)
    const about = { task, ticket: task && (await it.ticket(task, usd('10'))) }
    const batches = [
      it.batchOf([1n], about),
      it.batchOf([1n, 2n, 3n], { ...about, payee: payees[1] }),
      it.batchOf([1n], { task: Guard.task('b') }),
      it.batchOf([1n]),
      it.batchOf([], about),
    ].map((batch) => Guard.toBatch(batch).toLowerCase() as Hex)
    const cases = [
      ...batches,
      // No task and no ticket, said at length.
      concat([slice(batches[3] ?? '0x', 0, 6), `0x0001${'00'.repeat(32)}`, slice(batches[3] ?? '0x', 8)]),
      ...some(1_200, () => spoilt(random, random.pick(batches), batchSizes)),
      ...batches.flatMap((data) =>
        some(size(data), () => data).map((data, n) => (n ? slice(data, 0, n) : '0x')),
      ),
    ]
    const seen = { read: 0, malformed: 0, fine: 0 }
    await Promise.all(
      cases.map(async (data) => {
        const args = [struct, data] as const
        const [hash, reason] = await Promise.all([
          ask(hardcapGuard, encodeFunctionData({ abi, functionName: 'hashBatch', args })),
          reasonOf(struct, data),
        ])
        const batch = readBatch(data)
        seen[batch === undefined ? 'malformed' : 'read']++
        if (batch === undefined) {
          expect({ data, ok: hash.ok }).toEqual({ data, ok: false })
          expect(refusalOf(hash.data)).toBe('MalformedBatch')
          expect(reason).not.toBe('Ok')
          return
        }
        expect({ data, hash: hash.data }).toEqual({ data, hash: Guard.batchHash({ permission, batch }) })
        expect(reason).not.toBe('MalformedBatch')
        if (reason !== 'Ok') return
        // Of what would be paid the library's bytes are the only ones.
        expect(Guard.toBatch(batch).toLowerCase()).toBe(data)
        seen.fine++
      }),
    )
    expect(seen.read).toBeGreaterThan(200)
    expect(seen.malformed).toBeGreaterThan(200)
    expect(seen.fine).toBeGreaterThan(10)
  },
)

test(`behavior: blobs: the purse agrees to no other bytes, and never reverts (HARDCAP_SEED=${seed})`, async () => {
  const random = randomOf(seed)
  const it = await granted(base, { rail: 'purse', perDayUsd: '5', maxFloatUsd: '3' })
  const { permission, agentKey, payees, start, end } = it
  expect(await it.at(start, it.fund(usd('3')))).toBe('ok')
  const nonce = Guard.reference(it.grant.grantId, 'blob')
  const authorization = { to: payees[0], value: 1n, validAfter: 0, validBefore: end, nonce }
  const proof = Payees.proof(payees, payees[0])
  const payment = await Purse.signPayment(agentKey, { permission, authorization, proof })
  const cancellation = await Purse.signCancellation(agentKey, { permission, nonce })
  const hashes = {
    payment: Purse.authorizationHash({ permission, authorization }),
    cancellation: Purse.cancellationHash({ permission, nonce }),
  }
  const purse = Purse.address(permission)
  const agrees = async (hash: Hex, blob: Hex) => {
    const args = [hash, blob] as const
    const data = encodeFunctionData({ abi: purseAbi, functionName: 'isValidSignature', args })
    const answer = await ask(purse, data)
    expect({ blob, ok: answer.ok }).toEqual({ blob, ok: true })
    return decodeFunctionResult({ abi: purseAbi, functionName: 'isValidSignature', data: answer.data })
  }
  const [accepted, refused] = ['0x1626ba7e', '0xffffffff'] as const
  for (const [signature, hash, other] of [
    [payment, hashes.payment, hashes.cancellation],
    [cancellation, hashes.cancellation, hashes.payment],
  ] as const) {
    const blob = signature.toLowerCase() as Hex
    expect(await agrees(hash, blob)).toBe(accepted)
    expect(await agrees(other, blob)).toBe(refused)
    const length = size(blob)
    const flipped = some(8 * length, () => blob).map((blob, bit) => flip(blob, bit))
    const cut = some(length, () => blob).map((blob, n) => (n === 0 ? '0x' : slice(blob, 0, n)) as Hex)
    const odd = some(500, () => spoilt(random, blob, policySizes)).filter((other) => other !== blob)
    const others = [...flipped, ...cut, ...odd]
    const answers = await Promise.all(others.map((other) => agrees(hash, other)))
    const agreed = others.filter((_, n) => answers[n] !== refused)
    // Cut by its last byte, an agent's signature may be the short form of itself: the nonce makes both one payment.
    const short = concat([slice(blob, 0, -65), shortOf(slice(blob, -65))])
    expect(agreed.filter((other) => other !== short)).toEqual([])
    expect(await agrees(hash, short)).toBe(accepted)
  }
}, 120_000)

test('behavior: calldata: moved parts mean the same, and parts beyond the end or bits beyond a type nothing', async () => {
  const it = await granted(base, { perDayUsd: '20' })
  const { permission, agentKey, payees, start } = it
  const canonical = async () => (await it.pay(1n)).call.data
  // Behind the selector: where the permission begins, where the batch does; the permission's nine fields, of which the
  // last is where extraData begins; extraData.
  const word = (data: Hex, n: number) => BigInt(slice(data, 4 + 32 * n, 36 + 32 * n))
  const set = (data: Hex, n: number, value: bigint): Hex =>
    concat([slice(data, 0, 4 + 32 * n), numberToHex(value, { size: 32 }), slice(data, 36 + 32 * n)])
  const insert = (data: Hex, n: number): Hex =>
    concat([slice(data, 0, 4 + 32 * n), `0x${'5a'.repeat(32)}`, slice(data, 4 + 32 * n)])
  const move = (data: Hex, n: number) => set(data, n, word(data, n) + 32n)

  const all = await canonical()
  expect([word(all, 0), word(all, 2), word(all, 10)]).toEqual([64n, BigInt(permission.account), 288n])
  const length = word(all, 11)
  const good: Hex[] = [
    await canonical(),
    insert(move(move(await canonical(), 0), 1), 2),
    insert(move(move(await canonical(), 10), 1), 11),
    concat([await canonical(), `0x${'5a'.repeat(40)}`]),
  ]
  const bad: Hex[] = [
    ...[2n ** 255n, 2n ** 64n, 2n ** 32n].flatMap((far) => [0, 1, 10, 11].map((n) => set(all, n, far))),
    ...[length + 1n, length - 1n].map((longer) => set(all, 11, longer)),
    // The policy's bytes as the batch, and the batch's as the policy.
    set(all, 1, 64n + word(all, 10)),
    set(all, 10, word(all, 1) - 64n),
    ...[2, 3, 4, 5, 6, 7, 8].map((n) => set(all, n, word(all, n) + 2n ** 255n)),
    slice(all, 0, -33),
  ]
  const raws = [...bad, ...good].map(
    (data): kit.Raw => ({ from: agentKey, call: { to: hardcapGuard, data, value: 0n } }),
  )
  const answers = await it.blockAt(start, ...raws)
  expect(answers).toEqual([...bad.map(() => 'refused'), ...good.map(() => 'ok')])
  expect(await kit.balanceOf(base, payees[0])).toBe(BigInt(good.length))
  const events = Guard.parseLogs(await base.client.getLogs({ address: hardcapGuard, fromBlock: 'latest' }))
  const hash = Permission.hash(permission)
  expect(events.map((event) => 'permission' in event && event.permission)).toEqual(good.map(() => hash))
})

/** By EIP-2098. */
const shortOf = (signature: Hex) =>
  serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)))

function flip(data: Hex, bit: number): Hex {
  const at = 2 + 2 * Math.floor(bit / 8)
  const byte = Number.parseInt(data.slice(at, at + 2), 16) ^ (1 << (bit % 8))
  return `${data.slice(0, at)}${byte.toString(16).padStart(2, '0')}${data.slice(at + 2)}` as Hex
}
