// Where the gas of a transaction goes, by who is called.
import { type Address, getAddress, type Hex, hexToNumber } from 'viem'
import type { Base } from '../../src/testing/index.js'

type Frame = { to: Address; gasUsed: Hex; input: Hex; calls?: readonly Frame[] }

/** The precompile that recovers the signer of a signature. */
export const ecrecover: Address = '0x0000000000000000000000000000000000000001'

/** The calls of a transaction, within each other. */
export async function traceOf(base: Base, hash: Hex): Promise<Frame> {
  const method = 'debug_traceTransaction'
  return base.client.request<{ Method: typeof method; Parameters: unknown[]; ReturnType: Frame }>({
    method,
    params: [hash, { tracer: 'callTracer' }],
  })
}

/** Gas of each contract's own, without what it calls. Reaching somebody for the first time is the caller's. */
export function gasByContract(root: Frame): Map<Address, number> {
  const sums = new Map<Address, number>()
  const visit = ({ to, gasUsed, calls = [] }: Frame): number => {
    const used = hexToNumber(gasUsed)
    const own = calls.reduce((rest, call) => rest - visit(call), used)
    const address = getAddress(to)
    sums.set(address, (sums.get(address) ?? 0) + own)
    return used
  }
  visit(root)
  return sums
}

/** Gas of a transaction's calldata: 16 for a byte, 4 for a zero. */
export function calldataGas(data: Hex): number {
  const bytes = data.slice(2).match(/../g) ?? []
  return bytes.reduce((sum, byte) => sum + (byte === '00' ? 4 : 16), 0)
}
