import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PartialRange, partOf } from '../../../src/imap/partial-range.ts'
import { openInbox } from '../fetch/mailbox.ts'

const subjects = (names: string) => Array.from(names, name => `Subject: ${name}\r\n\r\n`)

async function ask(
  imap: { ok(text: string): Promise<readonly string[]> },
  text: string,
): Promise<readonly string[]> {
  return (await imap.ok(text)).map(line => line.replace(/\(TAG "[^"]*"\)/, '(TAG)'))
}

test('SEARCH RETURN (PARTIAL) gives a page, from either end (RFC 9394 §3.1)', async t => {
  const { imap } = await openInbox(t, subjects('abcdefgh'))
  await imap.ok('UID STORE 3 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL -1:-3) UNDELETED UNKEYWORD $Junk'), [
    '* ESEARCH (TAG) UID PARTIAL (-1:-3 6:8)',
  ])
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL 6:9) UNDELETED'), [
    '* ESEARCH (TAG) UID PARTIAL (6:9 7:8)',
  ])
  assert.deepEqual(await ask(imap, 'SEARCH RETURN (PARTIAL 1:3) UNDELETED'), [
    '* ESEARCH (TAG) PARTIAL (1:3 1:3)',
  ])
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL 3:1) ALL'), [
    '* ESEARCH (TAG) UID PARTIAL (3:1 1:2,4)',
  ])
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL 8:9) ALL'), [
    '* ESEARCH (TAG) UID PARTIAL (8:9 NIL)',
  ])
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL -8:-9 COUNT) ALL'), [
    '* ESEARCH (TAG) UID COUNT 7 PARTIAL (-8:-9 NIL)',
  ])
  assert.deepEqual(await ask(imap, 'SEARCH RETURN (MIN PARTIAL 2:3 MAX) SUBJECT nothing'), [
    '* ESEARCH (TAG) PARTIAL (2:3 NIL)',
  ])
})

test('SORT RETURN (PARTIAL) counts places in the order of the sort (RFC 5267 §4.4)', async t => {
  const { imap } = await openInbox(t, subjects('dbac'))
  assert.deepEqual(await ask(imap, 'SORT RETURN (PARTIAL 1:3) (SUBJECT) UTF-8 ALL'), [
    '* ESEARCH (TAG) PARTIAL (1:3 3,2,4)',
  ])
  assert.deepEqual(await ask(imap, 'UID SORT RETURN (PARTIAL -1:-2) (SUBJECT) UTF-8 ALL'), [
    '* ESEARCH (TAG) UID PARTIAL (-1:-2 4,1)',
  ])
})

test('PARTIAL has two numbers of one sign, stands once and not beside ALL (RFC 9394 §3.1)', async t => {
  const { imap } = await openInbox(t, subjects('a'))
  for (const options of [
    'PARTIAL',
    'PARTIAL 1',
    'PARTIAL 1:*',
    'PARTIAL 0:1',
    'PARTIAL -1:1',
    'PARTIAL 1:-1',
    'PARTIAL -0:-1',
    'PARTIAL 1:4294967296',
    'PARTIAL 1:2 PARTIAL 3:4',
    'PARTIAL 1:2 ALL',
    'ALL PARTIAL 1:2',
  ]) {
    assert.equal((await imap.command(`UID SEARCH RETURN (${options}) ALL`)).status, 'BAD', options)
    assert.equal((await imap.command(`UID SORT RETURN (${options}) (DATE) UTF-8 ALL`)).status, 'BAD', options)
    await imap.ok('NOOP')
  }
  assert.equal((await imap.command('FETCH 1 FLAGS (PARTIAL 1:1)')).status, 'BAD')
  for (const modifiers of ['PARTIAL', 'PARTIAL 1', 'PARTIAL 1:1 PARTIAL 1:1', 'PARTIAL -1:1'])
    assert.equal((await imap.command(`UID FETCH 1 FLAGS (${modifiers})`)).status, 'BAD', modifiers)
})

