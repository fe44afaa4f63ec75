import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../../src/base/limits.ts'
import type { ImapClient } from '../client.ts'
import { openInbox } from '../fetch/mailbox.ts'
import { message } from '../harness.ts'

const subjects = (names: string) => Array.from(names, name => `Subject: ${name}\r\n\r\n`)

/** Sends a command with a tag of the test's own. */
async function tagged(imap: ImapClient, tag: string, text: string) {
  imap.send(`${tag} ${text}\r\n`)
  return imap.answer(tag)
}

test('UPDATE tells of messages that come to match or cease to, by flags (RFC 5267 §4.3)', async t => {
  const { imap, client } = await openInbox(t, subjects('abcdef'))
  const other = await client()
  await other.ok('SELECT INBOX')
  const first = await tagged(imap, 'B01', 'UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk')
  assert.deepEqual(first.untagged, ['* ESEARCH (TAG "B01") UID COUNT 0'])
  assert.equal(first.tagged, 'OK Searched, will notify')
  await other.ok('UID STORE 2:3 +FLAGS ($Junk)')
  assert.ok((await imap.ok('NOOP')).every(line => !line.startsWith('* ESEARCH')))
  await other.ok('UID STORE 2:3 +FLAGS (\\Deleted)')
  const news = await imap.ok('NOOP')
  assert.equal(news.at(-1), '* ESEARCH (TAG "B01") UID ADDTO (0 2:3)')
  assert.ok(news[0]?.startsWith('* 2 FETCH'))
  await other.ok('UID STORE 2 -FLAGS ($Junk)')
  assert.equal((await imap.ok('NOOP')).at(-1), '* ESEARCH (TAG "B01") UID REMOVEFROM (0 2)')
  // Changes of its own, silent ones too, move the result.
  assert.deepEqual(await imap.ok('UID STORE 3 -FLAGS.SILENT (\\Deleted)'), [
    '* ESEARCH (TAG "B01") UID REMOVEFROM (0 3)',
  ])
})

test('REMOVEFROM comes before EXPUNGE, and at once where EXPUNGE must wait (RFC 5267 §4.3.4)', async t => {
  const { imap, client } = await openInbox(t, subjects('abc'))
  const other = await client()
  await other.ok('SELECT INBOX')
  await tagged(imap, 'n', 'SEARCH RETURN (UPDATE) ALL')
  await tagged(imap, 'u', 'UID SEARCH RETURN (UPDATE) ALL')
  await other.ok('UID STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('NOOP')
  await other.ok('EXPUNGE')
  const held = await imap.command('FETCH 2 UID')
  assert.deepEqual(held.untagged, [
    '* 2 FETCH (UID 2)',
    '* ESEARCH (TAG "n") REMOVEFROM (0 1)',
    '* ESEARCH (TAG "u") UID REMOVEFROM (0 1)',
  ])
  assert.deepEqual(await imap.ok('NOOP'), ['* 1 EXPUNGE'])
  await other.ok('UID STORE 3 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.deepEqual(await imap.ok('NOOP'), [
    '* ESEARCH (TAG "n") REMOVEFROM (0 2)',
    '* ESEARCH (TAG "u") UID REMOVEFROM (0 3)',
    '* 2 EXPUNGE',
  ])
})

