import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { listen, type Served } from '../../script/x402/serve.js'

export type { Served }

/** Listens on a free loopback port until the test is over. */
export async function serve(listener: RequestListener): Promise<Served> {
  const { close, ...served } = await listen(listener)
  onTestFinished(close)
  return served
}
