// The corpus against what Dovecot 2.3.19 and Cyrus 3.6.1 answer for each of its messages.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodyOf } from '../../src/message/body.ts'
import { writeBodyStructure } from '../../src/message/body-structure.ts'
import { toCrlf } from '../../src/message/line-endings.ts'
import { parseMessage } from '../../src/message/part.ts'
import { findSection, unpackParts, type PartNode, type SectionKind } from '../../src/message/sections.ts'
import { summarize, type EmailSummary } from '../../src/message/summary.ts'
import { sharedFolder } from '../shared.ts'
import { type Aspect, EXCEPTIONS, normalize, type Oracle, readAgreement, readOracle } from './oracle.ts'
import { readWire } from './wire.ts'

interface Message {
  readonly file: string
  readonly bytes: Buffer
  readonly summary: EmailSummary
}

/** Milliseconds for one message on a slow, busy machine. */
const TIME_BOUND_MS = 250

function sectionMatches(
  message: Message,
  tree: PartNode,
  key: string,
  theirs: readonly [number, string] | null,
) {
  const match = /^([\d.]*?)\.?(HEADER|TEXT|MIME)?$/.exec(key)
  assert(match, `an oracle key of an unknown form: ${key}`)
  const path = match[1] === '' || match[1] === undefined ? [] : match[1].split('.').map(Number)
  const section = findSection(tree, path, (match[2] ?? 'BODY') as SectionKind)
  // A part that is not there is NIL for one server and an empty string for the other.
  if (section === undefined) return theirs === null || theirs[0] === 0
  const bytes = message.bytes.subarray(section.start, section.end)
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return theirs !== null && theirs[0] === bytes.length && theirs[1] === hash
}

function equals(message: Message, oracle: Oracle, aspect: Aspect): boolean {
  const { summary } = message
  if (aspect === 'sections') {
    const tree = unpackParts(summary.parts)
    return Object.entries(oracle.sections).every(([key, theirs]) =>
      sectionMatches(message, tree, key, theirs),
    )
  }
  const ours = aspect === 'envelope' ? summary.envelope : summary.bodyStructure
  const ourValue = normalize(readWire(ours.toString('latin1')))
  return JSON.stringify(ourValue) === JSON.stringify(normalize(oracle[aspect]))
}

if (sharedFolder === undefined)
  test('the corpus is answered as Dovecot and Cyrus do', t => t.skip('not here'))
else runCorpus(join(sharedFolder, 'corpus'))

function runCorpus(folder: string): void {
  const dovecot = readOracle(folder, 'oracle-dovecot-2.3.19.jsonl')
  const cyrus = readOracle(folder, 'oracle-cyrus-3.6.1.jsonl')
  const agreement = readAgreement(folder)
  const messages: Message[] = []

  test('every message of the corpus is summed up, in a bounded time', () => {
    for (const file of readdirSync(join(folder, 'eml')).sort()) {
      const bytes = toCrlf(readFileSync(join(folder, 'eml', file)))
      const start = performance.now()
      const summary = summarize(bytes)
      assert(performance.now() - start < TIME_BOUND_MS, `${file} takes too long`)
      messages.push({ file, bytes, summary })
    }
    assert.equal(messages.length, 619)
  })

  for (const aspect of ['envelope', 'bodystructure', 'sections'] as const) {
    test(`${aspect}: as both servers where they agree, else as one of them`, () => {
      const wrong: string[] = []
      for (const message of messages) {
        const both = [dovecot.get(message.file), cyrus.get(message.file)]
        const known = both.filter(oracle => oracle !== undefined && oracle.error === undefined) as Oracle[]
        const isEqual = known.some(oracle => equals(message, oracle, aspect))
        const key = `${message.file} ${aspect}`
        assert(known.length > 0, `no oracle for ${message.file}`)
        if (agreement[message.file]?.[aspect] === true) assert(!EXCEPTIONS.has(key), `${key}: both agree`)
        if (isEqual === EXCEPTIONS.has(key)) wrong.push(key)
      }
      assert.deepEqual(wrong, [])
    })
  }

  test('sizes are the octets that the servers count', () => {
    for (const { file, summary } of messages) {
      const oracle = dovecot.get(file)
      if (oracle?.error === undefined) assert.equal(summary.sizeBytes, oracle?.size, file)
    }
  })

  test('BODY from a stored BODYSTRUCTURE equals BODY from the message', () => {
    for (const { file, bytes, summary } of messages) {
      const direct = writeBodyStructure(parseMessage(bytes), false)
      assert.equal(bodyOf(summary.bodyStructure).toString('latin1'), direct, file)
    }
  })

  test('a summary survives structuredClone with its bytes', () => {
    for (const { summary } of messages) {
      const clone = structuredClone(summary)
      assert.equal(Buffer.compare(clone.envelope, summary.envelope), 0)
      assert(
        clone.envelope.buffer.byteLength <=
          summary.envelope.length + summary.bodyStructure.length + summary.parts.length,
      )
    }
  })
}
