/** How the console is built: into dist/console, to be served from any path, with nothing fetched from outside. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))

export default defineConfig({
  root: `${root}src/console`,
  base: './',
  logLevel: 'warn',
  plugins: [react(), withoutOutsideFonts()],
  build: {
    outDir: `${root}dist/console`,
    emptyOutDir: true,
    target: 'es2023',
    // What wallet libraries weigh is measured (docs/react.md), and not ours to warn about at each build.
    chunkSizeWarningLimit: 4_000,
  },
})

/** OnchainKit's stylesheet imports fonts from outside. The console has the system's. */
function withoutOutsideFonts(): Plugin {
  return {
    name: 'hardcap:without-outside-fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('onchainkit') || !id.split('?')[0]?.endsWith('.css')) return
      return { code: code.replaceAll(/@import\s*"https?:[^"]*"[^;]*;/g, ''), map: null }
    },
  }
}
