/** One answer for all who ask the same at the same time. Nobody works for those who have gone. */
import { Problem } from './Problem.js'

type Run<answer> = { readonly answer: Promise<answer>; readonly ending: AbortController; askers: number }

/**
 * Asks for what `name` names: by `work`, unless somebody is waiting for it already. `signal` says that this asker has
 * gone; the signal that `work` is given, that all of them have. What was answered is not kept.
 */
export type Ask<answer> = (
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<answer>,
) => Promise<answer>

/** The answers throw what the work throws; Problem 504 `TIMEOUT` where the asker has gone. */
export function shared<answer>(): Ask<answer> {
  const runs = new Map<string, Run<answer>>()

  function begin(name: string, work: (signal: AbortSignal) => Promise<answer>): Run<answer> {
    const ending = new AbortController()
    const run = { answer: work(ending.signal), ending, askers: 0 }
    runs.set(name, run)
    return run
  }

  return async (name, signal, work) => {
    if (signal.aborted) throw gone()
    const run = runs.get(name) ?? begin(name, work)
    run.askers += 1
    let stop = () => {}
    const left = new Promise<never>((_, reject) => {
      stop = () => reject(gone())
      signal.addEventListener('abort', stop, { once: true })
    })
    try {
      return await Promise.race([run.answer, left])
    } finally {
      signal.removeEventListener('abort', stop)
      run.askers -= 1
      if (run.askers === 0) {
        // Before anything else can ask for it: what is given up is nobody's answer.
        if (runs.get(name) === run) runs.delete(name)
        run.ending.abort()
      }
    }
  }
}

function gone(): Problem {
  return new Problem(504, 'TIMEOUT', 'The answer was given up: nobody waits for it any more.')
}
