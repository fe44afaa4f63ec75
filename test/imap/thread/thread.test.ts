import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { threadByReferences } from '../../../src/imap/thread/by-references.ts'
import { Children, flatten, type Forest, writeForest } from '../../../src/imap/thread/forest.ts'
import { LinkCutForest } from '../../../src/imap/thread/link-cut.ts'
import { ReferenceLinks } from '../../../src/imap/thread/reference-links.ts'
import { fill, openInbox, type Stored } from '../fetch/mailbox.ts'
import { startImap } from '../harness.ts'
import { type NaiveMessage, naiveThread } from './naive-thread.ts'

const day = 86_400_000
const never = () => undefined

interface Mail {
  readonly subject?: string
  readonly id?: string
  readonly references?: string
  readonly inReplyTo?: string
  /** Day of January 2026. */
  readonly sent?: number
  readonly received?: number
}

function mail({ subject, id, references, inReplyTo, sent, received }: Mail): Stored {
  const fields = [
    subject !== undefined && `Subject: ${subject}`,
    id !== undefined && `Message-ID: <${id}>`,
    references !== undefined && `References: ${references}`,
    inReplyTo !== undefined && `In-Reply-To: ${inReplyTo}`,
    sent !== undefined && `Date: ${sent} Jan 2026 10:00:00 +0000`,
  ].filter(field => field !== false)
  return {
    bytes: Buffer.from(`${fields.join('\r\n')}\r\n\r\nHello.\r\n`),
    receivedAt: Date.UTC(2026, 0, 1) + (received ?? 1) * day,
  }
}

