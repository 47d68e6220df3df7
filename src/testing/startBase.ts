import type { Address, Chain, Hash, LocalAccount } from 'viem'
import type { WebAuthnAccount } from 'viem/account-abstraction'
import type { PrivateKeyAccount } from 'viem/accounts'
import { base as viemBase } from 'viem/chains'
import { findAnvil, startAnvil } from './anvil.js'
import { type BaseClient, createBaseClient, createChain } from './client.js'
import { createAccount, fundEth, fundUsdc, impersonate } from './funds.js'
import { genesis, type Request } from './genesis.js'
import { deployGuard } from './guard.js'
import { createSnapshot, reorg } from './history.js'
import { createContext, relayer } from './relay.js'
import { TestingError } from './TestingError.js'
import { nextBlockAt, now, warp } from './time.js'
import { assertUpstream, readUpstream, type Upstream } from './upstream.js'
import { type CreateWalletOptions, createWallet, type Wallet } from './wallet.js'

export type StartBaseOptions = {
  /** An http(s) endpoint of Base to fork. Default: `BASE_RPC_URL`. `false`: offline, whatever that says. */
  forkUrl?: string | false
  /** The block to fork. Default: `BASE_FORK_BLOCK`, or the latest. */
  forkBlock?: bigint
  /** The loopback port to listen on. Default: a free one. */
  port?: number
  /** How much later than its parent a block is, unless a helper says its time. Default: 2, as on Base. */
  secondsPerBlock?: number
  /** `safe` is this many blocks behind the latest block and `finalized` twice as many. Default: 32. */
  slotsInAnEpoch?: number
  /** Path of the anvil to run. Default: the one that is installed, or on PATH. */
  anvil?: string
}

