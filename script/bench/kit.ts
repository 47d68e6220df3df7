/** Something that can be measured, which gives a result. */
export type Bench<result> = {
  /** In a few words. */
  readonly what: string
  /** What the figures mean. */
  readonly help: string
  /** @param progress takes lines for people */
  readonly run: (progress: (line: string) => void) => Promise<result>
  /** What `--json` prints. */
  readonly figures: (result: result) => object
  /** What people read. */
  readonly text: (result: result) => string
  /** Into the committed snapshot, where there is one: what is the same on every machine. */
  readonly write?: (result: result) => void
}

/** Rows of cells as lines: the first column to the left, all others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length)
  const cellOf = (cell: string, n: number) =>
    n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)
  return rows.map((row) => `  ${row.map(cellOf).join('  ').trimEnd()}\n`).join('')
}

/** 12345 as 12,345. */
export const grouped = (count: number) => count.toLocaleString('en-US')

/** A setting from the environment: a whole number from 1. */
export function count(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} has to be a whole number from 1.`)
  return value
}