test('THREAD needs a selected mailbox, an algorithm, a charset and keys (RFC 5256 §5)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  assert.equal((await imap.command('THREAD REFERENCES UTF-8 ALL')).status, 'BAD')
  await imap.ok('SELECT INBOX')
  for (const bad of [
    'THREAD',
    'THREAD NOPE UTF-8 ALL',
    'THREAD (REFERENCES) UTF-8 ALL',
    'THREAD REFERENCES ALL',
    'THREAD REFERENCES UTF-8',
    'THREAD REFERENCES UTF-8 NOPE',
    'THREAD RETURN () REFERENCES UTF-8 ALL',
    'UID THREAD REFS UTF-8 ALL)',
  ]) {
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
    await imap.ok('NOOP')
  }
  assert.match((await imap.command('THREAD REFS X-NOBODY-KNOWS ALL')).tagged, /^NO \[BADCHARSET \(/)
  for (const algorithm of ['ORDEREDSUBJECT', 'references', 'REFS'])
    assert.deepEqual(await imap.ok(`THREAD ${algorithm} US-ASCII TEXT "gewp"`), ['* THREAD'])
})

test('ORDEREDSUBJECT puts messages of one base subject under the first by date (RFC 5256 §3)', async t => {
  const { imap } = await openInbox(t, [
    mail({ subject: 'pears', sent: 9 }),
    mail({ subject: 'Re: apples', sent: 3 }),
    mail({ subject: 'APPLES', sent: 2 }),
    mail({ subject: 'plums', sent: 1 }),
    mail({ subject: '[list] apples (fwd)', sent: 5 }),
    mail({ subject: 'Fwd: pears', received: 20 }),
  ])
  assert.deepEqual(await imap.ok('THREAD ORDEREDSUBJECT UTF-8 ALL'), ['* THREAD (4)(3 (2)(5))(1 6)'])
  assert.deepEqual(await imap.ok('THREAD ORDEREDSUBJECT UTF-8 2:6'), ['* THREAD (4)(3 (2)(5))(6)'])
})

test('REFERENCES follows References, else the first id of In-Reply-To, whatever the quoting (RFC 5256 §3)', async t => {
  const { imap } = await openInbox(t, [
    mail({ id: '"a"@x', sent: 1 }),
    mail({ id: 'b@x', inReplyTo: '<a@x> <z@x>', sent: 2 }),
    mail({ id: 'c@x', references: 'garbage', inReplyTo: '<b@x>', sent: 3 }),
    mail({ id: 'd@x', references: '<a@x> <b@x>', inReplyTo: '<a@x>', sent: 4 }),
    mail({ id: 'A@X', sent: 5 }),
  ])
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 ALL'), ['* THREAD (1 2 (3)(4))(5)'])
  // A parent that the search did not find holds its children together (RFC 5256 §4).
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 3:5'), ['* THREAD ((3)(4))(5)'])
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 1,4:5'), ['* THREAD (1 4)(5)'])
})

test('of several messages with one id only the first has it, and loops are not closed (RFC 5256 §3, step 1)', async t => {
  const { imap } = await openInbox(t, [
    mail({ id: 'a@x', references: '<b@x>', sent: 1 }),
    mail({ id: 'b@x', references: '<a@x>', sent: 2 }),
    mail({ id: 'a@x', sent: 3 }),
    mail({ id: 'c@x', references: '<c@x>', sent: 4 }),
    mail({ id: 'd@x', references: '<a@x>', sent: 5 }),
  ])
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 ALL'), ['* THREAD (2 1 5)(3)(4)'])
})

test('REFERENCES gathers by subject what no reference ties; REFS does not (RFC 5256 §3, step 5)', async t => {
  const { imap } = await openInbox(t, [
    mail({ subject: 'Re: apples', sent: 1, received: 9 }),
    mail({ subject: 'apples', sent: 2, received: 8 }),
    mail({ subject: 'pears', sent: 3, received: 7 }),
    mail({ subject: 'PEARS', sent: 4, received: 6 }),
    mail({ sent: 5, received: 5 }),
    mail({ sent: 6, received: 4 }),
  ])
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 ALL'), ['* THREAD (2 1)((3)(4))(5)(6)'])
  assert.deepEqual(await imap.ok('THREAD REFS UTF-8 ALL'), ['* THREAD (6)(5)(4)(3)(2)(1)'])
})

test('THREAD gives numbers and UID THREAD UIDs; EXPUNGE waits for the first only (RFC 5256 §3)', async t => {
  const { imap, client } = await openInbox(t, [
    mail({ id: 'a@x' }),
    mail({ id: 'b@x' }),
    mail({ id: 'c@x', references: '<b@x>' }),
  ])
  const other = await client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.deepEqual(await imap.ok('THREAD REFS UTF-8 ALL'), ['* THREAD (2 3)'])
  assert.deepEqual(await imap.ok('UID THREAD REFS UTF-8 ALL'), ['* THREAD (2 3)', '* 1 EXPUNGE'])
  assert.deepEqual(await imap.ok('THREAD REFS UTF-8 ALL'), ['* THREAD (1 2)'])
  assert.deepEqual(await imap.ok('UID THREAD REFS UTF-8 ALL'), ['* THREAD (2 3)'])
})

test('messages that were moved here out of order are threaded in mailbox order', async t => {
  const { imap } = await openInbox(t, [
    mail({ id: 'a@x', references: '<b@x>', sent: 1 }),
    mail({ id: 'b@x', references: '<a@x>', sent: 2 }),
  ])
  await imap.ok('CREATE other')
  await imap.ok('COPY 2 other')
  await imap.ok('COPY 1 other')
  await imap.ok('COPY 1 other')
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 ALL'), ['* THREAD (2 1)'])
  await imap.ok('SELECT other')
  assert.deepEqual(await imap.ok('THREAD REFERENCES UTF-8 ALL'), ['* THREAD (2 1 3)'])
})

// The wire form

async function written(forest: Forest, ids: readonly number[]): Promise<string> {
  const parts: string[] = []
  const out = {
    byte: (value: number) => parts.push(String.fromCharCode(value)),
    number: (value: number) => parts.push(String(value)),
  }
  const flat = await flatten(forest, never)
  await writeForest(out as unknown as Parameters<typeof writeForest>[0], flat, ids, never)
  return parts.join('')
}

/** In the order of their dates. */
const byDate =
  '166 167 168 169 172 170 171 173 174 175 176 178 181 180 179 177 183 182 188 184 185 186 187 189 190 191 192 193 194 195 196 197 198 199 200 202 201 203 204 205 206 207 208'
    .split(' ')
    .map(Number)

/** Those of one subject, and who refers to whom; 0 is a message that is not there. */
const subjects = [
  '174 175 176 178 181 180',
  '177 183 182 188 184 185 186 187 189',
  '194 195',
  '196 197 198',
  '200 202',
  '206 207',
]
const parents = new Map([
  [170, 0],
  [179, 0],
  [184, 188],
  [189, 188],
  [186, 185],
  [196, 195],
  [198, 197],
  [202, 200],
  [206, 205],
  [207, 206],
])

test('the long examples of ORDEREDSUBJECT and REFERENCES are answered as RFC 5256 §3 has them', async t => {
  const stored: Stored[] = []
  for (let number = 1; number <= 208; number++) {
    const parent = parents.get(number)
    const { bytes } = mail({
      subject:
        subjects.find(all => all.split(' ').includes(String(number)))?.replaceAll(' ', '') ??
        `Subject ${number}`,
      id: `${number}@example.test`,
      ...(parent !== undefined && { references: `<${parent}@example.test>` }),
      sent: 1,
    })
    const at = Date.UTC(2000, 2, 5) + byDate.indexOf(number) * 60_000
    const date = new Date(at).toUTCString().replace('GMT', '+0000')
    stored.push({
      bytes: Buffer.from(bytes.toString().replace(/Date: .*/, `Date: ${date}`)),
      // The first 165 came before.
      receivedAt: number <= 165 ? Date.UTC(2000, 2, 4) : Date.UTC(2000, 2, 5) + number * 60_000,
    })
  }
  const { imap: client } = await openInbox(t, stored)
  assert.deepEqual(await client.ok('THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000'), [
    '* THREAD (166)(167)(168)(169)(172)(170)(171)(173)(174 (175)(176)(178)(181)(180))(179)(177 (183)(182)(188)(184)(185)(186)(187)(189))(190)(191)(192)(193)(194 195)(196 (197)(198))(199)(200 202)(201)(203)(204)(205)(206 207)(208)',
  ])
  assert.deepEqual(await client.ok('THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"'), ['* THREAD'])
  assert.deepEqual(await client.ok('THREAD REFERENCES UTF-8 SINCE 5-MAR-2000'), [
    '* THREAD (166)(167)(168)(169)(172)((170)(179))(171)(173)((174)(175)(176)(178)(181)(180))((177)(183)(182)(188 (184)(189))(185 186)(187))(190)(191)(192)(193)((194)(195 196))(197 198)(199)(200 202)(201)(203)(204)(205 206 207)(208)',
  ])
})

function forestOf(
  messageCount: number,
  roots: readonly number[],
  below: readonly (readonly [node: number, children: readonly number[]])[],
): Forest {
  const children = new Children(10)
  for (const [node, list] of below) for (const child of list.toReversed()) children.addFirst(node, child)
  return { messageCount, roots: Uint32Array.from(roots), children }
}

test('threads are written as in the examples of RFC 5256 §4', async () => {
  const ids = [2, 3, 6, 4, 23, 44, 7, 96]
  const below = [
    [1, [2]],
    [2, [3, 5]],
    [3, [4]],
    [5, [6]],
    [6, [7]],
  ] as const
  assert.equal(await written(forestOf(8, [0, 1], below), ids), '(2)(3 6 (4 23)(44 7 96))')
  assert.equal(await written(forestOf(2, [2], [[2, [0, 1]]]), [3, 5]), '((3)(5))')
})

// Against the RFC's steps

const messageId = fc.constantFrom('', 'a@x', 'b@x', 'c@x', 'd@x', 'e@x', 'f@x', 'g@x', 'h@x')
const someMessage = fc.record({
  id: messageId,
  references: fc.array(
    messageId.filter(id => id !== ''),
    { maxLength: 5 },
  ),
  subject: fc.constantFrom('', 'apples', 'pears', 'plums'),
  isReply: fc.boolean(),
  sent: fc.integer({ min: 1, max: 6 }),
  received: fc.integer({ min: 1, max: 6 }),
})

test('REFERENCES and REFS are what the steps of RFC 5256 make of the same messages (property)', async t => {
  const { imap, store, account } = await openInbox(t, [])
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(someMessage, { maxLength: 14 }), async some => {
      const name = `box${++run}`
      await imap.ok(`CREATE ${name}`)
      const messages: NaiveMessage[] = some.map((one, at) => ({
        ...one,
        number: at + 1,
        isReply: one.isReply && one.subject !== '',
      }))
      const stored = messages.map(({ id, references, subject, isReply, sent, received }) =>
        mail({
          ...(id !== '' && { id }),
          ...(references.length > 0 && { references: references.map(one => `<${one}>`).join(' ') }),
          ...(subject !== '' && { subject: isReply ? `Re: ${subject}` : subject }),
          sent,
          received,
        }),
      )
      if (stored.length > 0) await fill(store, account, stored, name)
      await imap.ok(`SELECT ${name}`)
      for (const algorithm of ['REFERENCES', 'REFS'] as const) {
        const expected = naiveThread(messages, algorithm)
        assert.deepEqual(await imap.ok(`THREAD ${algorithm} UTF-8 ALL`), [`* THREAD ${expected}`.trimEnd()])
      }
    }),
    { numRuns: 150 },
  )
})

