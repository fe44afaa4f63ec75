// Messages that are a file each. RFC 5322 (.eml).
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../../base/limits.ts'
import { parseDate } from '../../message/date.ts'
import { fieldValues } from '../../message/header.ts'
import { noFlags } from '../../store/flags.ts'
import type { ArchivedMessage, ArchiveEntry, ArchiveProgress } from './archived-message.ts'
import { lfToCrlf } from './line-endings.ts'
import { separatorDate } from './mbox-reader.ts'

export interface EmlOptions {
  readonly mailbox: string
  readonly onProgress?: ArchiveProgress
}

/** Reads a file, or a folder and those in it: its `.eml` files or, where it has none, every file. */
export async function* readEml(path: string, options: EmlOptions): AsyncGenerator<ArchiveEntry, void> {
  for (const file of await emlFiles(path)) {
    const { size, mtimeMs } = await stat(file)
    options.onProgress?.(size)
    if (size > limits.archive.messageBytes) {
      yield { kind: 'problem', source: file, message: `larger than ${limits.archive.messageBytes} bytes` }
      continue
    }
    try {
      yield emlMessage(await readFile(file), file, options.mailbox, Math.floor(mtimeMs))
    } catch (error) {
      yield {
        kind: 'problem',
        source: file,
        message: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      }
    }
  }
}

/** The size of all of them, for a progress bar. */
export async function emlBytes(path: string): Promise<number> {
  let bytes = 0
  for (const file of await emlFiles(path)) bytes += (await stat(file)).size
  return bytes
}

/** A message of a file. Its date is that of its newest Received field, else of Date, else `otherwiseMs`. */
export function emlMessage(
  file: Buffer,
  source: string,
  mailbox: string,
  otherwiseMs: number | undefined,
): ArchivedMessage {
  const bytes = lfToCrlf(file)
  return {
    kind: 'message',
    source,
    mailbox,
    bytes,
    flags: noFlags,
    receivedAt: findReceivedAt(bytes) ?? otherwiseMs,
  }
}

function findReceivedAt(bytes: Buffer): number | undefined {
  // The first line of an mbox that was cut into pieces.
  if (bytes.toString('latin1', 0, 5) === 'From ') {
    const end = bytes.indexOf(10)
    const date = separatorDate(bytes.toString('latin1', 0, end === -1 ? bytes.length : end))
    if (date !== undefined) return date
  }
  // RFC 5322 §3.6.7: the date follows the last semicolon.
  const received = fieldValues(bytes, 'Received')[0]?.split(';').at(-1)
  const [date] = fieldValues(bytes, 'Date')
  for (const text of [received, date]) {
    const parsed = text === undefined ? undefined : parseDate(text)
    if (parsed !== undefined) return parsed.epochMs
  }
  return undefined
}

async function emlFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const files: string[] = []
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue
      const child = join(folder, entry.name)
      if (entry.isFile()) files.push(child)
      else if (entry.isDirectory() && depth < limits.archive.depth) await visit(child, depth + 1)
    }
  }
  await visit(path, 0)
  const named = files.filter(file => file.toLowerCase().endsWith('.eml'))
  return named.length > 0 ? named : files
}
