import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../../src/base/limits.ts'
import { fill, openInbox, type Stored } from '../fetch/mailbox.ts'
import { startImap } from '../harness.ts'

const day = 86_400_000

function mail(headers: readonly string[], more: Partial<Stored> = {}, body = 'Hello.\r\n'): Stored {
  return { bytes: Buffer.from(`${headers.join('\r\n')}\r\n\r\n${body}`), ...more }
}

function sorted(lines: readonly string[]): string {
  return lines.find(line => line.startsWith('* SORT')) ?? lines.join('|')
}

test('SORT needs a selected mailbox, criteria, a charset and keys (RFC 5256 §5)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  assert.equal((await imap.command('SORT (DATE) UTF-8 ALL')).status, 'BAD')
  await imap.ok('SELECT INBOX')
  for (const bad of [
    'SORT',
    'SORT DATE UTF-8 ALL',
    'SORT () UTF-8 ALL',
    'SORT (NOPE) UTF-8 ALL',
    'SORT (REVERSE) UTF-8 ALL',
    'SORT (REVERSE REVERSE DATE) UTF-8 ALL',
    'SORT (DATE,SIZE) UTF-8 ALL',
    'SORT (DATE) ALL',
    'SORT (DATE) UTF-8',
    'SORT (DATE)',
    'SORT (DATE UTF-8 ALL',
    'SORT (DATE) UTF-8 NOPE',
    'SORT RETURN (DATE) UTF-8 ALL',
    'SORT RETURN (NOPE) (DATE) UTF-8 ALL',
    'UID SORT (DATE) UTF-8 ALL)',
    `SORT (${new Array(limits.imap.sortCriteria + 1).fill('DATE').join(' ')}) UTF-8 ALL`,
  ]) {
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
    await imap.ok('NOOP')
  }
  await imap.ok(`SORT (${new Array(limits.imap.sortCriteria).fill('DATE').join(' ')}) UTF-8 ALL`)
  const answer = await imap.command('SORT (DATE) X-NOBODY-KNOWS SUBJECT x')
  assert.match(answer.tagged, /^NO \[BADCHARSET \(/)
})

test('an empty result and an empty mailbox are an empty SORT', async t => {
  const { imap } = await openInbox(t, [])
  assert.deepEqual(await imap.ok('SORT (SUBJECT) US-ASCII TEXT "not in mailbox"'), ['* SORT'])
  const one = await openInbox(t, [mail(['Subject: a'])])
  assert.deepEqual(await one.imap.ok('SORT (SUBJECT) US-ASCII TEXT "not in mailbox"'), ['* SORT'])
})

test('each criterion sorts by its own value, ties in mailbox order (RFC 5256 §3)', async t => {
  const { imap } = await openInbox(t, [
    mail(
      [
        'From: Zoe <beta@x.test>',
        'To: one@x.test',
        'Cc: Team: c@x.test;',
        'Subject: Re: pears',
        'Date: Sun, 31 Dec 2000 16:01:33 -0800',
      ],
      { receivedAt: 3 * day },
    ),
    mail(
      [
        'From: ALPHA@x.test',
        'To: "Ärger" <two@x.test>',
        'Cc: b@x.test',
        'Subject: APPLES (fwd)',
        'Date: Mon, 1 Jan 2001 00:01:32 +0000',
      ],
      { receivedAt: 1 * day },
      'a longer body\r\n',
    ),
    mail(['From: =?utf-8?q?=C3=A9mile?= <gamma@x.test>', 'Subject: [list] apples'], {
      receivedAt: Date.UTC(2002, 0, 1),
    }),
    mail(['Subject: pears', 'Date: nonsense'], { receivedAt: 2 * day }),
  ])
  const expected: Record<string, string> = {
    ARRIVAL: '2 4 1 3',
    'REVERSE ARRIVAL': '3 1 4 2',
    // The first is a second after the second; those without a date go by INTERNALDATE (RFC 5256 §2.2).
    DATE: '4 2 1 3',
    'REVERSE DATE': '3 1 2 4',
    FROM: '4 2 1 3',
    TO: '3 4 1 2',
    CC: '3 4 2 1',
    SIZE: '4 3 1 2',
    // The empty string comes first; base subjects are equal whatever their case.
    SUBJECT: '2 3 1 4',
    'REVERSE SUBJECT': '1 4 2 3',
    'SUBJECT DATE': '2 3 4 1',
    'SUBJECT REVERSE DATE': '3 2 1 4',
    // The name, else the address (RFC 5957 §3): "", ALPHA@…, émile, Zoe.
    DISPLAYFROM: '4 2 3 1',
    'REVERSE DISPLAYFROM': '1 3 2 4',
    DISPLAYTO: '3 4 2 1',
  }
  for (const [criteria, order] of Object.entries(expected))
    assert.equal(sorted(await imap.ok(`SORT (${criteria}) UTF-8 ALL`)), `* SORT ${order}`, criteria)
  assert.equal(sorted(await imap.ok('sort (reverse arrival) "us-ascii" 1:3')), '* SORT 3 1 2')
})

test('SORT gives numbers and UID SORT UIDs, of the messages that match (RFC 5256 §3)', async t => {
  const { imap } = await openInbox(
    t,
    ['Subject: d', 'Subject: c', 'Subject: b', 'Subject: a'].map(one => `${one}\r\n\r\n`),
  )
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  assert.deepEqual(await imap.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 3 2 1'])
  assert.deepEqual(await imap.ok('UID SORT (SUBJECT) UTF-8 ALL'), ['* SORT 4 3 2'])
  assert.deepEqual(await imap.ok('UID SORT (SUBJECT) UTF-8 1:2'), ['* SORT 3 2'])
  await imap.ok('ENABLE IMAP4rev2')
  assert.deepEqual(await imap.ok('UID SORT (SUBJECT) UTF-8 1:2'), ['* SORT 3 2'])
})

test('SORT RETURN answers with ESEARCH in the order of the sort, ranges only where they ascend (RFC 5267 §3)', async t => {
  const { imap } = await openInbox(
    t,
    ['c', 'd', 'e', 'b', 'a'].map(one => `Subject: ${one}\r\n\r\n`),
  )
  const ask = async (text: string) =>
    (await imap.ok(text)).map(line => line.replace(/\(TAG "[^"]*"\)/, '(TAG)'))
  assert.deepEqual(await ask('SORT RETURN () (SUBJECT) UTF-8 ALL'), ['* ESEARCH (TAG) ALL 5,4,1:3'])
  assert.deepEqual(await ask('UID SORT RETURN (ALL) (REVERSE SUBJECT) UTF-8 ALL'), [
    '* ESEARCH (TAG) UID ALL 3,2,1,4:5',
  ])
  assert.deepEqual(await ask('SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL'), [
    '* ESEARCH (TAG) MIN 5 MAX 3 COUNT 5',
  ])
  assert.deepEqual(await ask('SORT RETURN (MIN MAX COUNT ALL) (SUBJECT) UTF-8 SUBJECT nothing'), [
    '* ESEARCH (TAG) COUNT 0',
  ])
})

test('SORT RETURN (SAVE) saves a set for $ (RFC 5182; RFC 5267 §3)', async t => {
  const { imap } = await openInbox(
    t,
    ['c', 'b', 'a'].map(one => `Subject: ${one}\r\n\r\n`),
  )
  assert.deepEqual(await imap.ok('SORT RETURN (SAVE) (SUBJECT) UTF-8 2:3'), [])
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH 2 3'])
  assert.deepEqual(
    (await imap.ok('UID SORT RETURN (SAVE MIN) (SUBJECT) UTF-8 ALL')).map(line => line.slice(-9)),
    ['UID MIN 3'],
  )
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH 3'])
  assert.equal((await imap.command('SORT RETURN (SAVE) (SUBJECT) X-NOBODY ALL')).status, 'NO')
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH'])
})

test('SORT with MODSEQ tells the highest modSeq of its result (RFC 7162 §3.1.6)', async t => {
  const { imap } = await openInbox(
    t,
    ['b', 'a'].map(one => `Subject: ${one}\r\n\r\n`),
  )
  assert.match(sorted(await imap.ok('SORT (SUBJECT) UTF-8 MODSEQ 1')), /^\* SORT 2 1 \(MODSEQ \d+\)$/)
  assert.equal(sorted(await imap.ok('SORT (SUBJECT) UTF-8 MODSEQ 100000')), '* SORT')
})

test('EXPUNGE waits while SORT speaks of numbers and comes with UID SORT (RFC 5256 §3)', async t => {
  const { imap, client } = await openInbox(
    t,
    ['c', 'b', 'a'].map(one => `Subject: ${one}\r\n\r\n`),
  )
  const other = await client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  // What is gone is not found, and the numbers are those the client knows.
  assert.deepEqual(await imap.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 3 1'])
  assert.deepEqual(await imap.ok('UID SORT (SUBJECT) UTF-8 ALL'), ['* SORT 3 1', '* 2 EXPUNGE'])
  assert.deepEqual(await imap.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 2 1'])
})

// The model: a stable sort by naive keys.

interface Known {
  readonly subject: string
  readonly from: string
  readonly sent: number | undefined
  readonly received: number
  readonly body: string
}

/** i;unicode-casemap as RFC 5051 has it, compared by the octets of UTF-8. */
function naiveKey(text: string): Buffer {
  return Buffer.from(Array.from(text.normalize('NFKD'), char => char.toUpperCase()).join(''))
}

// UTF-16 orders the characters beyond the first plane before U+E123, code points after it.
const letters = fc.constantFrom(...Array.from('aAbBzZéÉяЖ日\u{ff01}\u{e123}\u{1f600}\u{10400}'))
const word = fc.string({ unit: letters, maxLength: 3 })
const known: fc.Arbitrary<Known> = fc.record({
  subject: word,
  from: fc.constantFrom('a', 'B', 'b', 'c.d'),
  sent: fc.option(
    fc.integer({ min: 0, max: 5 }).map(days => days * day),
    { nil: undefined },
  ),
  received: fc.integer({ min: 0, max: 5 }).map(days => days * day),
  body: fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 }),
})

const naive: Record<string, (one: Known & { size: number }) => number | Buffer> = {
  ARRIVAL: one => one.received,
  DATE: one => one.sent ?? one.received,
  FROM: one => naiveKey(one.from),
  SIZE: one => one.size,
  SUBJECT: one => naiveKey(one.subject),
  CC: () => 0,
}

function compare(a: number | Buffer, b: number | Buffer): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(a as Buffer, b as Buffer)
}

test('SORT is a stable sort by naive keys (property)', async t => {
  const criterion = fc.record({ name: fc.constantFrom(...Object.keys(naive)), isReverse: fc.boolean() })
  const { imap, store, account } = await openInbox(t, [])
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(known, { maxLength: 40 }),
      fc.array(fc.array(criterion, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 3 }),
      async (messages, sorts) => {
        const name = `box${++run}`
        await imap.ok(`CREATE ${name}`)
        const stored = messages.map(one =>
          mail(
            [
              `Subject: =?utf-8?B?${Buffer.from(one.subject).toString('base64')}?=`,
              `From: ${one.from}@x.test`,
              ...(one.sent === undefined
                ? []
                : [`Date: ${new Date(one.sent).toUTCString().replace('GMT', '+0000')}`]),
            ],
            { receivedAt: one.received },
            one.body,
          ),
        )
        if (stored.length > 0) await fill(store, account, stored, name)
        await imap.ok(`SELECT ${name}`)
        const full = messages.map((one, at) => ({
          ...one,
          size: stored[at]?.bytes.length ?? 0,
          number: at + 1,
        }))
        for (const sort of sorts) {
          const text = sort.map(({ name, isReverse }) => `${isReverse ? 'REVERSE ' : ''}${name}`).join(' ')
          const order = full.toSorted((a, b) => {
            for (const { name, isReverse } of sort) {
              const difference = compare(naive[name]?.(a) ?? 0, naive[name]?.(b) ?? 0)
              if (difference !== 0) return isReverse ? -difference : difference
            }
            return 0
          })
          assert.deepEqual(
            await imap.ok(`SORT (${text}) UTF-8 ALL`),
            [['* SORT', ...order.map(({ number }) => number)].join(' ')],
            text,
          )
        }
      },
    ),
    { numRuns: 30 },
  )
})
