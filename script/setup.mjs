// Makes a fresh clone ready to run, and does nothing where it is ready already. Plain JavaScript
// on Node alone, because it runs before anything is installed. It speaks on stderr only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}node_modules/.hardcap-setup`

/** Installs the locked dependencies (forge, anvil and solc among them) if they are missing or stale. */
export function setup() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`hardcap needs Node 20.19 or newer; this is ${process.version}.`)
  }
  const wanted = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('hardcap: installing dependencies from the npm registry ...\n')
  const { status } = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) fail('`npm ci` failed, see above. The npm registry must be reachable for the first run.')
  writeFileSync(stamp, wanted)
}

/**
 * Installs Debian's Chromium, in which the browser tests run, if there is none: at `CHROMIUM_PATH`, or where Debian has
 * it. Where that cannot be done it says so, and those tests fail by saying so too.
 */
export function setupChromium() {
  const path = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
  if (existsSync(path)) return
  const how = 'Install Chromium, and name it in CHROMIUM_PATH where it is not /usr/bin/chromium.'
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    process.stderr.write(`hardcap: the browser tests need Chromium, and ${path} is not there. ${how}\n`)
    return
  }
  process.stderr.write('hardcap: installing Chromium with apt-get ...\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0
  const install = ['install', '--yes', '--quiet', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']
  // The list of packages may be older than the packages are.
  if (apt(...install) || (apt('update', '--quiet') && apt(...install))) return
  process.stderr.write(`hardcap: apt-get could not install it, see above. ${how}\n`)
}

/** Runs a command in the repository with the local tools on PATH, and returns its exit code. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
    env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}`, ...options.env },
  })
  if (error) fail(`Cannot run ${command}: ${error.message}`)
  return status ?? (signal ? 1 : 0)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
