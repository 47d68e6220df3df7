import { type Address, concat, type Hex, keccak256, slice, toHex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { Grant, Payees, Permission } from '../../../src/index.js'
import { owner } from '../permission.js'

/** A UTC midnight, which is also the start of a bucket of 20 minutes. */
export const start = 1_800_057_600
export const day = 86_400
export const end = start + 4 * day

/** The address that forge's `makeAddr` gives a name. */
const actor = (name: string): Address => privateKeyToAddress(keccak256(toHex(name)))

const [payee, other] = [actor('payee 0'), actor('payee 1')] as const
const orchestrator = actor('orchestrator')

type Odd = Partial<Permission.Permission> & { spend?: { spender?: string; token?: string } }

/** A permission of the one grant that all vectors are about: all of them are siblings. */
function made(name: string, terms: Partial<Grant.DefineParams>, odd: Odd = {}) {
  const { spend = {}, ...changes } = odd
  const grant = Grant.define(
    {
      id: name,
      owner,
      agent: actor('agent'),
      rail: 'guard',
      allow: [{ host: 'api.example.com', payTo: [payee, other] }],
      perCallUsd: '1',
      startsAt: start * 1_000,
      expiresAt: end * 1_000,
      ...terms,
    },
    { now: start - 1, grantId: keccak256(toHex('grant')) },
  )
  const { allowance, period, extraData, ...permission } = { ...Permission.fromGrant(grant), ...changes }
  const listed = grant.payees === 'listed'
  return {
    name,
    text: Grant.serialize(grant),
    spender: spend.spender ?? 'guard',
    token: spend.token ?? 'usdc',
    allowance: allowance.toString(),
    period,
    start: permission.start,
    end: permission.end,
    extraData,
    /** That `payee 0` and `payee 1` are listed. */
    proofs: [payee, other].map((each) => (listed ? Payees.proof([payee, other], each) : [])),
  }
}

const daily = { perDayUsd: '3', totalUsd: '10' } as const
const wide = { perDayUsd: '20' } as const
const window = { ...wide, perWindowUsd: '3', window: 3_600 } as const
const tasked = { ...wide, orchestrator, perTaskUsd: '3' } as const
const anybody = { payees: 'any', allow: ['api.example.com'] } as const
const purse = { rail: 'purse', maxFloatUsd: '3', perDayUsd: '5', totalUsd: '12' } as const
/** Three units in whatever 10,000 seconds, as SpendPermissionManager alone would have it. */
const narrow = { allowance: 3_000_000n, period: 10_000 } as const

const data = (policy: Hex, version: Hex): Hex => concat([version, slice(policy, 1)])
const typical = made('typical', daily)

/** `raised` has the cap of the one before at 3.2 instead of 3. */
export const grants = [
  typical,
  made('typical raised', { perDayUsd: '3.2', totalUsd: '10.2' }),
  made('wide', wide),
  made('total', { perDayUsd: '2', totalUsd: '3' }),
  made('total raised', { perDayUsd: '2', totalUsd: '3.2' }),
  made('total alone', { totalUsd: '3' }),
  made('window', window),
  made('window raised', { ...window, perWindowUsd: '3.2' }),
  made('longer window', { ...window, window: 7_200 }),
  made('tasked', tasked),
  made('tasked raised', { ...tasked, perTaskUsd: '3.2' }),
  made('orchestrated', { ...wide, orchestrator }),
  made('narrow', wide, narrow),
  made('any payee', { ...wide, ...anybody }),
  made('second agent', { ...wide, agent: actor('second agent') }),
  made('purse', purse),
  made('purse twin', { ...purse, perDayUsd: '6' }),
  made('purse of a day', { ...purse, perDayUsd: '3.5' }),
  made('purse of a total', { ...purse, perDayUsd: undefined, totalUsd: '3.5' }),
  made('purse of a window', { ...purse, perWindowUsd: '3', window: 3_600 }),
  made('purse of tasks', { ...purse, orchestrator, perTaskUsd: '3' }),
  made('purse of an allowance', purse, narrow),
  made('purse of anybody', { ...purse, ...anybody }),
  made('another spender', daily, { spend: { spender: 'stranger' } }),
  made('native token', daily, { spend: { token: 'native' } }),
  made('no policy', daily, { extraData: '0x' }),
  made('a byte too many', daily, { extraData: `${typical.extraData}00` }),
  made('version 2', daily, { extraData: data(typical.extraData, '0x02') }),
] as const