test('$ holds the part, with MIN and MAX beside it, and all with COUNT (RFC 9394 §3.2, table 1)', async t => {
  const { imap } = await openInbox(t, subjects('abcdef'))
  const expected: Record<string, string> = {
    'SAVE PARTIAL 3:4': '3 4',
    'SAVE PARTIAL 3:4 MIN': '1 3 4',
    'SAVE PARTIAL -2:-3 MAX': '4 5 6',
    'SAVE PARTIAL 2:2 MIN MAX': '1 2 6',
    'SAVE PARTIAL 3:4 COUNT': '1 2 3 4 5 6',
    'SAVE PARTIAL 3:4 MIN COUNT': '1 2 3 4 5 6',
    'SAVE PARTIAL 9:10': '',
  }
  for (const [options, saved] of Object.entries(expected)) {
    const [line = ''] = await imap.ok(`SEARCH RETURN (${options}) ALL`)
    assert.match(line, / PARTIAL \(/)
    assert.deepEqual(await imap.ok('SEARCH $'), [`* SEARCH ${saved}`.trimEnd()], options)
  }
  await imap.ok('SORT RETURN (SAVE PARTIAL 1:2 MAX) (REVERSE SUBJECT) UTF-8 ALL')
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH 1 5 6'])
})

test('UID FETCH (PARTIAL) answers for a part of the set, and CHANGEDSINCE for what is left of it (RFC 9394 §3.3, §3.4)', async t => {
  const { imap } = await openInbox(t, subjects('abcdefgh'))
  await imap.ok('UID STORE 2 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  const uids = async (text: string) =>
    (await imap.ok(text)).map(line => /UID (\d+)/.exec(line)?.[1]).join(' ')
  assert.equal(await uids('UID FETCH 1:100 (UID FLAGS) (PARTIAL -1:-3)'), '6 7 8')
  assert.equal(await uids('UID FETCH 1:100 (UID FLAGS) (PARTIAL 1:3)'), '1 3 4')
  assert.equal(await uids('UID FETCH 4:6 FLAGS (PARTIAL 3:9)'), '6')
  assert.equal(await uids('UID FETCH 4:6 FLAGS (PARTIAL 4:9)'), '')
  const [status = ''] = await imap.ok('STATUS INBOX (HIGHESTMODSEQ)')
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(status)?.[1]
  await imap.ok('UID STORE 1,7 +FLAGS.SILENT (\\Flagged)')
  assert.equal(await uids(`UID FETCH 1:* FLAGS (PARTIAL -1:-3 CHANGEDSINCE ${modSeq})`), '7')
  assert.equal(await uids(`UID FETCH 1:* FLAGS (CHANGEDSINCE ${modSeq} PARTIAL -1:-3)`), '7')
  // Only what is shown becomes \Seen.
  await imap.ok('UID FETCH 1:* BODY[] (PARTIAL 2:2)')
  assert.deepEqual(await imap.ok('UID SEARCH SEEN'), ['* SEARCH 3'])
})

test('with MODSEQ a page tells the highest modSeq of what it shows (RFC 4731 §3.2)', async t => {
  const { imap } = await openInbox(t, subjects('abc'))
  await imap.ok('ENABLE CONDSTORE')
  await imap.ok('UID STORE 3 +FLAGS.SILENT (\\Flagged)')
  const modSeqOf = async (text: string) => Number(/ MODSEQ (\d+)$/.exec((await imap.ok(text))[0] ?? '')?.[1])
  const first = await modSeqOf('UID SEARCH RETURN (PARTIAL 1:2) MODSEQ 1')
  const all = await modSeqOf('UID SEARCH RETURN (PARTIAL 1:3) MODSEQ 1')
  assert.ok(first < all, `${first} ${all}`)
  assert.deepEqual(await ask(imap, 'UID SEARCH RETURN (PARTIAL 4:5) MODSEQ 1'), [
    '* ESEARCH (TAG) UID PARTIAL (4:5 NIL)',
  ])
})

test('a part is what counting from that end gives (property)', () => {
  const place = fc.integer({ min: 1, max: 15 })
  fc.assert(
    fc.property(fc.nat(10), place, place, fc.boolean(), (length, one, other, isFromEnd) => {
      const results = Uint32Array.from({ length }, (_unused, at) => at + 100)
      const range: PartialRange = {
        first: Math.min(one, other),
        last: Math.max(one, other),
        isFromEnd,
        text: '',
      }
      const expected = [...results].filter((_result, at) => {
        const counted = isFromEnd ? length - at : at + 1
        return counted >= range.first && counted <= range.last
      })
      assert.deepEqual([...partOf(results, range)], expected)
    }),
  )
})