test('a link-cut forest knows the roots of a naive one (property)', () => {
  const step = fc.tuple(fc.constantFrom('link', 'cut'), fc.nat(11), fc.nat(11))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const forest = new LinkCutForest()
      forest.reserve(12)
      const parents = new Array<number>(12).fill(-1)
      const rootOf = (node: number): number => (parents[node] === -1 ? node : rootOf(parents[node] as number))
      for (const [kind, node, other] of steps) {
        if (kind === 'cut') {
          forest.cut(node)
          parents[node] = -1
        } else if (parents[node] === -1 && rootOf(other) !== node) {
          forest.link(node, other)
          parents[node] = other
        }
        for (let at = 0; at < 12; at++) assert.equal(forest.rootOf(at), rootOf(at))
      }
    }),
  )
})

// Hostile mail

function plain(count: number) {
  const numbers = Uint32Array.from({ length: count }, (_unused, at) => at)
  return {
    ranks: numbers,
    subjects: new Uint32Array(count),
    subjectCount: 1,
    isReply: new Uint8Array(count),
    received: Float64Array.from(numbers),
  }
}

async function threadOf(references: readonly (readonly string[])[]): Promise<string> {
  const links = new ReferenceLinks(references.length)
  for (const at of references.keys()) {
    const id = Buffer.from(`${at}@x`)
    links.name(at, id, 0, id.length)
  }
  for (const [at, list] of references.entries()) {
    const bytes = Buffer.from(list.join(' '))
    assert.equal(links.add(at, bytes, 0, bytes.length), list.length)
  }
  const forest = await threadByReferences(links, plain(references.length), never)
  return written(
    forest,
    references.map((_unused, at) => at + 1),
  )
}

