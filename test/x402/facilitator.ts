import { type Facilitator, facilitatorOf } from '../../script/x402/facilitator.js'
import type { Base } from '../../src/testing/index.js'
import { serve } from './serve.js'

export type { Facilitator }

/** Starts an unmodified one with an account of its own, until the test is over. */
export async function startFacilitator(base: Base): Promise<Facilitator> {
  const { origin } = await serve(await facilitatorOf(base))
  return { url: origin }
}
