'use client'
import { Address, Avatar, EthBalance, Identity, Name } from '@coinbase/onchainkit/identity'
import { ConnectWallet, Wallet, WalletDropdown, WalletDropdownDisconnect } from '@coinbase/onchainkit/wallet'
import { useAccount, useConnect } from 'wagmi'
import { fromWallet } from '../OwnerError.js'
import { Failure } from './parts.js'

/** OnchainKit's menu of the connected account; nothing where no wallet is connected. Within OnchainKitProvider. */
export function Account() {
  const { isConnected } = useAccount()
  if (!isConnected) return null
  return (
    <Wallet>
      <ConnectWallet className="hc-account">
        <Avatar className="hc-avatar" />
        <Name />
      </ConnectWallet>
      <WalletDropdown>
        <Identity hasCopyAddressOnClick>
          <Avatar />
          <Name />
          <Address />
          <EthBalance />
        </Identity>
        <WalletDropdownDisconnect />
      </WalletDropdown>
    </Wallet>
  )
}

/** Connects a wallet: one button for each that the browser or wagmi's configuration has. */
export function Connect() {
  const { isConnected, isReconnecting } = useAccount()
  const { connectors, connect, error, isPending, variables } = useConnect()
  if (isConnected) return <Account />
  return (
    <div className="hc-connect">
      {connectors.length === 0 ? (
        <p className="hc-muted">
          No wallet was found in this browser. Install one, or open this page in its browser.
        </p>
      ) : null}
      {connectors.map((connector) => (
        <button
          key={connector.uid}
          type="button"
          className="hc-button hc-primary"
          disabled={isPending || isReconnecting}
          onClick={() => connect({ connector })}
        >
          {isPending && variables?.connector === connector
            ? 'Look at your wallet\u2026'
            : `Connect ${connector.name}`}
        </button>
      ))}
      {error === null ? null : <Failure error={fromWallet(error, 'Connecting')} />}
    </div>
  )
}
