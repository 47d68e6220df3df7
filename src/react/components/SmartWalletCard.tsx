'use client'
import { type ReactNode, useId, useState } from 'react'
import type { Address } from 'viem'
import * as Amount from '../../Amount.js'
import { InputError } from '../../errors.js'
import { type Owner, useOwner } from '../chain.js'
import { OwnerError } from '../OwnerError.js'
import * as SmartWallet from '../SmartWallet.js'
import { useCreateWallet, useMoveUsdc, useSmartWallet } from '../useSmartWallet.js'
import * as words from '../words.js'
import { Copy } from './Copy.js'
import { Act, Failure, Loading, Notice, Party } from './parts.js'

type Props = {
  /** The plain account, which has to be the connected one. */
  owner: Address
  chainId: number
  explorerUrl?: string | undefined
  /** What to do with the address, once the wallet is there. */
  children?: ReactNode
}

const pays = 'Your account pays the gas.'
const waiting = 'Look at your wallet\u2026'

/**
 * Creates the smart wallet of a plain account and moves USDC into it, a step at a time. Where it stands is asked of the
 * chain alone, so that whoever comes back goes on where he was.
 */
export function SmartWalletCard({ owner, chainId, explorerUrl, children }: Props) {
  const create = useCreateWallet()
  const whose = { owner, chainId }
  const token = SmartWallet.usdcOf(chainId)
  // What was sent may not be seen at once by every endpoint.
  const { data, error, refetch } = useSmartWallet(whose, { every: create.isSuccess ? 2_000 : false })
  const account = useOwner({ account: owner, token: token.address, chainId })
  // An endpoint that is away for once takes nothing off the page; one that shows another wallet does.
  const wallet = error instanceof OwnerError ? undefined : data
  return (
    <section className="hc-own" aria-label="A smart wallet of your own">
      <h3>{wallet?.isThere ? 'Your smart wallet' : 'Create your smart wallet'}</h3>
      {wallet?.isThere ? null : (
        <p>Agents spend from smart wallets, within what was approved. From a plain account they never can.</p>
      )}
      <p>
        {wallet?.isThere ? 'Its address is' : 'Its address will be'}{' '}
        <code className="hc-whole">{SmartWallet.addressOf(owner)}</code>. It is a Coinbase Smart Wallet, and
        its first owners are your account <Party address={owner} /> and SpendPermissionManager, which moves
        only what you approve.
      </p>
      {error === null ? null : <Failure error={error} again={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="the smart wallet" lines={4} /> : null}
      {wallet === undefined ? null : (
        <>
          {wallet.others > 0 ? (
            <Notice tone="warn" title="It has other owners.">
              Somebody gave this wallet {words.plural(wallet.others, 'further owner')}, who can move
              everything that is in it. Move nothing into it unless that was you.
            </Notice>
          ) : null}
          {account.data?.wei === 0n ? (
            <Notice tone="warn" title="Your account has no ETH.">
              It pays the gas of these steps. Send it some on this chain first.
            </Notice>
          ) : null}
          {wallet.isThere ? (
            <Notice tone="good" title="The wallet is on chain.">
              Permissions can be spent from it without anything more to enable.
            </Notice>
          ) : (
            <div className="hc-acts">
              <Act
                tone="primary"
                label="Create the smart wallet"
                pays={pays}
                busy={
                  create.isPending ? waiting : create.isSuccess ? 'Waiting for the chain\u2026' : undefined
                }
                onClick={() => create.mutate(whose)}
              />
            </div>
          )}
          {create.error === null ? null : <Failure error={create.error} />}
          {wallet.isThere ? (
            <Move whose={whose} wallet={wallet} account={account.data} explorerUrl={explorerUrl} />
          ) : null}
          {wallet.isThere ? (
            <Notice title="What is next.">
              {children}
              <p>
                <code className="hc-whole">{wallet.address}</code>{' '}
                <Copy text={wallet.address} label="Copy the address" />
              </p>
            </Notice>
          ) : null}
        </>
      )}
    </section>
  )
}

function Move({
  whose,
  wallet,
  account,
  explorerUrl,
}: {
  whose: SmartWallet.Whose
  wallet: SmartWallet.SmartWallet
  account: Owner | undefined
  explorerUrl: string | undefined
}) {
  const [text, setText] = useState('')
  const move = useMoveUsdc()
  const [fieldId, problemId] = [useId(), useId()]
  const token = SmartWallet.usdcOf(whose.chainId)
  const { amount, problem } = read(text, token, account?.balance)
  const hash = move.data?.hashes.at(-1)
  return (
    <>
      <dl className="hc-balances">
        <div>
          <dt>Your account has</dt>
          <dd>{account === undefined ? '\u2026' : words.money(account.balance, token)}</dd>
        </div>
        <div>
          <dt>Your smart wallet has</dt>
          <dd>{words.money(wallet.balance, token)}</dd>
        </div>
      </dl>
      <label htmlFor={fieldId}>{token.symbol} to move into the smart wallet</label>
      <input
        id={fieldId}
        inputMode="decimal"
        autoComplete="off"
        placeholder="0.00"
        value={text}
        aria-invalid={problem !== undefined}
        aria-describedby={problemId}
        onChange={({ target }) => setText(target.value)}
      />
      <p id={problemId} className="hc-problem" role="status">
        {problem}
      </p>
      <div className="hc-acts">
        <Act
          tone="primary"
          label={amount === undefined ? `Move ${token.symbol}` : `Move ${words.money(amount, token)}`}
          pays={pays}
          busy={move.isPending ? waiting : undefined}
          disabled={amount === undefined}
          onClick={() => {
            if (amount === undefined) return
            move.mutate({ ...whose, amount, others: wallet.others }, { onSuccess: () => setText('') })
          }}
        />
      </div>
      {move.error === null ? null : <Failure error={move.error} />}
      {hash === undefined || move.variables === undefined ? null : (
        <Notice tone="good" title={`${words.money(move.variables.amount, token)} moved.`}>
          The chain has it in transaction{' '}
          <Party address={hash} href={words.explorer(explorerUrl, { tx: hash })} />.
        </Notice>
      )}
    </>
  )
}

/** The amount that was typed, exactly, or what is wrong with it; neither where nothing was typed. */
function read(
  text: string,
  token: { decimals: number; symbol: string },
  has: bigint | undefined,
): { amount?: bigint; problem?: string } {
  if (text.trim() === '' || has === undefined) return {}
  try {
    const amount = Amount.parse(text.trim(), { decimals: token.decimals, field: 'The amount' })
    if (amount <= has) return { amount }
    return { problem: `Your account has ${Amount.format(has, token.decimals)} ${token.symbol}.` }
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message }
    throw error
  }
}
