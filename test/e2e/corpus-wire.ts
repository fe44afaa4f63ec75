// The corpus over the wire: what the server answers for each message, held against the oracle of Dovecot and Cyrus.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type ImapClient, RefusedError } from '../../bench/imap-client.ts'
import {
  type Aspect,
  EXCEPTIONS,
  normalize,
  type Oracle,
  readAgreement,
  readOracle,
} from '../message/oracle.ts'
import { readValue } from '../message/wire.ts'
import { type CorpusMessage, corpus } from './mail.ts'

/** What one FETCH answered. */
interface Answer {
  readonly size: number
  readonly envelope: string
  readonly bodystructure: string
  /** Length and the first 16 digits of the SHA-256, or null for NIL. */
  readonly sections: ReadonlyMap<string, readonly [number, string] | null>
}

/** APPENDs every message of the corpus into `mailbox`, fetches it, and gives a line for whatever is answered wrongly. */
export async function checkCorpus(
  client: ImapClient,
  mailbox: string,
  sharedFolder: string,
): Promise<string[]> {
  const folder = join(sharedFolder, 'corpus')
  const dovecot = readOracle(folder, 'oracle-dovecot-2.3.19.jsonl')
  const cyrus = readOracle(folder, 'oracle-cyrus-3.6.1.jsonl')
  const agreement = readAgreement(folder)
  const messages = corpus()
  const wrong: string[] = []
  await client.ask(`CREATE ${mailbox}`)
  for (const { file, bytes } of messages) {
    try {
      await client.append(mailbox, [bytes])
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      wrong.push(`${file}: APPEND ${error.status}`)
    }
  }
  if (wrong.length > 0) return wrong
  await client.run(`SELECT ${mailbox}`)
  for (const [at, message] of messages.entries()) {
    const oracles = [dovecot.get(message.file), cyrus.get(message.file)].filter(
      (oracle): oracle is Oracle => oracle !== undefined && oracle.error === undefined,
    )
    const answer = await fetchAnswer(client, at + 1, keysOf(oracles))
    wrong.push(...judge(message, answer, oracles, agreement[message.file]))
  }
  return wrong
}

function judge(
  { file, bytes }: CorpusMessage,
  answer: Answer,
  oracles: readonly Oracle[],
  agreement: Readonly<Record<Aspect, boolean>> | undefined,
): string[] {
  const wrong: string[] = []
  if (answer.size !== bytes.length) wrong.push(`${file}: RFC822.SIZE is ${answer.size}, not ${bytes.length}`)
  for (const aspect of ['envelope', 'bodystructure', 'sections'] as const) {
    if (EXCEPTIONS.has(`${file} ${aspect}`)) continue
    if (oracles.some(oracle => matches(answer, oracle, aspect))) continue
    const agreed = agreement?.[aspect] === true ? 'both servers agree' : 'like neither server'
    wrong.push(`${file}: ${aspect} (${agreed})`)
  }
  return wrong
}

function matches(answer: Answer, oracle: Oracle, aspect: Aspect): boolean {
  if (aspect !== 'sections') {
    const [ours] = readValue(answer[aspect], 0)
    return JSON.stringify(normalize(ours)) === JSON.stringify(normalize(oracle[aspect]))
  }
  return Object.entries(oracle.sections).every(([key, theirs]) => {
    const ours = answer.sections.get(key)
    // A part that is not there is NIL for one server and an empty string for the other.
    const oursEmpty = ours === undefined || ours === null || ours[0] === 0
    if (theirs === null || theirs[0] === 0) return oursEmpty
    return !oursEmpty && ours[0] === theirs[0] && ours[1] === theirs[1]
  })
}

/** Every section that an oracle knows of this message. */
function keysOf(oracles: readonly Oracle[]): string[] {
  return [...new Set(oracles.flatMap(oracle => Object.keys(oracle.sections)))]
}

async function fetchAnswer(client: ImapClient, number: number, keys: readonly string[]): Promise<Answer> {
  const text = (await client.run(`FETCH ${number} (RFC822.SIZE ENVELOPE BODYSTRUCTURE)`)).bytes.toString(
    'latin1',
  )
  const valueOf = (item: string) => {
    const from = text.indexOf(`${item} `) + item.length + 1
    return text.slice(from, readValue(text, from)[1])
  }
  const sections = new Map<string, readonly [number, string] | null>()
  for (let from = 0; from < keys.length; from += 50) {
    const items = keys.slice(from, from + 50).map(key => `BODY.PEEK[${key}]`)
    readSections((await client.run(`FETCH ${number} (${items.join(' ')})`)).bytes, sections)
  }
  return {
    size: Number(valueOf('RFC822.SIZE')),
    envelope: valueOf('ENVELOPE'),
    bodystructure: valueOf('BODYSTRUCTURE'),
    sections,
  }
}

/** Reads `BODY[key] value` items: values are literals, quoted strings or NIL. */
function readSections(bytes: Buffer, sections: Map<string, readonly [number, string] | null>): void {
  const text = bytes.toString('latin1')
  for (let at = text.indexOf('BODY['); at >= 0; at = text.indexOf('BODY[', at)) {
    const close = text.indexOf('] ', at)
    const key = text.slice(at + 5, close)
    at = close + 2
    const literal = /^\{(\d+)\}\r\n/.exec(text.slice(at, at + 20))
    if (literal !== null) {
      const from = at + literal[0].length
      at = from + Number(literal[1])
      sections.set(key, [at - from, hash(text.slice(from, at))])
      continue
    }
    const [value, end] = readValue(text, at)
    at = end
    if (value === null) sections.set(key, null)
    else if (typeof value === 'object' && 's' in value) sections.set(key, [value.s.length, hash(value.s)])
    else throw new Error(`BODY[${key}] is neither a string nor NIL`)
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16)
}
