import { createHash, generateKeyPairSync, type KeyObject, sign as signWithKey } from 'node:crypto'
import { bytesToHex, concat, type Hash, hashMessage, hashTypedData, hexToBytes, numberToHex } from 'viem'
import type { WebAuthnAccount } from 'viem/account-abstraction'

/** The order of the curve P-256. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const rpId = 'keys.coinbase.com'

/** A passkey in software: what a phone would hold, as an owner for viem's `toCoinbaseSmartAccount`. */
export function createPasskey(): WebAuthnAccount {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = [x, y].map((coordinate) => bytesToHex(Buffer.from(coordinate, 'base64url')))
  const id = createHash('sha256').update(point.join()).digest('base64url')
  const sign = async ({ hash }: { hash: Hash }) => assert(privateKey, id, hash)
  return {
    id,
    publicKey: concat(point),
    sign,
    signMessage: ({ message }) => sign({ hash: hashMessage(message) }),
    signTypedData: (typedData) => sign({ hash: hashTypedData(typedData) }),
    type: 'webAuthn',
  }
}

/**
 * A WebAuthn assertion over the hash, as an authenticator makes it. Not through viem's `toWebAuthnAccount`, whose
 * parser of DER signatures misreads the one in 128 that has a short number.
 */
function assert(key: KeyObject, id: string, hash: Hash): Awaited<ReturnType<WebAuthnAccount['sign']>> {
  const challenge = Buffer.from(hexToBytes(hash)).toString('base64url')
  const clientDataJSON = JSON.stringify({
    type: 'webauthn.get',
    challenge,
    origin: `https://${rpId}`,
    crossOrigin: false,
  })
  // The relying party's hash; flags: user present and verified; a counter that stays 0, as synced passkeys do.
  const authenticatorData = Buffer.concat([sha256(rpId), Buffer.from([0b101, 0, 0, 0, 0])])
  const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)])
  const signature = signWithKey('sha256', signed, { key, dsaEncoding: 'ieee-p1363' })
  const r = bytesToHex(signature.subarray(0, 32))
  const s = BigInt(bytesToHex(signature.subarray(32)))
  return {
    // Verifiers on chain refuse the other half of the signatures, against malleability.
    signature: concat([r, numberToHex(s > order / 2n ? order - s : s, { size: 32 })]),
    webauthn: {
      authenticatorData: bytesToHex(authenticatorData),
      clientDataJSON,
      challengeIndex: clientDataJSON.indexOf('"challenge"'),
      typeIndex: clientDataJSON.indexOf('"type"'),
      userVerificationRequired: true,
    },
    raw: credential(id, clientDataJSON),
  }
}

/** The browser's object around the assertion, of which viem uses nothing. */
function credential(id: string, clientDataJSON: string): Awaited<ReturnType<WebAuthnAccount['sign']>>['raw'] {
  return {
    id,
    type: 'public-key',
    authenticatorAttachment: 'platform',
    rawId: arrayBuffer(Buffer.from(id, 'base64url')),
    response: { clientDataJSON: arrayBuffer(Buffer.from(clientDataJSON)) },
    getClientExtensionResults: () => ({}),
  }
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

function sha256(data: string): Buffer {
  return createHash('sha256').update(data).digest()
}
