// Messages of an mbox file: RFC 4155; the mboxo, mboxrd, mboxcl and mboxcl2 variants (mbox(5) of qmail and mutt).
//
// - A separator is a line `From …` with a time and a year in it, at the file's start or after an empty line: `From what I hear` in a text is none.
// - A Content-Length that leads to a separator or to the end of the file is believed (mboxcl, mboxcl2), and nothing is unquoted then.
// - Otherwise one `>` goes from `>From `, `>>From ` and so on (mboxrd; for mboxo the same for all that its writer quoted).
// - Flags are in Status, X-Status and X-Keywords (also X-Mozilla-Status). The message keeps these fields: it is stored as it was,
//   but for what `mbox-writer.ts` added to it.
import { createReadStream } from 'node:fs'
import { limits } from '../../base/limits.ts'
import { fieldValues, findBodyStart } from '../../message/header.ts'
import { answered, deleted, draft, flagged, type FlagSet, seen } from '../../store/flags.ts'
import type { ArchiveEntry, ArchiveProgress } from './archived-message.ts'
import { lfToCrlf } from './line-endings.ts'
import { splitAddedFields } from './mbox-fields.ts'

const lf = 10
const cr = 13

export interface MboxOptions {
  /** The mailbox of its messages. */
  readonly mailbox: string
  readonly onProgress?: ArchiveProgress
}

/** Reads an mbox file, one message in memory at a time. Throws the system's error when the file cannot be read. */
export async function* readMbox(file: string, options: MboxOptions): AsyncGenerator<ArchiveEntry, void> {
  const splitter = new MboxSplitter()
  let number = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    for (const raw of splitter.push(chunk)) yield entryOf(raw, `${file} message ${++number}`, options.mailbox)
    options.onProgress?.(chunk.length)
  }
  for (const raw of splitter.end()) yield entryOf(raw, `${file} message ${++number}`, options.mailbox)
}

function entryOf(raw: RawMessage, source: string, mailbox: string): ArchiveEntry {
  if (raw.kind === 'no-separator') {
    return { kind: 'problem', source, message: 'the file does not begin with a "From " line: it is no mbox' }
  }
  if (raw.kind === 'too-large') {
    return { kind: 'problem', source, message: `larger than ${limits.archive.messageBytes} bytes` }
  }
  const { message, added } = splitAddedFields(raw.isQuoted ? unquote(raw.bytes) : raw.bytes)
  return {
    kind: 'message',
    source,
    mailbox,
    bytes: lfToCrlf(message),
    // Ours tell all there is; the message may have come with such fields of its own.
    flags: mboxFlags(added ?? message),
    receivedAt: separatorDate(raw.separator),
  }
}

type RawMessage =
  | {
      readonly kind: 'message'
      readonly separator: string
      readonly bytes: Buffer
      readonly isQuoted: boolean
    }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-separator' }

/** Cuts a stream of chunks into messages. */
export class MboxSplitter {
  #buffer: Buffer = Buffer.alloc(0)
  /** The separator of the message that `#buffer` begins with; undefined before the first. */
  #separator: string | undefined
  /** Where in `#buffer` the search goes on. */
  #at = 0
  #isTooLarge = false
  #isLost = false
  readonly #maxBytes: number

