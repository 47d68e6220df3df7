'use client'
import type { ReactNode } from 'react'
import { type Address, isAddressEqual } from 'viem'
import { useServerConfig } from '../reads.js'
import { usePlain } from '../useSmartWallet.js'
import { SmartWalletCard } from './SmartWalletCard.js'

/**
 * Offers the connected account a smart wallet of its own where it is a plain one; nothing where it is a smart wallet, or
 * an owner of the one that is `named`. `children` say what to do with the new address.
 */
export function WalletOffer({
  account,
  chainId,
  named,
  children,
}: {
  account: Address
  chainId: number
  named?: Address | undefined
  children?: ReactNode
}) {
  const { data: isPlain } = usePlain({ account, chainId, named })
  const { data: config } = useServerConfig()
  if (isPlain !== true) return null
  const card = (
    // Another account has another wallet, and begins anew.
    <SmartWalletCard key={account} owner={account} chainId={chainId} explorerUrl={config?.explorerUrl}>
      {children}
    </SmartWalletCard>
  )
  if (named === undefined || isAddressEqual(named, account)) return card
  // Most likely it is the wrong account, and that was said.
  return (
    <details className="hc-raw">
      <summary>A smart wallet for the connected account instead</summary>
      {card}
    </details>
  )
}
