/**
 * Owners sign in with Ethereum (EIP-4361): a message for this origin and chain, with a nonce that is good once and for
 * minutes, signed by an EOA or by a smart wallet (ERC-1271, ERC-6492).
 */
import { type Address, getAddress, type Hex, isHex, type PublicClient } from 'viem'
import { getChainId } from 'viem/actions'
import { parseSiweMessage, verifySiweMessage } from 'viem/siwe'
import { chainUnseen, Problem } from './Problem.js'
import type { Records, SessionRow } from './Records.js'
import * as Secret from './Secret.js'

export type SignInOptions = {
  readonly records: Records
  readonly client: PublicClient
  readonly chainId: number
  readonly origin: URL
  /** Unix seconds. */
  readonly now: number
  readonly nonceSeconds: number
  readonly sessionSeconds: number
}

/** Seconds by which the clock of a wallet may be ahead. */
const skew = 60

export async function nonce({ records, now, nonceSeconds }: SignInOptions): Promise<string> {
  // Only letters and digits, as the message has it.
  const nonce = Secret.id().slice(2)
  await records.transact('nonces', async (tx) => {
    // Each that comes takes some old ones with it, so that they never pile up.
    for (const old of await tx.list('server_nonces', {}, { limit: 8 }))
      if (old.expiresAt <= now) await tx.remove('server_nonces', old)
    await tx.put('server_nonces', { hash: Secret.hash(nonce), expiresAt: now + nonceSeconds })
  })
  return nonce
}

/** Takes the nonce, whatever comes of it: it is good for one attempt. */
async function take({ records, now }: SignInOptions, nonce: string): Promise<boolean> {
  const hash = Secret.hash(nonce)
  return records.transact('nonces', async (tx) => {
    const [row] = await tx.list('server_nonces', { hash })
    if (row) await tx.remove('server_nonces', row)
    return row !== undefined && now < row.expiresAt
  })
}

/**
 * The session of whoever signed the message.
 * @throws Problem 401 `SIGN_IN_REFUSED`, which does not tell what was wrong beyond its message; 503 `CHAIN_UNSEEN`
 */
export async function verify(
  options: SignInOptions,
  { message, signature }: { message: string; signature: string },
): Promise<{ token: string; session: SessionRow }> {
  const { client, chainId, origin, now, nonceSeconds } = options
  const parsed = parseSiweMessage(message)
  const { issuedAt, expirationTime, notBefore } = parsed
  if (!isPlain(message)) throw refused('The message is not in the form of EIP-4361.')
  if (parsed.domain !== origin.host) throw refused(`The message is not for ${origin.host}.`)
  if (parsed.scheme !== undefined && `${parsed.scheme}:` !== origin.protocol)
    throw refused(`The message is not for ${origin.protocol}`)
  if (originOf(parsed.uri) !== origin.origin)
    throw refused(`The URI of the message is not at ${origin.origin}.`)
  if (parsed.chainId !== chainId) throw refused(`The message is not for chain ${chainId}.`)
  if (parsed.version !== '1') throw refused('The message has another version than 1.')
  if (parsed.address === undefined || !isHex(signature))
    throw refused('There is no address, or no signature.')
  const seconds = (date: Date | undefined) => (date === undefined ? undefined : date.getTime() / 1000)
  const issued = seconds(issuedAt) ?? Number.NaN
  if (!(issued <= now + skew && issued > now - nonceSeconds - skew))
    throw refused('The message was not issued just now. Look at the clock.')
  if (expirationTime !== undefined && !((seconds(expirationTime) ?? 0) > now))
    throw refused('The message has expired.')
  if (notBefore !== undefined && !((seconds(notBefore) ?? Number.NaN) <= now))
    throw refused('The message is not valid yet.')
  if (parsed.nonce === undefined || !(await take(options, parsed.nonce)))
    throw refused('The nonce is not one that is open. Sign in again.')
  if (!(await isSigned(client, { message, signature, nonce: parsed.nonce, origin, now })))
    throw refused('The address did not sign the message.')
  return open(options, getAddress(parsed.address))
}

/** viem answers "no" also where the endpoint did not answer, so a "no" counts only from one that does. */
async function isSigned(
  client: PublicClient,
  options: { message: string; signature: Hex; nonce: string; origin: URL; now: number },
): Promise<boolean> {
  const { message, signature, nonce, origin, now } = options
  const time = new Date(now * 1000)
  try {
    const ok = await verifySiweMessage(client, { message, signature, nonce, domain: origin.host, time })
    if (!ok) await getChainId(client)
    return ok
  } catch {
    throw chainUnseen()
  }
}

const fields = ['URI', 'Version', 'Chain ID', 'Nonce', 'Issued At', 'Expiration Time', 'Not Before']

/** Each field at most once, so that what a wallet shows and what is read here are the same. */
function isPlain(message: string): boolean {
  const lines = message.split('\n')
  return fields.every((name) => lines.filter((line) => line.startsWith(`${name}: `)).length <= 1)
}

function originOf(uri: string | undefined): string | undefined {
  return uri !== undefined && URL.canParse(uri) ? new URL(uri).origin : undefined
}

async function open({ records, now, sessionSeconds }: SignInOptions, address: Address) {
  const token = Secret.secret()
  const session: SessionRow = {
    hash: Secret.hash(token),
    address,
    createdAt: now,
    expiresAt: now + sessionSeconds,
  }
  await records.transact('sessions', async (tx) => {
    for (const old of await tx.list('server_sessions', {}, { limit: 8 }))
      if (old.expiresAt <= now) await tx.remove('server_sessions', old)
    await tx.put('server_sessions', session)
  })
  return { token, session }
}

/** The session of a token, while it lasts. */
export async function find(records: Records, token: string, now: number): Promise<SessionRow | undefined> {
  const hash = Secret.hash(token)
  const [row] = await records.transact('sessions', (tx) => tx.list('server_sessions', { hash }))
  return row && Secret.equal(row.hash, hash) && now < row.expiresAt ? row : undefined
}

/** Ends a session. */
export function close(records: Records, session: SessionRow): Promise<void> {
  return records.transact('sessions', (tx) => tx.remove('server_sessions', session))
}

/** What a page of this origin has to send with whatever changes something. It follows from the session's token. */
export function csrfToken(token: string): string {
  return Secret.derived(token, 'csrf')
}

function refused(message: string): Problem {
  return new Problem(401, 'SIGN_IN_REFUSED', message)
}