  constructor(maxBytes: number = limits.archive.messageBytes) {
    this.#maxBytes = maxBytes
  }

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): RawMessage[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    return this.#split(false)
  }

  /** The last message. */
  end(): RawMessage[] {
    return this.#split(true)
  }

  #split(isEnd: boolean): RawMessage[] {
    const messages: RawMessage[] = []
    if (this.#separator === undefined && !this.#isLost && !this.#begin(isEnd, messages)) return messages
    while (!this.#isLost) {
      const next = this.#findEnd(isEnd)
      if (next === undefined) break
      messages.push(this.#cut(next))
      if (next.after === undefined) {
        this.#separator = undefined
        this.#buffer = Buffer.alloc(0)
        break
      }
      this.#separator = next.after.line
      this.#buffer = this.#buffer.subarray(next.after.bodyAt)
      this.#at = 0
      this.#isTooLarge = false
    }
    if (!isEnd) this.#bound()
    return messages
  }

  /** Reads the first separator, behind empty lines; false when more input is wanted. */
  #begin(isEnd: boolean, messages: RawMessage[]): boolean {
    let at = 0
    while (this.#buffer[at] === lf || this.#buffer[at] === cr) at++
    const end = this.#buffer.indexOf(lf, at)
    if (end === -1 && !isEnd && this.#buffer.length - at < limits.archive.separatorBytes) return false
    if (end === -1 && at === this.#buffer.length) return false
    const line = this.#buffer.toString('latin1', at, end === -1 ? this.#buffer.length : end)
    if (!line.startsWith('From ')) {
      this.#isLost = true
      messages.push({ kind: 'no-separator' })
      return false
    }
    this.#separator = line
    this.#buffer = this.#buffer.subarray(end === -1 ? this.#buffer.length : end + 1)
    this.#at = 0
    return true
  }

  /** Where the message ends: `end` excludes the empty line before the next separator. Undefined when more input is wanted. */
  #findEnd(isEnd: boolean): End | undefined {
    if (this.#separator === undefined) return undefined
    const byLength = this.#isTooLarge ? undefined : this.#findByContentLength(isEnd)
    if (byLength === 'more') return undefined
    if (byLength !== undefined) return byLength
    for (;;) {
      const at = this.#buffer.indexOf('From ', this.#at)
      if (at === -1) break
      const end = this.#buffer.indexOf(lf, at)
      if (end === -1 && !isEnd && this.#buffer.length - at < limits.archive.separatorBytes) {
        this.#at = at
        return undefined
      }
      if (end !== -1 && isAfterEmptyLine(this.#buffer, at) && isSeparator(this.#buffer, at, end)) {
        return {
          end: trimEmptyLine(this.#buffer, at),
          after: { line: this.#buffer.toString('latin1', at, end), bodyAt: end + 1 },
          isQuoted: true,
        }
      }
      this.#at = at + 5
    }
    // `From ` may begin at the buffer's end.
    this.#at = Math.max(this.#at, this.#buffer.length - 4)
    if (!isEnd) return undefined
    return { end: trimEmptyLine(this.#buffer, this.#buffer.length), after: undefined, isQuoted: true }
  }

  #findByContentLength(isEnd: boolean): End | 'more' | undefined {
    const bodyAt = findBodyStart(this.#buffer)
    if (bodyAt === this.#buffer.length && !isEnd) {
      return this.#buffer.length < limits.message.headerBytes && this.#buffer.indexOf('\nFrom ') === -1
        ? 'more'
        : undefined
    }
    const [value] = fieldValues(this.#buffer.subarray(0, bodyAt), 'Content-Length')
    if (value === undefined || !/^\d{1,12}$/.test(value)) return undefined
    const end = bodyAt + Number(value)
    if (end > this.#maxBytes) return undefined
    if (!isEnd && this.#buffer.length < end + limits.archive.separatorBytes) return 'more'
    if (end > this.#buffer.length) return undefined
    let at = end
    while (this.#buffer[at] === lf || this.#buffer[at] === cr) at++
    if (at === this.#buffer.length) return { end, after: undefined, isQuoted: false }
    const lineEnd = this.#buffer.indexOf(lf, at)
    if (lineEnd === -1 || this.#buffer[at - 1] !== lf || !isSeparator(this.#buffer, at, lineEnd))
      return undefined
    return {
      end,
      after: { line: this.#buffer.toString('latin1', at, lineEnd), bodyAt: lineEnd + 1 },
      isQuoted: false,
    }
  }

  #cut({ end, isQuoted }: End): RawMessage {
    if (this.#isTooLarge || end > this.#maxBytes) return { kind: 'too-large' }
    return {
      kind: 'message',
      separator: this.#separator ?? '',
      bytes: this.#buffer.subarray(0, end),
      isQuoted,
    }
  }

  /** Keeps of a message that is too large only what the search for its end needs. */
  #bound(): void {
    if (this.#isLost) this.#buffer = Buffer.alloc(0)
    if (this.#buffer.length <= this.#maxBytes) return
    this.#isTooLarge = true
    const keepFrom = Math.max(0, this.#at - 4)
    this.#buffer = Buffer.from(this.#buffer.subarray(keepFrom))
    this.#at -= keepFrom
  }
}

interface End {
  readonly end: number
  readonly after: { readonly line: string; readonly bodyAt: number } | undefined
  readonly isQuoted: boolean
}

function isAfterEmptyLine(buffer: Buffer, at: number): boolean {
  if (at === 0) return true
  if (buffer[at - 1] !== lf) return false
  const before = buffer[at - 2] === cr ? at - 2 : at - 1
  return before === 0 || buffer[before - 1] === lf
}

/** Without the empty line that ends before `at`. */
function trimEmptyLine(buffer: Buffer, at: number): number {
  if (!isAfterEmptyLine(buffer, at) || at === 0) return at
  return buffer[at - 2] === cr ? at - 2 : at - 1
}

/** Whether a line that begins with `From ` has a time and a year: asctime(3), with or without zone, as all writers have it. */
function isSeparator(buffer: Buffer, at: number, end: number): boolean {
  if (end - at > limits.archive.separatorBytes) return false
  const line = buffer.toString('latin1', at, end)
  return /\d:\d\d/.test(line) && /\b(?:19|20)\d\d\b/.test(line)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** The date of a separator, which is in UTC by RFC 4155 unless it names a numeric zone. */
export function separatorDate(separator: string): number | undefined {
  const match =
    /\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,3}(\d{1,2}) {1,3}(\d{1,2}):(\d\d)(?::(\d\d))?(?: {1,3}([A-Z]{1,5}|[+-]\d{4}))?(?: {1,3}((?:19|20)\d\d))(?: {1,3}([+-]\d{4}))?/i.exec(
      separator.slice(0, limits.archive.separatorBytes),
    )
  if (!match) return undefined
  const [, month = '', day, hour, minute, second = '0', zone = '', year, lateZone = ''] = match
  const at = Date.UTC(
    Number(year),
    months.indexOf(month.toLowerCase()),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const offset = /^([+-])(\d\d)(\d\d)$/.exec(lateZone || zone)
  if (!offset) return at
  const minutes = Number(offset[2]) * 60 + Number(offset[3])
  return at - (offset[1] === '-' ? -minutes : minutes) * 60_000
}

/** Takes one `>` from each quoted `From ` line. */
function unquote(bytes: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf('\n>'); at !== -1; at = bytes.indexOf('\n>', at + 1)) {
    let quotes = at + 1
    while (bytes[quotes] === 62) quotes++
    if (bytes.toString('latin1', quotes, quotes + 5) !== 'From ') continue
    pieces.push(bytes.subarray(from, at + 1))
    from = at + 2
  }
  return from === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(from)])
}

/** Flags as mail programs write them into header fields. */
export function mboxFlags(message: Buffer): FlagSet {
  const header = message.subarray(0, findBodyStart(message))
  const status = fieldValues(header, 'Status').join('')
  const xStatus = fieldValues(header, 'X-Status').join('')
  const [mozilla = '0'] = fieldValues(header, 'X-Mozilla-Status')
  const bits = /^[0-9a-f]{1,8}$/i.test(mozilla) ? Number.parseInt(mozilla, 16) : 0
  const has = (condition: boolean, flag: number) => (condition ? flag : 0)
  const system =
    has(/R/.test(status) || (bits & 0x0001) !== 0, seen) |
    has(/A/.test(xStatus) || (bits & 0x0002) !== 0, answered) |
    has(/F/.test(xStatus) || (bits & 0x0004) !== 0, flagged) |
    has(/D/.test(xStatus) || (bits & 0x0008) !== 0, deleted) |
    has(/T/.test(xStatus), draft)
  return { system, keywords: keywordsOf(fieldValues(header, 'X-Keywords').join(' ')) }
}

/** The atoms in a list, RFC 9051 §2.3.2; what is no atom is left out. */
function keywordsOf(list: string): string[] {
  const words = list.split(/[\s,]+/).filter(word => /^[\x21-\x7e]+$/.test(word) && !/[(){%*"\\\]]/.test(word))
  return [...new Set(words)]
    .filter(word => word.length <= limits.mailbox.keywordBytes)
    .slice(0, limits.archive.keywords)
}
