/** The story as text: numbered steps, aligned columns, colours only where a person looks at a terminal. */
import { styleText, stripVTControlCharacters as visible } from 'node:util'

type Style = 'bold' | 'dim' | 'red' | 'green'

export type Printer = {
  /** Begins a numbered step. */
  step(title: string): void
  /** Plain lines. */
  say(...lines: string[]): void
  /** A sentence of any length, broken into lines of at most 100 characters. */
  explain(sentence: string): void
  /** Rows of cells, every column but the last padded to its widest cell. */
  table(rows: readonly (readonly string[])[]): void
  /** What had to be true, and whether it was. */
  check(what: string, holds: boolean): void
  style(style: Style, text: string): string
}

export function createPrinter(stream: NodeJS.WriteStream): Printer {
  const colours = stream.isTTY === true && (process.env.NO_COLOR ?? '') === ''
  // Decided here, for this stream: styleText by itself would look at stdout.
  const style = (name: Style, text: string) =>
    colours ? styleText(name, text, { validateStream: false }) : text
  const write = (line: string) => stream.write(`${line === '' ? '' : `    ${line}`}\n`)
  let steps = 0
  return {
    style,
    step(title) {
      steps += 1
      stream.write(`\n${style('bold', `${String(steps).padStart(2)}  ${title}`)}\n`)
    },
    say(...lines) {
      for (const line of lines) write(line)
    },
    explain(sentence) {
      for (const line of wrap(sentence, 100)) write(style('dim', line))
    },
    table(rows) {
      const widths: number[] = []
      for (const row of rows)
        for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, visible(cell).length)
      for (const row of rows) {
        const cells = row.map((cell, n) => cell + ' '.repeat((widths[n] ?? 0) - visible(cell).length))
        write(cells.join('  ').trimEnd())
      }
    },
    check(what, holds) {
      write(`${holds ? style('green', 'ok') : style('red', 'NO')}  ${what}`)
    },
  }
}

function wrap(sentence: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of sentence.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
