/** The console's files, as a browser gets them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/** Where the build puts the console: beside this file's own folder in the package, in dist/ in the repository. */
export function consoleFolder(): string | undefined {
  const folders = ['../../console', '../../dist/console'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  return folders.find((folder) => existsSync(join(folder, 'index.html')))
}

/**
 * Answers with a file of the folder, and with its page for every path that looks like none. The files are known from the
 * start, so that no path leads out of the folder. Scripts, styles and pictures are those of this origin alone, nothing
 * frames the page, and it asks this origin and `connect`.
 */
export function consoleFiles(
  folder: string,
  { connect }: { readonly connect: readonly string[] },
): (pathname: string) => Response | undefined {
  const files = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [`/${relative(folder, path).split(sep).join('/')}`, readFileSync(path)]),
  )
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return (pathname) => {
    const name = extname(pathname) === '' ? '/index.html' : pathname
    const bytes = files.get(name)
    if (!bytes) return undefined
    const isNamedByContent = name.startsWith('/assets/')
    return new Response(new Uint8Array(bytes), {
      headers: {
        'content-type': types[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': policy,
        'cache-control': isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache',
        // The wallet's own window has to be able to answer.
        'cross-origin-opener-policy': 'same-origin-allow-popups',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      },
    })
  }
}
