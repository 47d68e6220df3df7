import { OnchainKitProvider } from '@coinbase/onchainkit'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type MouseEvent, useEffect, useRef } from 'react'
import type { Chain, PublicClient } from 'viem'
import { type Config, WagmiProvider } from 'wagmi'
import type { Api } from '../react/Api.js'
import { Account } from '../react/components/Connect.js'
import { HardcapProvider } from '../react/HardcapProvider.js'
import { Boundary } from './Boundary.js'
import type { Known } from './chains.js'
import { ApprovePage } from './pages/ApprovePage.js'
import { DecodePage } from './pages/DecodePage.js'
import { GrantPage } from './pages/GrantPage.js'
import { GrantsPage } from './pages/GrantsPage.js'
import { SignOut } from './pages/SignIn.js'
import * as place from './place.js'

type Props = {
  api: Api
  chain: Chain
  config: Config
  known: Known
  clients: Record<number, PublicClient>
}

const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: 5_000 } } })

export function App({ api, chain, config, known, clients }: Props) {
  return (
    <WagmiProvider config={config}>
      <QueryClientProvider client={queryClient}>
        <OnchainKitProvider
          chain={chain}
          analytics={false}
          config={{ appearance: { mode: 'auto' } }}
          {...(known.rpcUrl === undefined ? {} : { rpcUrl: known.rpcUrl })}
          defaultPublicClients={clients}
        >
          <HardcapProvider api={api}>
            <Frame known={known} />
          </HardcapProvider>
        </OnchainKitProvider>
      </QueryClientProvider>
    </WagmiProvider>
  )
}

const titles: Record<place.Place['page'], string> = {
  grants: 'Grants',
  grant: 'Grant',
  approve: 'Approve a grant',
  decode: 'Decode',
  unknown: 'Not found',
}

function Frame({ known }: { known: Known }) {
  const pathname = place.usePathname()
  const shown = place.parse(pathname)
  const main = useRef<HTMLElement>(null)
  const first = useRef(pathname)
  useEffect(() => {
    document.title = `${titles[shown.page]} \u00b7 hardcap`
    // Whoever listens has to hear of the new page; not of the one that the browser itself has just announced.
    if (first.current !== pathname) main.current?.focus()
    first.current = pathname
  }, [pathname, shown.page])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it catches clicks of links, which have their own roles.
    // biome-ignore lint/a11y/useKeyWithClickEvents: a link that is followed by keyboard is a click too.
    <div className="console" onClick={follow}>
      <a className="skip" href={`${pathname}#main`}>
        Skip to the page
      </a>
      <header className="top">
        <nav aria-label="Pages">
          <a className="brand" href={place.mount}>
            hardcap
          </a>
          <a href={place.mount} aria-current={shown.page === 'grants' ? 'page' : undefined}>
            Grants
          </a>
          <a
            href={place.href({ page: 'decode' })}
            aria-current={shown.page === 'decode' ? 'page' : undefined}
          >
            Decode
          </a>
        </nav>
        <div className="who">
          <Account />
        </div>
      </header>
      {known.development ? (
        <p className="development">
          Development: the chain is a local one, and no money here is worth anything.
        </p>
      ) : null}
      <main id="main" ref={main} tabIndex={-1}>
        <Boundary of={pathname} instead={null}>
          <Page shown={shown} explorerUrl={known.explorerUrl} chainId={known.chainId} />
        </Boundary>
      </main>
      <footer className="foot">
        hardcap is unaudited. The chain keeps enforcing its caps without this page.
        {shown.page === 'approve' ? null : <SignOut />}
      </footer>
    </div>
  )
}

type PageProps = { shown: place.Place; explorerUrl: string | undefined; chainId: number }

function Page({ shown, explorerUrl, chainId }: PageProps) {
  switch (shown.page) {
    case 'grants':
      return <GrantsPage />
    case 'grant':
      return <GrantPage key={shown.grantId} grantId={shown.grantId} explorerUrl={explorerUrl} />
    case 'approve':
      return <ApprovePage key={shown.id} id={shown.id} />
    case 'decode':
      return <DecodePage chainId={chainId} />
    default:
      return (
        <>
          <h1>Not found</h1>
          <p>
            There is no such page. <a href={place.mount}>See your grants</a>.
          </p>
        </>
      )
  }
}

/** Plain clicks on links of the console change the page in place; everything else is the browser's. */
function follow(event: MouseEvent<HTMLElement>): void {
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.target !== '' || link.origin !== window.location.origin) return
  if (link.hash !== '' || place.parse(link.pathname).page === 'unknown') return
  event.preventDefault()
  place.go(link.pathname)
}