const many = 100_000

test('a thread may be 100,000 messages deep, in whatever order they came', async () => {
  const numbers = Array.from({ length: many }, (_unused, at) => at)
  const down = await threadOf(numbers.map(at => (at === 0 ? [] : [`${at - 1}@x`])))
  assert.equal(down, `(${numbers.map(at => at + 1).join(' ')})`)
  const up = await threadOf(numbers.map(at => (at === many - 1 ? [] : [`${at + 1}@x`])))
  assert.equal(up, `(${numbers.map(at => many - at).join(' ')})`)
  // Each level has a second child.
  const ladder = await threadOf(numbers.map(at => (at < 2 ? [] : [`${(at % 2 === 0 ? at : at - 1) - 2}@x`])))
  assert.equal(ladder.split('(').length, ladder.split(')').length)
})

test('hostile references close no loop and cost no time', async () => {
  const numbers = Array.from({ length: many }, (_unused, at) => at)
  // A deep chain, then each of the rest is moved from its place below the chain's end to another, and asks for loops on the way.
  const half = many / 2
  const chain = numbers.slice(0, half).map(at => (at === 0 ? [] : [`${at - 1}@x`]))
  const moved = numbers
    .slice(half)
    .map(at => [
      `${half - 1}@x`,
      `${Math.min(at + 1, many - 1)}@x`,
      '0@x',
      `${half - 2}@x`,
      '0@x',
      `${half - 1}@x`,
    ])
  const text = await threadOf([...chain, ...moved])
  assert.equal(text.match(/\d+/g)?.length, many)
  const ring = await threadOf(numbers.map(at => [`${(at + 1) % many}@x`]))
  assert.equal(ring.match(/\d+/g)?.length, many)
})
