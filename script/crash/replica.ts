/** Replicas as processes. They run one file that is built when the first is asked for: it starts in a tenth of a second. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Job, Word } from './child.js'

export type Replica = {
  /** What it has told so far. */
  readonly words: readonly Word[]
  isOver(): boolean
  /** Resolves when it says a word, or ends. */
  until(word: Word['word']): Promise<void>
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>
  readonly ended: Promise<unknown>
}

/** `onWord` hears every word at once. */
export type Launcher = { launch(job: Job, onWord?: (word: Word) => void): Replica; end(): void }

/** What is needed of esbuild, which tsx brings along. */
type Esbuild = {
  buildSync(options: {
    readonly entryPoints: readonly string[]
    readonly outfile: string
    readonly bundle: true
    readonly minify: true
    readonly platform: 'node'
    readonly format: 'esm'
    readonly target: 'node20'
    readonly external: readonly string[]
    readonly logLevel: 'warning'
  }): unknown
}

export function createLauncher(): Launcher {
  const require = createRequire(createRequire(import.meta.url).resolve('tsx'))
  const { buildSync } = require('esbuild') as Esbuild
  // Inside node_modules, so that it finds the packages that stay outside of it.
  const folder = fileURLToPath(new URL('../../node_modules/.cache/hardcap', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const outfile = `${folder}/crash-${process.pid}.mjs`
  buildSync({
    entryPoints: [fileURLToPath(new URL('child.ts', import.meta.url))],
    outfile,
    bundle: true,
    // Half the time of a start goes by reading it.
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['libsql', 'pg'],
    logLevel: 'warning',
  })
  return {
    launch: (job, onWord) => launch(outfile, job, onWord),
    end: () => rmSync(outfile, { force: true }),
  }
}

function launch(file: string, job: Job, onWord?: (word: Word) => void): Replica {
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const words: Word[] = []
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of [...listeners]) listener()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    const word = JSON.parse(line) as Word
    words.push(word)
    onWord?.(word)
    notify()
  })
  // All that it told was read by then, also where it was killed.
  const ended = once(child, 'close')
  let isOver = false
  ended.then(() => {
    isOver = true
    notify()
  })
  // A replica that is killed at once never reads its job.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(job))
  return {
    words,
    isOver: () => isOver,
    ended,
    async until(wanted) {
      while (!words.some(({ word }) => word === wanted) && !isOver)
        await new Promise<void>((resolve) => {
          const listener = () => {
            listeners.delete(listener)
            resolve()
          }
          listeners.add(listener)
        })
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
