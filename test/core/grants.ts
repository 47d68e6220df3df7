import fc from 'fast-check'
import { type Address, getAddress } from 'viem'
import { Grant, Time } from '../../src/index.js'

export const owner = '0x1111111111111111111111111111111111111111'
export const agent = '0x2222222222222222222222222222222222222222'
export const payee = '0x3333333333333333333333333333333333333333'
export const other = '0x4444444444444444444444444444444444444444'

/** 2030-01-01 12:00 UTC. */
export const now = Date.UTC(2030, 0, 1, 12) / 1000

/** The grant of the documentation's example. */
export const params = {
  owner,
  agent,
  rail: 'direct',
  allow: [{ host: 'api.example.com', payTo: payee }],
  perCallUsd: '0.05',
  perDayUsd: '2',
  totalUsd: '25',
  expiresAt: '2030-12-31',
} as const satisfies Grant.DefineParams

export const define = (changes: Partial<Grant.DefineParams> = {}, options: Grant.DefineOptions = {}) =>
  Grant.define({ ...params, ...changes }, { now, ...options })

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'))

/** Never small, so never a contract or party that is refused. */
const address = hex(20).map((digits): Address => getAddress(`0xff${digits.slice(2)}`))

const dollars = fc.bigInt({ min: 1n, max: 10n ** 15n })

const amount = (units: bigint) => `${units / 1_000_000n}.${String(units % 1_000_000n).padStart(6, '0')}`

/** Any grant that can be defined at `now`. */
export const anyGrant: fc.Arbitrary<Grant.Grant> = fc
  .record({
    id: fc.option(fc.stringMatching(/^[a-zA-Z0-9 "\\äß☃-]{1,20}$/), { nil: undefined }),
    owner: address,
    agent: address,
    chain: fc.constantFrom(8453, 84532),
    hosts: fc.uniqueArray(fc.tuple(fc.domain(), fc.array(address, { maxLength: 3 })), {
      minLength: 1,
      maxLength: 5,
      selector: ([host]) => host.toLowerCase(),
    }),
    caps: fc.record({
      perTask: fc.option(dollars),
      perDay: fc.option(dollars),
      total: fc.option(dollars),
    }),
    rail: fc.constantFrom<Grant.Grant['rail']>('direct', 'guard', 'purse'),
    orchestrator: fc.option(address, { nil: undefined }),
    perWindow: fc.option(
      fc.record({
        units: dollars.filter((units) => units < 2n ** 48n - 1n),
        window: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      }),
    ),
    hold: fc.constantFrom<Grant.Grant['hold']>('day', 'total'),
    status: fc.constantFrom<Grant.Grant['status']>('active', 'revoked'),
    startsAt: fc.option(fc.integer({ min: now - 30 * Time.day, max: now + 30 * Time.day }), {
      nil: undefined,
    }),
    lasts: fc.option(fc.integer({ min: 1, max: 1000 * Time.day }), { nil: undefined }),
  })
  .filter(({ owner, agent, orchestrator, hosts, caps }) => {
    const parties = [owner, agent, ...hosts.flatMap(([, payTo]) => payTo)]
    const distinct = !parties.slice(1).includes(owner) && !parties.slice(2).includes(agent)
    return distinct && orchestrator !== agent && (caps.perDay !== null || caps.total !== null)
  })
  .map(({ hosts, caps, rail, orchestrator, perWindow, hold, lasts, ...rest }) => {
    // Days that are over may have taken a held total with them, which is refused.
    const startsAt =
      hold === 'total' && rest.startsAt !== undefined && rest.startsAt < now ? now : rest.startsAt
    const cap = (units: bigint | null) => (units === null ? undefined : amount(units))
    const start = Math.max(startsAt ?? now, now) + Time.day
    return Grant.define(
      {
        ...rest,
        rail,
        allow: hosts.map(([host, payTo]) => (payTo.length === 0 ? host : { host, payTo })),
        ...(rail === 'direct'
          ? { hold: caps.total === null ? 'day' : hold }
          : {
              orchestrator,
              payees: hosts.some(([, payTo]) => payTo.length === 0) ? 'any' : 'listed',
              perWindowUsd: cap(perWindow?.units ?? null),
              window: perWindow?.window,
            }),
        perTaskUsd: cap(caps.perTask),
        perDayUsd: cap(caps.perDay),
        totalUsd: cap(caps.total),
        startsAt: startsAt === undefined ? undefined : new Date(startsAt * 1000),
        expiresAt: lasts === undefined ? undefined : new Date((start + lasts) * 1000),
      },
      { now },
    )
  })
  .filter((grant) => grant.allow.every(({ host }) => !host.includes('_')))