test('new mail comes with EXISTS first, while IDLE too; a sorted result tells places (RFC 5267 §4.3.3)', async t => {
  const { imap, client } = await openInbox(t, subjects('bdf'))
  const other = await client()
  await tagged(imap, 'n', 'SEARCH RETURN (UPDATE) SUBJECT e')
  const sorted = await tagged(imap, 's', 'UID SORT RETURN (UPDATE PARTIAL 1:1) (REVERSE SUBJECT) UTF-8 ALL')
  assert.deepEqual(sorted.untagged, ['* ESEARCH (TAG "s") UID PARTIAL (1:1 3)'])
  imap.send('i IDLE\r\n')
  assert.equal(await imap.line(), '+ idling')
  await other.append('INBOX', message('e'))
  const lines = [await imap.line(), await imap.line(), await imap.line(), await imap.line()]
  assert.deepEqual(lines, [
    '* 4 EXISTS',
    '* 4 RECENT',
    '* ESEARCH (TAG "n") ADDTO (0 4)',
    '* ESEARCH (TAG "s") UID ADDTO (2 4)',
  ])
  imap.send('DONE\r\n')
  await imap.answer('i')
  await other.ok('SELECT INBOX')
  await other.ok('UID STORE 1,4 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('NOOP')
  await other.ok('EXPUNGE')
  // f e d b without e and b.
  assert.deepEqual((await imap.ok('NOOP')).slice(0, 2), [
    '* ESEARCH (TAG "n") REMOVEFROM (0 4)',
    '* ESEARCH (TAG "s") UID REMOVEFROM (2 4 3 1)',
  ])
})

test('message numbers and $ in the keys mean what they did when the search was given (RFC 5267 §4.3)', async t => {
  const { imap } = await openInbox(t, subjects('abcd'))
  await imap.ok('SEARCH RETURN (SAVE) 3')
  await tagged(imap, 'n', 'UID SEARCH RETURN (UPDATE) OR 4 $ FLAGGED')
  await imap.ok('SEARCH RETURN (SAVE) 2')
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  assert.deepEqual(
    (await imap.ok('UID STORE 2:4 +FLAGS.SILENT (\\Flagged)')).filter(line => line.startsWith('* ESEARCH')),
    ['* ESEARCH (TAG "n") UID ADDTO (0 3:4)'],
  )
})

test('a tag that is in use is refused, and cancelled updates end (RFC 5267 §4.3, §4.3.5)', async t => {
  const { imap } = await openInbox(t, subjects('ab'))
  await tagged(imap, 'B01', 'UID SEARCH RETURN (UPDATE) FLAGGED')
  assert.equal(
    (await tagged(imap, 'B01', 'SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED')).tagged,
    'BAD Tag reuse',
  )
  assert.equal((await tagged(imap, 'B01', 'SEARCH RETURN (COUNT) FLAGGED')).status, 'OK')
  for (const bad of ['CANCELUPDATE', 'CANCELUPDATE B01', 'CANCELUPDATE "B01"x', 'CANCELUPDATE ("B01")'])
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
  assert.equal((await imap.command('CANCELUPDATE "nobody"')).status, 'NO')
  assert.equal((await imap.ok('UID STORE 1 +FLAGS.SILENT (\\Flagged)')).length, 1)
  await imap.ok('CANCELUPDATE "B01"')
  assert.deepEqual(await imap.ok('UID STORE 2 +FLAGS.SILENT (\\Flagged)'), [])
  assert.equal((await imap.command('CANCELUPDATE "B01"')).status, 'NO')
  await tagged(imap, 'B01', 'UID SEARCH RETURN (UPDATE) FLAGGED')
  await imap.ok('SELECT INBOX')
  assert.deepEqual(await imap.ok('UID STORE 2 -FLAGS.SILENT (\\Flagged)'), [])
  await imap.ok('UNSELECT')
  assert.equal((await imap.command('CANCELUPDATE "B01"')).status, 'BAD')
})

test('past the limit a search is answered and not kept up to date (RFC 5267 §4.3.1)', async t => {
  const { imap } = await openInbox(t, subjects('a'))
  for (let count = 0; count < limits.imap.contexts; count++)
    assert.equal(
      (await tagged(imap, `c${count}`, 'SEARCH RETURN (UPDATE) ALL')).tagged,
      'OK Searched, will notify',
    )
  assert.deepEqual(await tagged(imap, 'B02', 'UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL'), {
    untagged: ['* ESEARCH (TAG "B02") UID COUNT 1', '* NO [NOUPDATE "B02"] Too many contexts'],
    tagged: 'OK Searched, will not notify',
    status: 'OK',
  })
  await imap.ok('CANCELUPDATE "c0" "c1"')
  assert.equal((await tagged(imap, 'B02', 'SEARCH RETURN (UPDATE) ALL')).tagged, 'OK Searched, will notify')
})

test('CONTEXT is taken as a hint, and RETURN (CONTEXT COUNT) counts (RFC 5267 §4.2)', async t => {
  const { imap } = await openInbox(t, subjects('ab'))
  const { untagged } = await tagged(imap, 'A01', 'SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk')
  assert.deepEqual(untagged, ['* ESEARCH (TAG "A01") COUNT 2'])
})

// What a client makes of the updates

class Followed {
  results: number[] = []
  readonly isSorted: boolean

  constructor(isSorted: boolean) {
    this.isSorted = isSorted
  }

  /** `ADDTO (1 5:6 3 9) REMOVEFROM (…)` as RFC 5267 §4.3.3 and §4.3.4 tell. */
  apply(text: string): void {
    for (const [, verb, pairs] of text.matchAll(/(ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
      const words = (pairs as string).split(' ')
      for (let at = 0; at < words.length; at += 2)
        this.#change(verb === 'ADDTO', Number(words[at]), expand(words[at + 1] as string))
    }
  }

  #change(isAdding: boolean, place: number, ids: readonly number[]): void {
    assert.equal(place === 0, !this.isSorted)
    if (isAdding) this.results.splice(place === 0 ? this.results.length : place - 1, 0, ...ids)
    else if (place > 0) assert.deepEqual(this.results.splice(place - 1, ids.length), ids)
    else {
      for (const id of ids) assert.ok(this.results.includes(id))
      this.results = this.results.filter(id => !ids.includes(id))
    }
    if (place === 0) this.results.sort((a, b) => a - b)
  }

  /** EXPUNGE moves message numbers. */
  expunge(number: number): void {
    assert.ok(!this.results.includes(number))
    this.results = this.results.map(one => (one > number ? one - 1 : one))
  }
}

function expand(set: string): number[] {
  return set.split(',').flatMap(part => {
    const [first = 0, last = first] = part.split(':').map(Number)
    return Array.from({ length: last - first + 1 }, (_unused, at) => first + at)
  })
}

test('a client that follows the updates has what a new search would give (property)', async t => {
  const { imap, client } = await openInbox(t, [])
  const other = await client()
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), subject: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    fc.record({ kind: fc.constant('flag' as const), at: fc.nat(20), isOn: fc.boolean() }),
    fc.record({ kind: fc.constant('expunge' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('noop' as const) }),
    fc.record({ kind: fc.constant('held' as const) }),
  )
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const name = `box${++run}`
      await imap.ok(`CREATE ${name}`)
      for (const subject of 'caeb') await imap.append(name, message(subject))
      await imap.ok(`SELECT ${name}`)
      await other.ok(`SELECT ${name}`)
      const searches = [
        ['n', 'SEARCH', 'SEARCH RETURN (UPDATE ALL) UNFLAGGED', 'SEARCH RETURN (ALL) UNFLAGGED'],
        ['u', 'UID SEARCH', 'UID SEARCH RETURN (UPDATE ALL) FLAGGED', 'UID SEARCH RETURN (ALL) FLAGGED'],
        [
          's',
          'UID SORT',
          'UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 UNFLAGGED',
          'UID SORT RETURN (ALL) (REVERSE SUBJECT) UTF-8 UNFLAGGED',
        ],
        [
          'm',
          'SORT',
          'SORT RETURN (UPDATE ALL) (SUBJECT ARRIVAL) UTF-8 UNFLAGGED',
          'SORT RETURN (ALL) (SUBJECT ARRIVAL) UTF-8 UNFLAGGED',
        ],
      ] as const
      const followed = new Map<string, Followed>()
      const allOf = (lines: readonly string[]) => {
        const set = / ALL (\S+)/.exec(lines.find(line => line.startsWith('* ESEARCH')) ?? '')?.[1]
        return set === undefined ? [] : expand(set)
      }
      for (const [tag, verb, first] of searches) {
        const one = new Followed(verb.endsWith('SORT'))
        one.results = allOf((await tagged(imap, tag, first)).untagged)
        followed.set(tag, one)
      }
      const read = (lines: readonly string[]) => {
        for (const line of lines) {
          const update = /^\* ESEARCH \(TAG "(.)"\)(.*)$/.exec(line)
          if (update) followed.get(update[1] as string)?.apply(update[2] as string)
          const gone = /^\* (\d+) EXPUNGE$/.exec(line)
          if (gone) for (const tag of ['n', 'm']) followed.get(tag)?.expunge(Number(gone[1]))
        }
      }
      for (const one of steps) {
        if (one.kind === 'append') await other.append(name, message(one.subject))
        else if (one.kind === 'flag')
          await other.ok(`UID STORE ${one.at + 1} ${one.isOn ? '+' : '-'}FLAGS.SILENT (\\Flagged)`)
        else if (one.kind === 'expunge') {
          await other.ok(`UID STORE ${one.at + 1} +FLAGS.SILENT (\\Deleted)`)
          await other.ok('EXPUNGE')
        } else if (one.kind === 'noop') read(await imap.ok('NOOP'))
        else read((await imap.command('SEARCH KEYWORD nobody')).untagged)
      }
      read(await imap.ok('NOOP'))
      for (const [tag, , , again] of searches)
        assert.deepEqual(followed.get(tag)?.results, allOf(await imap.ok(again)), tag)
      for (const [tag] of searches) await imap.ok(`CANCELUPDATE "${tag}"`)
    }),
    { numRuns: 20 },
  )
})
