import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { TestingError } from './TestingError.js'

/** A running anvil. */
export type Anvil = { url: string; stop: () => Promise<void> }

/**
 * Waits for two things: that anvil ends, or that the pipe on stdin does, which the system closes when our
 * process ends, however it ends. Nothing that runs in our process could do that after a SIGKILL. At the end it
 * removes the folder in which anvil keeps the states of old blocks, which a killed anvil leaves behind. It has to
 * live until then: whatever it would say goes nowhere, as writing to the pipe of a dead process would end it.
 */
const supervisor = `
trap 'rm -rf "$HARDCAP_ANVIL_FOLDER"' EXIT
trap 'exit 143' TERM INT
exec 3<&0
"$0" "$@" </dev/null 3<&- &
anvil=$!
exec >/dev/null 2>&1
(read -r _ <&3; kill -9 "$anvil") &
watcher=$!
exec 3<&-
wait "$anvil"
code=$?
kill "$watcher"
exit "$code"
`

type StartAnvilOptions = { binary: string; port: number; args: string[]; forkUrl?: string | undefined }

/**
 * Starts anvil on loopback, and resolves when it listens. Port 0 is a free port that the system chooses.
 * @throws TestingError `ANVIL_MISSING`, `PORT_IN_USE`, `ANVIL_FAILED`
 */
export async function startAnvil(options: StartAnvilOptions): Promise<Anvil> {
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-anvil-'))
  // The supervisor does so too: this is for a supervisor that was killed.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  try {
    const { url, stop } = await startIn(folder, options)
    return { url, stop: () => stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

async function startIn(folder: string, options: StartAnvilOptions): Promise<Anvil> {
  const { binary, port, forkUrl } = options
  // A fork URL often holds a key, and every user of the machine can read arguments: anvil gets the URL by its
  // configuration file, which names the variable, and the variable.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is foundry's, not JavaScript's.
  writeFileSync(join(folder, 'foundry.toml'), '[rpc_endpoints]\nupstream = "${HARDCAP_FORK_URL}"\n')
  const fork = forkUrl === undefined ? [] : ['--fork-url', 'upstream']
  const args = ['--cache-path', folder, ...options.args, ...fork]
  // A process group of its own: an interrupt from the terminal must not end anvil before the tests' own clean-up.
  const child = spawn('/bin/sh', ['-c', supervisor, binary, '--port', String(port), ...args], {
    detached: true,
    cwd: folder,
    env: { ...process.env, HARDCAP_FORK_URL: forkUrl ?? '', HARDCAP_ANVIL_FOLDER: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // Writing is never needed, and the end of the pipe at anvil's end is not an error of ours.
  child.stdin.on('error', () => {})
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const hold = (how: 'ref' | 'unref') => {
    for (const stream of child.stdio) if (stream instanceof Socket) stream[how]()
    child[how]()
  }
  const stop = async () => {
    // Or our process would end here, with code 13, where anvil takes its time.
    hold('ref')
    signal(child, 'SIGTERM')
    const timer = setTimeout(() => signal(child, 'SIGKILL'), 3_000)
    await closed
    clearTimeout(timer)
  }
  try {
    const url = await listening(child, options)
    // A script that forgets to stop anvil ends all the same, and anvil with it.
    hold('unref')
    return { url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Resolves with anvil's URL, or rejects with what it said at its end. */
function listening(child: ChildProcess, { binary, port, forkUrl }: StartAnvilOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk
      const address = /Listening on (\S+)/.exec(output)?.[1]
      if (address === undefined) return
      child.stdout?.off('data', read).resume()
      child.stderr?.off('data', read).resume()
      resolve(`http://${address}`)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', (cause) => reject(failed('/bin/sh cannot be run', cause)))
    child.once('close', (code) => {
      if (code === 126 || code === 127) reject(missing(binary))
      else if (/address already in use/i.test(output)) {
        reject(
          new TestingError('PORT_IN_USE', `Port ${port} is in use. Omit \`port\` to get a free one.`, {
            figures: { port },
          }),
        )
      } else reject(failed(`anvil ended with code ${code}: ${redact(output, forkUrl)}`))
    })
  })
}

/**
 * Where anvil is: in its platform package, next to hardcap or in the project that uses it, or on PATH.
 * @throws TestingError `ANVIL_MISSING`
 */
export function findAnvil(
  places: { from?: string[]; path?: string } = {
    from: [import.meta.url, join(process.cwd(), 'package.json')],
    path: process.env.PATH ?? '',
  },
): string {
  for (const from of places.from ?? []) {
    const binary = inPackage(from)
    if (binary !== undefined) return binary
  }
  for (const folder of (places.path ?? '').split(delimiter)) {
    const binary = join(folder, 'anvil')
    if (folder !== '' && isExecutable(binary)) return binary
  }
  throw missing()
}

function inPackage(from: string): string | undefined {
  try {
    const binary = join(
      dirname(createRequire(from).resolve(`${platformPackage()}/package.json`)),
      'bin',
      'anvil',
    )
    return isExecutable(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

function platformPackage(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  return `@foundry-rs/anvil-${process.platform}-${arch}`
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function missing(binary?: string): TestingError {
  const where = binary === undefined ? 'anvil was not found' : `anvil cannot be run at ${binary}`
  return new TestingError(
    'ANVIL_MISSING',
    `${where}. Install it with \`npm install --save-dev ${platformPackage()}\`; an anvil on PATH works as well.`,
    { figures: { package: platformPackage() } },
  )
}

function failed(message: string, cause?: unknown): TestingError {
  return new TestingError('ANVIL_FAILED', message, { cause })
}

/** The end of what anvil printed, without the fork URL, which may carry credentials. */
function redact(output: string, forkUrl: string | undefined): string {
  const text = forkUrl === undefined ? output : output.replaceAll(forkUrl, new URL(forkUrl).origin)
  return text
    .replaceAll(/(https?:\/\/)[^\s/@]*@?([^\s/?#)"']+)[^\s)"']*/g, '$1$2')
    .trim()
    .slice(-600)
}

/** To the whole process group: the shell, its watcher, anvil. */
function signal(child: ChildProcess, name: NodeJS.Signals) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
