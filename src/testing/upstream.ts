import { show } from '../errors.js'
import { TestingError } from './TestingError.js'

/** The chain to fork: an endpoint, and a block of it. */
export type Upstream = { url: string; block: bigint | undefined }

/**
 * What to fork: the options, or `BASE_RPC_URL` and `BASE_FORK_BLOCK`. `forkUrl: false` is offline whatever the
 * environment says.
 * @throws TestingError `INVALID_OPTION`
 */
export function readUpstream(
  options: { forkUrl?: string | false | undefined; forkBlock?: bigint | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Upstream | undefined {
  const url = options.forkUrl ?? (env.BASE_RPC_URL || false)
  if (url === false) {
    if (options.forkBlock === undefined) return undefined
    throw invalid(
      'forkBlock',
      `${options.forkBlock}n without a URL`,
      'a `forkUrl` (or BASE_RPC_URL) beside it',
    )
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    // Not shown: what cannot be parsed may carry credentials all the same.
    throw invalid(
      options.forkUrl === undefined ? 'BASE_RPC_URL' : 'forkUrl',
      'something else',
      'an http or https URL',
    )
  }
  // The environment's block is one of the environment's chain.
  const block = options.forkUrl === undefined ? blockFromEnv(env.BASE_FORK_BLOCK) : undefined
  return { url, block: options.forkBlock ?? block }
}

function blockFromEnv(text: string | undefined): bigint | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d+$/.test(text)) return BigInt(text)
  throw invalid('BASE_FORK_BLOCK', show(text), 'a block number in decimal digits')
}

/**
 * Asks the endpoint, because anvil would retry a dead one for minutes and fork any chain.
 * @throws TestingError `FORK_UNREACHABLE`, `FORK_WRONG_CHAIN`, `FORK_BLOCK_UNKNOWN`
 */
export async function assertUpstream({ url, block }: Upstream, chainId: number): Promise<void> {
  const { origin } = new URL(url)
  const actual = Number(await ask(url, 'eth_chainId', []))
  if (actual !== chainId) {
    throw new TestingError(
      'FORK_WRONG_CHAIN',
      `${origin} serves chain ${actual}, not Base (${chainId}). Give a \`forkUrl\` (or BASE_RPC_URL) of Base.`,
      { figures: { origin, actual, expected: chainId } },
    )
  }
  if (block === undefined) return
  if ((await ask(url, 'eth_getBlockByNumber', [`0x${block.toString(16)}`, false])) === null) {
    throw new TestingError('FORK_BLOCK_UNKNOWN', `${origin} does not know block ${block}.`, {
      figures: { origin, block },
    })
  }
}

async function ask(url: string, method: string, params: unknown[]): Promise<unknown> {
  const { origin, username, password } = new URL(url)
  const unreachable = (why: string) =>
    new TestingError(
      'FORK_UNREACHABLE',
      `${origin} cannot be forked: ${why}. Check the endpoint, or leave \`forkUrl\` and BASE_RPC_URL out for an offline Base.`,
      { figures: { origin }, retryable: true },
    )
  // fetch refuses credentials within a URL.
  const bare = new URL(url)
  bare.username = bare.password = ''
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
    'base64',
  )
  const headers = {
    'content-type': 'application/json',
    ...(username || password ? { authorization: `Basic ${basic}` } : {}),
  }
  const response = await fetch(bare, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(15_000),
  }).catch((error: unknown) => {
    throw unreachable(reason(error))
  })
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(reason(error))
  })
  if (!response.ok) throw unreachable(`it answered ${method} with HTTP ${response.status}`)
  const answer = parse(text)
  if (answer === undefined) throw unreachable(`its answer to ${method} is not JSON-RPC`)
  return answer.result
}

function parse(text: string): { result: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null && 'result' in answer ? answer : undefined
  } catch {
    return undefined
  }
}

/** The system's code, such as ECONNREFUSED; never the message, which may show the URL. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return `no answer (${String(cause.code)})`
  return error.name === 'TimeoutError' ? 'no answer in 15 s' : 'no answer'
}

function invalid(option: string, given: string, valid: string): TestingError {
  return new TestingError('INVALID_OPTION', `${option}: given ${given}. Valid: ${valid}.`, {
    figures: { option, given, valid },
  })
}
