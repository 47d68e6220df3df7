import { readFileSync } from 'node:fs'

/**
 * What the environment says by a name, or what stands in the file that `<name>_FILE` says, as orchestrators mount their
 * secrets. Command lines have no part in it: everybody on a machine can read those.
 */
export function secret(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const file = env[`${name}_FILE`]
  return env[name] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
}