/** A Base of one's own, and what a test does with it. */
export type Base = {
  /** `offline`: our stand-ins on an empty chain. `fork`: the originals, a block after the forked one. */
  kind: 'offline' | 'fork'
  url: string
  /** Base as viem defines it, at `url`. */
  chain: Chain
  client: BaseClient
  /** The latest block at the start: nothing up to it can be reorganised. */
  startBlock: bigint

  /** The latest block's time, in unix seconds. */
  now: () => Promise<number>
  /**
   * Mines a block at exactly this time, in unix seconds.
   * @throws TestingError `TIME_PASSED`
   */
  warp: (timestamp: number) => Promise<void>
  /**
   * Gives the next block exactly this time, in unix seconds, and leaves it to the next transaction to mine it.
   * @throws TestingError `TIME_PASSED`
   */
  nextBlockAt: (timestamp: number) => Promise<void>
  /** Mines empty blocks. Default: 1. */
  mine: (blocks?: number) => Promise<void>
  /** Mines empty blocks until the block that is the latest now is finalized. */
  finalize: () => Promise<void>

  /** A new EOA with 10 ETH. */
  createAccount: () => Promise<PrivateKeyAccount>
  /** A new Coinbase Smart Wallet. */
  createWallet: {
    (options: CreateWalletOptions & { owner: 'passkey' | WebAuthnAccount }): Promise<Wallet<WebAuthnAccount>>
    (options?: CreateWalletOptions & { owner?: LocalAccount }): Promise<Wallet<LocalAccount>>
    (options: CreateWalletOptions): Promise<Wallet>
  }
  /** Adds to a balance, in wei, without a block. */
  fundEth: (address: Address, wei: bigint) => Promise<void>
  /** Adds to a balance, in base units (6 decimals), by a minter's transaction. */
  fundUsdc: (address: Address, amount: bigint) => Promise<void>
  /** Lets `client` send transactions from any address, contracts included, and gives it 1 ETH for the gas. */
  impersonate: (address: Address) => Promise<void>

  /**
   * Remembers the chain as it is. The function that it resolves with brings it back, as often as it is called.
   * @throws TestingError `SNAPSHOT_GONE` from that function, after a revert to an earlier snapshot
   */
  snapshot: () => Promise<() => Promise<void>>
  /**
   * Replaces the last `depth` blocks by as many other ones. Their transactions are dropped but for those to `keep`,
   * which are mined again in the last of the new blocks, if they still can be (impersonated ones cannot). What the
   * helpers did since the first of the replaced blocks is undone too, ETH included: fund before.
   * @returns The hashes of the dropped transactions.
   * @throws TestingError `REORG_TOO_DEEP`, `REORG_UNKNOWN_TRANSACTION`
   */
  reorg: (depth: number, options?: { keep?: readonly Hash[] }) => Promise<Hash[]>

  /** Ends anvil. It also ends when this process does, however that ends. */
  stop: () => Promise<void>
  [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Starts a Base on loopback: a fork where there is an endpoint, else an offline one with stand-ins at the same
 * addresses. HardcapGuard is deployed where it is not there yet. A block is mined with every transaction; time passes only with blocks.
 * @throws TestingError `ANVIL_MISSING`, `ANVIL_FAILED`, `PORT_IN_USE`, `FORK_UNREACHABLE`, `FORK_WRONG_CHAIN`,
 * `FORK_BLOCK_UNKNOWN`, `INVALID_OPTION`
 */
export async function startBase(options: StartBaseOptions = {}): Promise<Base> {
  const { port = 0, secondsPerBlock = 2, slotsInAnEpoch = 32 } = options
  assertWhole('port', port, 0, 65_535)
  assertWhole('secondsPerBlock', secondsPerBlock, 1)
  assertWhole('slotsInAnEpoch', slotsInAnEpoch, 1)
  const upstream = readUpstream(options)
  const binary = options.anvil ?? findAnvil()
  if (upstream !== undefined) await assertUpstream(upstream, viemBase.id)

  const kind = upstream === undefined ? 'offline' : 'fork'
  const args = [
    ...['--chain-id', String(viemBase.id), '--accounts', '0', '--slots-in-an-epoch', String(slotsInAnEpoch)],
    // On a fork of Base anvil would choose the rules of another network, without Base's P-256 precompile.
    ...['--hardfork', 'osaka'],
    ...(upstream === undefined ? [] : forkArgs(upstream)),
  ]
  const { url, stop } = await startAnvil({ binary, port, args, forkUrl: upstream?.url })
  try {
    await request(url, [
      // Or every request would be printed into a pipe, which stops anvil when it is full.
      { method: 'anvil_setLoggingEnabled', params: [false] },
      // Blocks by count and not by the clock: a test's times do not depend on how fast it runs.
      { method: 'anvil_setBlockTimestampInterval', params: [secondsPerBlock] },
      { method: 'anvil_impersonateAccount', params: [relayer] },
      { method: 'anvil_addBalance', params: [relayer, `0x${(10n ** 24n).toString(16)}`] },
      ...(kind === 'offline' ? genesis() : []),
    ])
    return await createBase({ kind, url, slotsInAnEpoch, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

async function createBase(options: {
  kind: Base['kind']
  url: string
  slotsInAnEpoch: number
  stop: () => Promise<void>
}): Promise<Base> {
  const { kind, url, slotsInAnEpoch, stop } = options
  const chain = createChain(url)
  const client = createBaseClient(chain)
  const context = createContext(client)
  const hasBlock = await deployGuard(context)
  // anvil cannot go back to the forked block itself, only to blocks of its own.
  if (kind === 'fork' && !hasBlock) await client.mine({ blocks: 1 })
  const startBlock = await client.getBlockNumber()
  const mine = (blocks = 1) => client.mine({ blocks })
  return {
    kind,
    url,
    chain,
    client,
    startBlock,
    now: () => now(client),
    warp: (timestamp) => warp(client, timestamp),
    nextBlockAt: (timestamp) => nextBlockAt(client, timestamp),
    mine,
    finalize: () => mine(2 * slotsInAnEpoch),
    createAccount: () => createAccount(context),
    createWallet: ((wallet) => createWallet(context, wallet)) as Base['createWallet'],
    fundEth: (address, wei) => fundEth(context, address, wei),
    fundUsdc: (address, amount) => fundUsdc(context, address, amount),
    impersonate: (address) => impersonate(context, address),
    snapshot: createSnapshot(client),
    reorg: (depth, reorgOptions) => reorg(client, depth, { ...reorgOptions, startBlock }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function forkArgs({ url, block }: Upstream): string[] {
  const { hostname } = new URL(url)
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  return [
    ...(block === undefined ? [] : ['--fork-block-number', String(block)]),
    // anvil caches by chain id and block: right for a pinned block of Base, wrong for another local chain.
    ...(block === undefined || isLocal ? ['--no-storage-caching'] : []),
    ...(isLocal ? ['--no-rate-limit'] : []),
  ]
}

/** All in one HTTP request. */
async function request(url: string, requests: Request[]): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(requests.map((request, id) => ({ jsonrpc: '2.0', id, ...request }))),
  })
  const answers = (await response.json()) as { id: number; error?: { message: string } }[]
  for (const { id, error } of answers) {
    if (error === undefined) continue
    throw new TestingError('ANVIL_FAILED', `anvil refused ${requests[id]?.method}: ${error.message}`)
  }
}

function assertWhole(option: string, given: number, least: number, most = Number.MAX_SAFE_INTEGER) {
  if (Number.isSafeInteger(given) && given >= least && given <= most) return
  const valid = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw new TestingError('INVALID_OPTION', `${option}: given ${given}. Valid: a whole number, ${valid}.`, {
    figures: { option, given, valid },
  })
}
