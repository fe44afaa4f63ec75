// What a command answers: text for people, or JSON for programs.
import type { Terminal } from './terminal.ts'

export interface Output {
  /** The answer: `value` with --json, else `text`. */
  result(value: unknown, text: string): void
  /** A table, or the rows with --json. */
  table(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly Column[], empty: string): void
  /** Something beside the answer, on standard error. */
  note(text: string): void
}

export interface Column {
  readonly key: string
  readonly title: string
  readonly align?: 'left' | 'right'
  readonly format?: (value: unknown) => string
}

/** Makes the output of one command. */
export function createOutput(terminal: Terminal, isJson: boolean): Output {
  return {
    result(value, text) {
      terminal.out(isJson ? `${JSON.stringify(value, undefined, 2)}\n` : text === '' ? '' : `${text}\n`)
    },
    table(rows, columns, empty) {
      if (isJson) terminal.out(`${JSON.stringify(rows, undefined, 2)}\n`)
      else terminal.out(rows.length === 0 ? `${empty}\n` : formatTable(rows, columns))
    },
    note(text) {
      terminal.err(`${text}\n`)
    },
  }
}

function formatTable(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly Column[]): string {
  const cells = rows.map(row =>
    columns.map(({ key, format }) => printable((format ?? String)(row[key] ?? ''))),
  )
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map(line => line[at]?.length ?? 0)),
  )
  const lines = [columns.map(({ title }) => title), ...cells].map(line =>
    line
      .map((cell, at) =>
        columns[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** Without control characters: what a peer wrote cannot steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/** `1.5 MB`, in powers of 1000. */
export function formatBytes(bytes: unknown): string {
  const value = Number(bytes)
  if (bytes === null || bytes === undefined || bytes === '' || !Number.isFinite(value)) return '-'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = value
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}

/** `2026-11-23 01:49:00Z`; `-` for none. */
export function formatTime(ms: unknown): string {
  return typeof ms === 'number'
    ? new Date(ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
    : '-'
}

/** Reads `1000`, `10k`, `500MB`, `2GiB`, or `none`. Undefined when it is no size. */
export function parseSize(text: string): number | null | undefined {
  if (text === 'none') return null
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt])?(i)?b?$/i.exec(text)
  if (!match) return undefined
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  return Math.round(Number(match[1]) * (match[3] ? 1024 : 1000) ** power)
}
