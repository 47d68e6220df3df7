/**
 * Signing and sending as the owner, and as nobody else: wallets substitute accounts and chains, so both are asked of the
 * wallet itself right before it acts, and never taken from what the page was told earlier.
 */
import {
  type Address,
  type Client,
  getAddress,
  type Hex,
  isAddressEqual,
  type ReplacementReason,
  type TransactionReceipt,
} from 'viem'
import { waitForTransactionReceipt } from 'viem/actions'
import type { Config } from 'wagmi'
import {
  getAccount,
  getCapabilities,
  getConnectorClient,
  getPublicClient,
  sendCalls,
  sendTransaction,
  switchChain,
  waitForCallsStatus,
} from 'wagmi/actions'
import { ChainError, toChainError } from '../ChainError.js'
import * as Permission from '../Permission.js'
import { type Call, doubtful, simulate } from '../Transaction.js'
import * as Wallet from '../Wallet.js'
import { fromWallet, OwnerError } from './OwnerError.js'

/** Who has to act, and where. */
export type Actor = { readonly account: Address; readonly chainId: number }

/** What was sent, and in which transactions it is on chain. */
export type Sent = { readonly hashes: readonly Hex[] }

/**
 * Has the connected wallet sign the permission. The typed data is the one of `permission` itself: whoever calls has
 * compared it with what he shows.
 *
 * @throws OwnerError `NOT_CONNECTED`, `WRONG_ACCOUNT`, `WRONG_CHAIN`, `WALLET_REJECTED`, `WALLET_FAILED`
 */
export async function sign(config: Config, permission: Permission.Permission): Promise<Hex> {
  const doing = 'Signing the permission'
  const { account, chainId } = permission
  const client = await connected(config, { account, chainId }, doing)
  if (!isAddressEqual(client.account.address, account))
    throw wrongAccount(client.account.address, account, doing)
  return await Permission.sign(client, permission).catch((error: unknown) => {
    throw fromWallet(error, doing)
  })
}

/**
 * Makes the calls as the account: all at once (EIP-5792) where the wallet can, else one transaction after the other. A
 * connected EOA that is an owner of the account makes them through it. The first is rehearsed, so that what the chain
 * would refuse is not put before the owner. The rehearsal asks the page's endpoint, which a server may have chosen: who
 * it is to be and what became of it is asked of the wallet's own.
 *
 * @param options.doubt told of a rehearsal that failed. Where it is given the wallet is asked all the same, and at once:
 * for what no endpoint may keep an owner from
 * @throws OwnerError as `sign`, and `CALLS_FAILED`, `CALLS_REPLACED` where the owner sent another transaction in the place
 * of one; ChainError with the decoded revert, `OUTCOME_UNKNOWN`
 */
export async function send(
  config: Config,
  options: Actor & {
    calls: readonly Call[]
    doing: string
    doubt?: ((error: Error) => void) | undefined
  },
): Promise<Sent> {
  const { account, chainId, calls, doing, doubt } = options
  const client = await connected(config, options, doing)
  const reader = (getPublicClient(config, { chainId }) ?? client) as Client
  const from = client.account.address
  const routed: Call[] = []
  for (const call of calls) {
    if (isAddressEqual(from, account)) routed.push(call)
    else if (await Wallet.isOwner(client, { account, owner: from }))
      routed.push(Wallet.prepareExecute({ account, call }))
    else throw wrongAccount(from, account, doing)
  }
  // Later calls may need what earlier ones do, so only the first can be rehearsed.
  const [first] = routed
  if (first !== undefined) {
    const rehearsal = simulate(reader, { call: first, from, doing })
    if (doubt === undefined) await rehearsal
    else void rehearsal.catch(doubt)
  }
  try {
    if (await isAtomic(config, from, chainId)) {
      const { id } = await sendCalls(config, { account: from, chainId, calls: routed, forceAtomic: true })
      const { status, receipts = [] } = await waitForCallsStatus(config, { id, timeout: 120_000 }).catch(
        () => {
          throw unseen(id, doing)
        },
      )
      if (status !== 'success') throw failed(doing)
      return { hashes: receipts.map(({ transactionHash }) => transactionHash) }
    }
    const hashes: Hex[] = []
    for (const { to, data, value } of routed) {
      const hash = await sendTransaction(config, { account: from, chainId, to, data, value })
      const { pollingInterval } = reader
      const [receipt, instead] = await mined(client, { hash, pollingInterval }).catch((error: unknown) => {
        throw doubtful(toChainError(error, doing), doing, hash)
      })
      if (instead !== undefined && instead !== 'repriced')
        throw replaced(doing, { hash, replacement: receipt.transactionHash, reason: instead })
      if (receipt.status !== 'success') throw failed(doing)
      hashes.push(receipt.transactionHash)
    }
    return { hashes }
  } catch (error) {
    throw fromWallet(error, doing)
  }
}

