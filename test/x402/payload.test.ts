import { decodePaymentSignatureHeader, encodePaymentRequiredHeader } from '@x402/core/http'
import { authorizationTypes } from '@x402/evm'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { verifyTypedData } from 'viem/utils'
import { describe, expect, test } from 'vitest'
import { usdc } from '../../src/Addresses.js'
import { Guard } from '../../src/index.js'
import { Challenge, Payer, Payload } from '../../src/x402/index.js'
import { stranger } from '../chain/guardScene.js'
import { grantOf } from './kit.js'

const payTo = stranger()
const account = privateKeyToAccount(generatePrivateKey())
const grant = grantOf('api.example.com', payTo, { agent: account.address })
const payer = Payer.ofAccount(account, grant)
const { grantId } = grant
const now = 1_800_000_000
const authorization = Payload.authorize(
  { payTo, amount: 10_000n, validSeconds: 60 },
  { grantId, key: 'a', now },
)

const terms = {
  scheme: 'exact',
  asset: usdc[8453],
  payTo,
  maxTimeoutSeconds: 60,
  extra: { name: 'USD Coin', version: '2' },
}

/** The first offer of a 402, signed for. */
async function paid(challenge: Awaited<ReturnType<typeof Challenge.read>>) {
  if (!challenge.allowed) throw new Error(challenge.reason)
  const [offer] = challenge.offers
  if (!offer?.allowed) throw new Error('No offer.')
  return Payload.create({ challenge, offer, payer, authorization })
}

describe('authorize', () => {
  test('default: valid for as long as was judged, to the second, under the reference of the key', () => {
    expect(authorization).toEqual({
      to: payTo,
      value: 10_000n,
      validAfter: 0,
      validBefore: now + 60,
      nonce: Guard.reference(grantId, 'a'),
    })
  })

  test('args: key and grantId, each with a nonce of its own', () => {
    const payable = { payTo, amount: 1n, validSeconds: 60 }
    const nonces = [grantId, grantOf('api.example.com').grantId].flatMap((grantId) =>
      ['a', 'b', 'a'].map((key) => Payload.authorize(payable, { grantId, key, now }).nonce),
    )
    expect(new Set(nonces).size).toBe(4)
  })
})

describe('create', () => {
  test('default: version 2, with all that the server said, also what nobody knows', async () => {
    const accepted = { ...terms, network: 'eip155:8453', amount: '10000', unheard: { of: [1] } }
    const required = {
      x402Version: 2,
      resource: { url: 'https://api.example.com/', unheard: 'of' },
      extensions: { unheard: {} },
      accepts: [accepted],
    }
    const header = encodePaymentRequiredHeader(required as never)
    const payload = await paid(
      await Challenge.read(new Response('', { headers: { 'payment-required': header } })),
    )
    const { resource, extensions } = required
    expect(payload).toMatchObject({ x402Version: 2, accepted, resource, extensions })
    expect(payload.accepted).toEqual(accepted)
    const { 'PAYMENT-SIGNATURE': sent = '', ...others } = Payload.headers(payload)
    expect([decodePaymentSignatureHeader(sent), others]).toEqual([payload, {}])
  })

  test('args: version 1, in its own words', async () => {
    const accepts = [
      {
        ...terms,
        network: 'base',
        maxAmountRequired: '10000',
        resource: 'https://api.example.com/',
        description: '',
      },
    ]
    const payload = await paid(
      await Challenge.read(Response.json({ x402Version: 1, accepts }, { status: 402 })),
    )
    expect(payload).toEqual({
      x402Version: 1,
      scheme: 'exact',
      network: 'base',
      payload: { signature: expect.stringMatching(/^0x[0-9a-f]{130}$/), authorization: expect.anything() },
    })
    expect(Object.keys(Payload.headers(payload))).toEqual(['X-PAYMENT'])
  })

  test("behavior: signed for the token's own domain, and for nothing but what was reserved", async () => {
    const accepts = [
      { ...terms, network: 'eip155:8453', amount: '10000', extra: { name: 'Free', version: '9' } },
    ]
    const header = encodePaymentRequiredHeader({ x402Version: 2, accepts } as never)
    const { payload } = await paid(
      await Challenge.read(new Response('', { headers: { 'payment-required': header } })),
    )
    const { signature } = payload as { signature: `0x${string}` }
    const { to, value, validBefore, nonce } = authorization
    const isSigned = (domain: object, message: object) =>
      verifyTypedData({
        address: account.address,
        types: authorizationTypes,
        primaryType: 'TransferWithAuthorization',
        domain: { name: 'USD Coin', version: '2', chainId: 8453, verifyingContract: usdc[8453], ...domain },
        message: {
          ...{ from: account.address, to, value, validAfter: 0n, validBefore: BigInt(validBefore), nonce },
          ...message,
        },
        signature,
      })
    expect(await isSigned({}, {})).toBe(true)
    expect(await isSigned({ name: 'Free', version: '9' }, {})).toBe(false)
    expect(await isSigned({}, { validBefore: BigInt(validBefore) + 1n })).toBe(false)
    expect(payload.authorization).toEqual({
      from: account.address,
      to,
      value: '10000',
      validAfter: '0',
      validBefore: String(now + 60),
      nonce,
    })
  })
})
