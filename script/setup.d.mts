import type { SpawnSyncOptions } from 'node:child_process'

export const root: string
export function setup(): void
export function run(command: string, args: readonly string[], options?: SpawnSyncOptions): number