/** The receipt of the transaction, or of the one that the owner sent in its place, and what that one is to it. */
async function mined(
  client: Client,
  options: { hash: Hex; pollingInterval: number },
): Promise<readonly [TransactionReceipt, ReplacementReason | undefined]> {
  const reasons: ReplacementReason[] = []
  const onReplaced = ({ reason }: { reason: ReplacementReason }) => reasons.push(reason)
  const receipt = await waitForTransactionReceipt(client, { ...options, onReplaced })
  return [receipt, reasons.at(-1)]
}

/** The wallet's own answer to who it is and where it is; on another chain it is asked to switch. */
export async function connected(config: Config, { account, chainId }: Actor, doing: string) {
  const { connector } = getAccount(config)
  if (connector === undefined)
    throw new OwnerError('NOT_CONNECTED', `${doing}: no wallet is connected. Connect ${account}.`)
  try {
    const [addresses, actual] = [await connector.getAccounts(), await connector.getChainId()]
    const own = addresses.find((address) => isAddressEqual(address, account)) ?? addresses[0]
    if (own === undefined)
      throw new OwnerError('NOT_CONNECTED', `${doing}: the wallet shows no account. Unlock it.`)
    if (actual !== chainId) {
      await switchChain(config, { chainId, connector })
      const now = await connector.getChainId()
      if (now !== chainId) throw wrongChain(now, chainId, doing)
    }
    return await getConnectorClient(config, { account: getAddress(own), chainId, connector })
  } catch (error) {
    throw fromWallet(error, doing)
  }
}

/** Whether the wallet makes several calls as one. A wallet that does not know the question cannot. */
async function isAtomic(config: Config, account: Address, chainId: number): Promise<boolean> {
  const all = await getCapabilities(config, { account, chainId }).catch(() => undefined)
  const atomic: unknown = all?.atomic
  return (
    typeof atomic === 'object' &&
    atomic !== null &&
    'status' in atomic &&
    (atomic.status === 'supported' || atomic.status === 'ready')
  )
}

function wrongAccount(actual: Address, expected: Address, doing: string): OwnerError {
  return new OwnerError(
    'WRONG_ACCOUNT',
    `${doing}: the wallet acts as ${actual}, and only ${expected} can do this. Switch the account in the wallet.`,
    { figures: { actual, expected } },
  )
}

function wrongChain(actual: number, expected: number, doing: string): OwnerError {
  return new OwnerError(
    'WRONG_CHAIN',
    `${doing}: the wallet is on chain ${actual}, and this grant is on chain ${expected}. Switch the network in the wallet.`,
    { figures: { actual, expected } },
  )
}

function failed(doing: string): OwnerError {
  return new OwnerError(
    'CALLS_FAILED',
    `${doing}: the transaction was reverted by the chain. Nothing changed.`,
  )
}

type Replaced = { hash: Hex; replacement: Hex; reason: ReplacementReason }

function replaced(doing: string, figures: Replaced): OwnerError {
  const { hash, replacement, reason } = figures
  const what =
    reason === 'cancelled'
      ? `transaction ${hash} was cancelled in the wallet, and does nothing.`
      : `the wallet sent transaction ${replacement} in the place of ${hash}, and it is another one. Look at what it did before you try again.`
  return new OwnerError('CALLS_REPLACED', `${doing}: ${what}`, { figures })
}

/** What the wallet took may be done, whatever is heard of it afterwards. */
function unseen(id: string, doing: string): ChainError {
  return new ChainError(
    'OUTCOME_UNKNOWN',
    `${doing}: the wallet took it, as calls ${id}, and what became of them was not seen. Look in the wallet before you try again.`,
    { figures: { id } },
  )
}
