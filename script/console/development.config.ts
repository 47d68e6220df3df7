/** How the development wallet is built: one file in dist/development, which is in no package. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))

export default defineConfig({
  root: `${root}src/console/development`,
  logLevel: 'warn',
  build: {
    outDir: `${root}dist/development`,
    emptyOutDir: true,
    target: 'es2023',
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      input: `${root}src/console/development/wallet.ts`,
      // Or what only runs for its effects would be left out with the exports that nobody imports.
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'wallet.js', codeSplitting: false },
    },
  },
})
