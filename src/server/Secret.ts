/** Random secrets and their hashes. At rest there are hashes alone: what is random needs no salt and no slow hash. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Hex } from 'viem'

/** 256 random bits, in 43 characters that go into headers and cookies as they are. */
export function secret(): string {
  return randomBytes(32).toString('base64url')
}

/** 128 random bits, as hexadecimal with 0x. */
export function id(): Hex {
  return `0x${randomBytes(16).toString('hex')}`
}

/** SHA-256, as hexadecimal. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What follows from a secret and does not tell it. */
export function derived(from: string, purpose: string): string {
  return createHmac('sha256', from).update(purpose).digest('base64url')
}

/** In a time that does not depend on where they differ. */
export function equal(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
