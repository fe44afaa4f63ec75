// The corpus over the wire, against what Dovecot 2.3.19 and Cyrus 3.6.1 answer for each of its messages.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { toCrlf } from '../../../src/message/line-endings.ts'
import { normalize, type Oracle, readOracle } from '../../message/oracle.ts'
import { readWire } from '../../message/wire.ts'
import { sharedFolder } from '../../shared.ts'
import { openInbox } from './mailbox.ts'

test('FETCH answers the corpus as Dovecot or Cyrus does, and so as both where they agree', async t => {
  if (sharedFolder === undefined) return t.skip('not here')
  const folder = join(sharedFolder, 'corpus')
  const files = readdirSync(join(folder, 'eml')).sort()
  const { imap } = await openInbox(
    t,
    files.map(file => ({ bytes: toCrlf(readFileSync(join(folder, 'eml', file))) })),
  )
  const oracles = [
    readOracle(folder, 'oracle-dovecot-2.3.19.jsonl'),
    readOracle(folder, 'oracle-cyrus-3.6.1.jsonl'),
  ]
  /** The value of the one item of each response. */
  const valuesOf = async (set: string, item: string, name = item) =>
    (await imap.ok(`FETCH ${set} ${item}`)).map(line => {
      const at = line.indexOf(`FETCH (${name} `)
      assert.ok(at > 0, line.slice(0, 200))
      return line.slice(at + name.length + 8, -1)
    })
  const envelopes = await valuesOf('1:*', 'ENVELOPE')
  const structures = await valuesOf('1:*', 'BODYSTRUCTURE')
  const sizes = await valuesOf('1:*', 'RFC822.SIZE')
  assert.equal(envelopes.length, files.length)

  const isSame = (ours: string | undefined, theirs: Parameters<typeof normalize>[0]) =>
    JSON.stringify(normalize(readWire(ours ?? ''))) === JSON.stringify(normalize(theirs))
  const sectionIsSame = async (number: number, key: string, theirs: readonly [number, string] | null) => {
    const [ours = ''] = await valuesOf(String(number), `BODY.PEEK[${key}]`, `BODY[${key}]`)
    // A part that is not there is NIL for one server and an empty string for the other.
    if (ours === 'NIL' || ours === '""') return theirs === null || theirs[0] === 0
    const text = Buffer.from(ours.slice(ours.indexOf('\r\n') + 2), 'latin1')
    return (
      theirs?.[0] === text.length &&
      theirs[1] === createHash('sha256').update(text).digest('hex').slice(0, 16)
    )
  }
  const sectionsAreSame = async (number: number, oracle: Oracle) => {
    for (const [key, theirs] of Object.entries(oracle.sections)) {
      if (!(await sectionIsSame(number, key, theirs))) return false
    }
    return true
  }

  const wrong: string[] = []
  for (const [at, file] of files.entries()) {
    const known = oracles
      .map(oracle => oracle.get(file))
      .filter(oracle => oracle !== undefined && oracle.error === undefined) as Oracle[]
    assert.ok(known.length > 0, file)
    if (!known.some(({ size }) => size === Number(sizes[at]))) wrong.push(`${file} size`)
    if (!known.some(({ envelope }) => isSame(envelopes[at], envelope))) wrong.push(`${file} envelope`)
    if (!known.some(({ bodystructure }) => isSame(structures[at], bodystructure)))
      wrong.push(`${file} bodystructure`)
    let areSame = false
    for (const oracle of known) areSame ||= await sectionsAreSame(at + 1, oracle)
    if (!areSame) wrong.push(`${file} sections`)
  }
  // On the wire NUL is 0x80, as Dovecot stores it: no exception is left.
  assert.deepEqual(wrong, [])
})
