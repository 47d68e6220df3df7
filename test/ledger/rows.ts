/** A grant's row for tests of stores alone, and a promise that a test keeps when it wants. */
import { numberToHex } from 'viem'
import type { GrantRow } from '../../src/Store.js'

/** The row of grant `n`, of an agent of its own. */
export function grantRow(n: number): GrantRow {
  return {
    grantId: numberToHex(n, { size: 32 }),
    chainId: 8453,
    agent: numberToHex(n, { size: 20 }),
    grant: '{}',
    permissionHash: '0x',
    paused: 0,
    approved: 0,
    revoked: 0,
    pausedBy: null,
    revokedBy: null,
    lane: '0x',
    numbers: 0,
    knownNonces: 0,
    quietUntil: 0,
    payer: null,
    payerBalance: 0n,
    fundedBy: null,
    startNumber: 0,
    finalNumber: 0,
    finalHash: '0x',
    finalTime: 0,
    headNumber: 0,
    headHash: '0x',
    headTime: 0,
    receipts: 0,
    receiptHash: '0x',
  }
}

/** Something that others wait for, and who makes it happen. */
export function signal(): { readonly happened: Promise<void>; readonly happen: () => void } {
  let happen = () => {}
  const happened = new Promise<void>((resolve) => {
    happen = resolve
  })
  return { happened, happen }
}
