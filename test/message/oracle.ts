// What Dovecot 2.3.19 and Cyrus 3.6.1 answer for each message of the corpus, and how answers are compared.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Wire } from './wire.ts'

/** What a server answered for one message. */
export interface Oracle {
  readonly file: string
  readonly size: number
  readonly envelope: Wire
  readonly bodystructure: Wire
  readonly sections: Readonly<Record<string, readonly [number, string] | null>>
  readonly error?: unknown
}

export type Aspect = 'envelope' | 'bodystructure' | 'sections'

/** Where neither server is followed, and why. */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  [
    'py-mail-parser__tests_mails_mail_malformed_3.eml sections',
    'has NUL bytes: Cyrus refuses it and Dovecot stores 0x80 for them; we keep the bytes, and what IMAP sends is for the encoder',
  ],
])

/** Case, the default charset, and the words for a missing mailbox or host differ between the servers that "agree". */
export function normalize(value: Wire): unknown {
  if (value === null || typeof value === 'number') return value
  if ('s' in value) {
    const text = value.s.toLowerCase()
    if (text === 'missing_mailbox') return ''
    return text === 'missing_domain' || text === 'syntax_error' ? 'unspecified-domain' : text
  }
  let list: unknown[] = value.map(normalize)
  if (list.at(-2) === 'charset' && list.at(-1) === 'us-ascii') list = list.slice(0, -2)
  return list.length === 0 ? null : list
}

/** The oracle of one server by file name. */
export function readOracle(folder: string, name: string): Map<string, Oracle> {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n')
  return new Map(lines.map(line => JSON.parse(line) as Oracle).map(oracle => [oracle.file, oracle]))
}

/** Of which aspects both servers agree, by file name. */
export function readAgreement(folder: string): Record<string, Record<Aspect, boolean>> {
  return JSON.parse(readFileSync(join(folder, 'oracle-agreement.json'), 'utf8')) as Record<
    string,
    Record<Aspect, boolean>
  >
}
