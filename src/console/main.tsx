import '@coinbase/onchainkit/styles.css'
import '../react/styles.css'
import './console.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createApi } from '../react/Api.js'
import { App } from './App.js'
import { chainOf, know, nameClients, wagmiConfig } from './chains.js'
import { mount } from './place.js'

await start()

async function start(): Promise<void> {
  const root = document.getElementById('root')
  if (root === null) throw new Error('The document has no #root.')
  const api = createApi({ url: mount })
  const { known } = await know(() => api.config())
  const chain = chainOf(known)
  const config = wagmiConfig(known, chain)
  // Only a development server has this file; it announces a wallet of its own (EIP-6963).
  if (known.development) await import(/* @vite-ignore */ `${mount}development/wallet.js`).catch(() => {})
  const clients = nameClients(known, chain)
  createRoot(root).render(
    <StrictMode>
      <App api={api} chain={chain} config={config} known={known} clients={clients} />
    </StrictMode>,
  )
}
