import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fill, openInbox, type Stored } from '../fetch/mailbox.ts'
import { message, startImap } from '../harness.ts'

const mail = (subject: string, body = 'Nothing.\r\n'): Stored => ({
  bytes: Buffer.from(message(subject, body)),
})

test('FUZZY finds words in any order, with slips and other endings (RFC 6203 §3)', async t => {
  const { imap } = await openInbox(t, [
    mail('IMAP break'),
    mail('a break in IMAP'),
    mail('IMAP breaks'),
    mail('IMPA braek'),
    mail('IMAP only'),
    mail('broken POP3'),
  ])
  assert.deepEqual(await imap.ok('SEARCH FUZZY (SUBJECT "IMAP break")'), ['* SEARCH 1 2 3 4'])
  assert.deepEqual(await imap.ok('SEARCH SUBJECT "IMAP break"'), ['* SEARCH 1 3'])
  // The key beside it is not fuzzy.
  assert.deepEqual(await imap.ok('SEARCH FUZZY SUBJECT break SUBJECT IMAP'), ['* SEARCH 1 2 3'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY NOT SUBJECT break'), ['* SEARCH 5 6'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY OR SUBJECT pop SUBJECT only'), ['* SEARCH 5 6'])
})

test('FUZZY leaves other keys, and texts without words, exact (RFC 6203 §5)', async t => {
  const { imap } = await openInbox(t, [mail('one'), mail('two --'), mail('three')])
  assert.deepEqual(await imap.ok('SEARCH FUZZY 2:3'), ['* SEARCH 2 3'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY UNSEEN'), ['* SEARCH 1 2 3'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY SUBJECT "--"'), ['* SEARCH 2'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY (LARGER 1 SUBJECT thre)'), ['* SEARCH 3'])
})

test('RELEVANCY tells how near each message comes, over the whole range (RFC 6203 §4)', async t => {
  const { imap } = await openInbox(t, [
    mail('x', 'help\r\n'),
    mail('x', 'world\r\n'),
    mail('x', 'helo\r\n'),
    mail('x', 'helos\r\n'),
  ])
  const [line] = await imap.ok('SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "Helo"')
  assert.match(line ?? '', /^\* ESEARCH \(TAG "\w+"\) ALL 1,3:4 RELEVANCY \(1 100 \d+\)$/)
  const [, middle = ''] = /RELEVANCY \(1 100 (\d+)\)/.exec(line ?? '') ?? []
  assert.ok(Number(middle) > 1 && Number(middle) < 100, middle)
  const [uid] = await imap.ok('UID SEARCH RETURN (RELEVANCY COUNT) FUZZY BODY "helo"')
  assert.match(uid ?? '', /^\* ESEARCH \(TAG "\w+"\) UID COUNT 3 RELEVANCY \(1 100 \d+\)$/)
  const [none] = await imap.ok('SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "zebra"')
  assert.match(none ?? '', /^\* ESEARCH \(TAG "\w+"\)$/)
  // Where nothing is told apart all are the most relevant.
  const [flags] = await imap.ok('SEARCH RETURN (RELEVANCY ALL) FUZZY UNSEEN')
  assert.match(flags ?? '', /ALL 1:4 RELEVANCY \(100 100 100 100\)$/)
})

test('SORT puts the most relevant first, and takes a part of them (RFC 6203 §6)', async t => {
  const { imap } = await openInbox(t, [
    mail('help'),
    mail('helo'),
    mail('other'),
    mail('helos'),
    mail('helo'),
  ])
  assert.deepEqual(await imap.ok('SORT (RELEVANCY) UTF-8 FUZZY SUBJECT "Helo"'), ['* SORT 2 5 4 1'])
  assert.deepEqual(await imap.ok('SORT (REVERSE RELEVANCY) UTF-8 FUZZY SUBJECT "Helo"'), ['* SORT 1 4 2 5'])
  assert.deepEqual(await imap.ok('UID SORT (RELEVANCY REVERSE ARRIVAL) UTF-8 FUZZY SUBJECT "Helo"'), [
    '* SORT 2 5 4 1',
  ])
  const [all] = await imap.ok('SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY SUBJECT "Helo"')
  assert.match(all ?? '', /ALL 2,5,4,1 RELEVANCY \(100 100 \d+ 1\)$/)
  const [part] = await imap.ok('SORT RETURN (PARTIAL 1:2 RELEVANCY) (RELEVANCY) UTF-8 FUZZY SUBJECT "Helo"')
  assert.match(part ?? '', /PARTIAL \(1:2 2,5\) RELEVANCY \(100 100\)$/)
})

test('RELEVANCY without a FUZZY is BAD, and an order by it is not kept up to date (RFC 6203 §4)', async t => {
  const { imap } = await openInbox(t, [mail('one')])
  for (const bad of [
    'SEARCH FUZZY',
    'SEARCH FUZZY FUZZY',
    'SEARCH RETURN (RELEVANCY) SUBJECT one',
    'SORT (RELEVANCY) UTF-8 SUBJECT one',
    'SORT RETURN (RELEVANCY) (ARRIVAL) UTF-8 ALL',
    'ESEARCH IN (personal) RETURN (RELEVANCY) SUBJECT one',
  ])
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
  const { untagged: lines } = await imap.command(
    'SORT RETURN (UPDATE ALL) (RELEVANCY) UTF-8 FUZZY SUBJECT one',
  )
  assert.ok(
    lines.some(line => line.startsWith('* NO [NOUPDATE "')),
    lines.join('|'),
  )
  const [found] = await imap.ok('ESEARCH IN (personal) RETURN (ALL RELEVANCY) FUZZY SUBJECT onne')
  assert.match(found ?? '', /MAILBOX "?INBOX"? UIDVALIDITY \d+\) UID ALL 1 RELEVANCY \(100\)$/)
})

test('a filter is matched leniently inside FUZZY (RFC 5466, RFC 6203)', async t => {
  const { imap } = await openInbox(t, [mail('railway'), mail('other')])
  await imap.ok('SETMETADATA "" (/private/filters/values/trains "SUBJECT rialway")')
  assert.deepEqual(await imap.ok('SEARCH FILTER trains'), ['* SEARCH'])
  assert.deepEqual(await imap.ok('SEARCH FUZZY FILTER trains'), ['* SEARCH 1'])
})

test('by the index FUZZY finds and scores as without', async t => {
  const words = [
    'railway',
    'rialway',
    'caf\u00e9',
    'cafe',
    'report',
    'reports',
    'help',
    'hello',
    '\u65e5\u672c',
    'x',
  ]
  const mails = Array.from({ length: 200 }, (_unused, at) =>
    mail(
      `${words[at % 10]} ${words[(at * 3 + 1) % 10]}`,
      `${words[(at * 7) % 10]} ${words[(at + 4) % 10]} ${at}\r\n`,
    ),
  )
  const queries = [
    'SUBJECT raillway',
    'BODY "helo report"',
    'TEXT cafe',
    'TEXT "\u65e5\u672c helo"',
    'HEADER X-No a',
  ]
  const commands = queries.flatMap(query => {
    const bytes = Buffer.from(query).toString('latin1')
    return [
      `UID SEARCH RETURN (ALL RELEVANCY) CHARSET UTF-8 FUZZY ${bytes}`,
      `UID SORT (RELEVANCY) UTF-8 FUZZY ${bytes}`,
    ]
  })
  const answers: string[][] = []
  for (const searchIndex of [false, true]) {
    const server = await startImap(t, {}, { searchIndex })
    await fill(server.store, server.account, mails)
    await server.store.maintain()
    const imap = await server.client()
    await imap.ok('ENABLE UTF8=ACCEPT').catch(() => [])
    await imap.ok('SELECT INBOX')
    const found: string[] = []
    for (const command of commands)
      found.push(
        ...(await imap.ok(command.replace('CHARSET UTF-8 ', ''))).map(line => line.replace(/TAG "\w+"/, '')),
      )
    answers.push(found)
  }
  assert.deepEqual(answers[1], answers[0])
  assert.ok(answers[0]?.some(line => line.length > 200))
})
