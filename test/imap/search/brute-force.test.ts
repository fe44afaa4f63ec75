import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { fill } from '../fetch/mailbox.ts'
import { startImap } from '../harness.ts'

// The model knows what each message was made of and never looks at the message's bytes. Letters are such that their case and their
// decomposition give no two ways of matching.

const alphabets = {
  'us-ascii': 'abQz ',
  'utf-8': 'abQz éÜяЖ日本ß',
  'iso-8859-1': 'abQz éÜß',
  'koi8-r': 'abQz яЖ',
  'windows-1251': 'abQz яЖ',
  shift_jis: 'abQz 日本',
  'iso-2022-jp': 'abQz 日本',
  'utf-16be': 'abQz яЖé',
} as const
type Charset = keyof typeof alphabets
const charsets = Object.keys(alphabets) as Charset[]

interface Text {
  readonly charset: Charset
  readonly encoding: 'base64' | 'quoted-printable' | '8bit'
  readonly text: string
}

interface Model {
  readonly subject: Text | undefined
  readonly from: Text
  readonly xTag: Text | undefined
  readonly parts: readonly Text[]
  readonly sent: { readonly local: number; readonly zone: number } | undefined
  readonly receivedAt: number
  readonly system: number
  readonly keywords: readonly string[]
}

interface Known extends Model {
  readonly number: number
  readonly uid: number
  readonly size: number
}

const day = 86_400_000
const firstDay = Date.UTC(2024, 1, 27)
const keywordNames = ['$Junk', 'work', 'later']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

// Making messages

const textIn = (charset: Charset, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from(alphabets[charset])), maxLength })
const someText = (maxLength: number, encodings: readonly Text['encoding'][]): fc.Arbitrary<Text> =>
  fc
    .constantFrom(...charsets)
    .chain(charset =>
      fc.record({
        charset: fc.constant(charset),
        encoding: fc.constantFrom(...encodings),
        text: textIn(charset, maxLength),
      }),
    )
    // Unencoded UTF-16 has line ends of its own; mail can't hold it.
    .map(one =>
      one.charset === 'utf-16be' && one.encoding !== 'base64' ? { ...one, encoding: 'base64' as const } : one,
    )
const headerText = someText(8, ['base64', 'quoted-printable'])

const models: fc.Arbitrary<Model> = fc.record({
  subject: fc.option(headerText, { nil: undefined }),
  from: headerText,
  xTag: fc.option(headerText, { nil: undefined }),
  parts: fc.array(someText(20, ['base64', 'quoted-printable', '8bit']), { minLength: 1, maxLength: 3 }),
  sent: fc.option(
    fc.record({
      local: fc.nat(4 * 1440).map(minutes => firstDay + minutes * 60_000),
      zone: fc.constantFrom(0, -720, 330, 840),
    }),
    { nil: undefined },
  ),
  receivedAt: fc.nat(4 * 86_400).map(seconds => firstDay + seconds * 1000),
  system: fc.nat(31),
  keywords: fc.subarray(keywordNames),
})

const encode = (text: string, charset: Charset) =>
  charset === 'iso-2022-jp' ? jis(text) : iconv.encode(text, charset)

/** ISO-2022-JP by way of EUC-JP, which iconv-lite knows. */
function jis(text: string): Buffer {
  const out: number[] = []
  for (const char of text) {
    const bytes = iconv.encode(char, 'euc-jp')
    if (bytes.length === 1) out.push(...bytes)
    else out.push(0x1b, 0x24, 0x42, ...bytes.map(byte => byte & 0x7f), 0x1b, 0x28, 0x42)
  }
  return Buffer.from(out)
}

const hex = (byte: number) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`

function word({ text, charset, encoding }: Text): string {
  const bytes = encode(text, charset)
  if (encoding === 'base64') return `=?${charset}?B?${bytes.toString('base64')}?=`
  return `=?${charset}?Q?${[...bytes].map(hex).join('')}?=`
}

function partBody({ text, charset, encoding }: Text): Buffer {
  const bytes = encode(text, charset)
  if (encoding === 'base64') return Buffer.from(bytes.toString('base64').replace(/(.{20})/g, '$1\r\n'))
  if (encoding === '8bit') return bytes
  return Buffer.from([...bytes].map((byte, at) => hex(byte) + (at % 10 === 9 ? '=\r\n' : '')).join(''))
}

function dateField({ local, zone }: NonNullable<Model['sent']>): string {
  const sign = zone < 0 ? '-' : '+'
  const two = (value: number) => String(value).padStart(2, '0')
  return `Date: ${new Date(local).toUTCString().replace('GMT', `${sign}${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`)}`
}

function bytesOf(model: Model): Buffer {
  const head = [
    `From: ${word(model.from)} <x@example.org>`,
    ...(model.subject ? [`Subject: ${word(model.subject)}`] : []),
    ...(model.xTag ? [`X-Tag: ${word(model.xTag)}`] : []),
    ...(model.sent ? [dateField(model.sent)] : []),
  ]
  const type = (part: Text) =>
    `Content-Type: text/plain; charset=${part.charset}\r\nContent-Transfer-Encoding: ${part.encoding}\r\n\r\n`
  const [only] = model.parts
  if (only && model.parts.length === 1)
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n${type(only)}`), partBody(only)])
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\nContent-Type: multipart/mixed; boundary="=-="\r\n\r\n`),
    ...model.parts.flatMap(part => [
      Buffer.from(`--=-=\r\n${type(part)}`),
      partBody(part),
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--=-=--\r\n'),
  ])
}

// Keys: what is sent, and what it means

interface Key {
  readonly text: string
  readonly matches: (message: Known, count: number) => boolean
}

const fold = (text: string) => text.toLowerCase()
const holds = (text: Text | undefined, needle: string) =>
  text !== undefined && fold(shown(text)).includes(fold(needle))
/** The value of a header field loses the spaces at its start only where they are not in an encoded word. */
const shown = ({ text }: Text) => text

function literal(needle: string): string {
  const bytes = Buffer.from(needle)
  return `{${bytes.length}+}\r\n${bytes.toString('latin1')}`
}

function dateText(ms: number): string {
  const date = new Date(ms)
  return `${date.getUTCDate()}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()}`
}

const flagKeys: readonly (readonly [name: string, bit: number])[] = [
  ['SEEN', 1],
  ['ANSWERED', 2],
  ['FLAGGED', 4],
  ['DELETED', 8],
  ['DRAFT', 16],
]
const needles = fc
  .constantFrom(...charsets)
  .chain(charset =>
    fc.string({ unit: fc.constantFrom(...Array.from(alphabets[charset])), minLength: 1, maxLength: 3 }),
  )
const days = fc.integer({ min: -1, max: 5 }).map(at => firstDay + at * day)
const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })), {
  minLength: 1,
  maxLength: 3,
})
const isIn = (list: readonly (readonly [number, number])[], value: number) =>
  list.some(([a, b]) => value >= Math.min(a, b) && value <= Math.max(a, b))

const dayOf = (ms: number) => Math.floor(ms / day) * day
const compare = {
  BEFORE: (a: number, b: number) => a < b,
  ON: (a: number, b: number) => a === b,
  SINCE: (a: number, b: number) => a >= b,
}
const relations = ['BEFORE', 'ON', 'SINCE'] as const

const leaves: fc.Arbitrary<Key> = fc.oneof(
  fc.constant<Key>({ text: 'ALL', matches: () => true }),
  fc.tuple(fc.constantFrom(...flagKeys), fc.boolean()).map(
    ([[name, bit], isSet]): Key => ({
      text: isSet ? name : `UN${name}`,
      matches: ({ system }) => ((system & bit) !== 0) === isSet,
    }),
  ),
  fc.tuple(fc.constantFrom(...keywordNames, 'none'), fc.boolean()).map(
    ([name, isSet]): Key => ({
      text: `${isSet ? 'KEYWORD' : 'UNKEYWORD'} ${name.toUpperCase()}`,
      matches: ({ keywords }) => keywords.includes(name) === isSet,
    }),
  ),
  fc.tuple(fc.constantFrom(...relations), days).map(
    ([relation, on]): Key => ({
      text: `${relation} ${dateText(on)}`,
      matches: ({ receivedAt }) => compare[relation](dayOf(receivedAt), on),
    }),
  ),
  fc.tuple(fc.constantFrom(...relations), days).map(
    ([relation, on]): Key => ({
      text: `SENT${relation} ${dateText(on)}`,
      matches: ({ sent }) => sent !== undefined && compare[relation](dayOf(sent.local), on),
    }),
  ),
  fc.tuple(fc.constantFrom('LARGER', 'SMALLER'), fc.integer({ min: 50, max: 500 })).map(
    ([name, bound]): Key => ({
      text: `${name} ${bound}`,
      matches: ({ size }) => (name === 'LARGER' ? size > bound : size < bound),
    }),
  ),
  ranges.map(
    (list): Key => ({
      text: list.map(([a, b]) => `${a}:${b}`).join(','),
      matches: ({ number }) => isIn(list, number),
    }),
  ),
  ranges.map(
    (list): Key => ({
      text: `UID ${list.map(([a, b]) => `${a}:${b}`).join(',')}`,
      matches: ({ uid }) => isIn(list, uid),
    }),
  ),
  fc.constant<Key>({ text: '*', matches: ({ number }, count) => number === count }),
  needles.map(
    (needle): Key => ({
      text: `SUBJECT ${literal(needle)}`,
      matches: ({ subject }) => holds(subject, needle),
    }),
  ),
  needles.map(
    (needle): Key => ({
      text: `FROM ${literal(needle)}`,
      matches: ({ from }) => fold(`${from.text} <x@example.org>`).includes(fold(needle)),
    }),
  ),
  needles.map(
    (needle): Key => ({
      text: `HEADER x-tag ${literal(needle)}`,
      matches: ({ xTag }) => holds(xTag, needle),
    }),
  ),
  fc.constant<Key>({ text: 'HEADER X-Tag ""', matches: ({ xTag }) => xTag !== undefined }),
  needles.map(
    (needle): Key => ({
      text: `BODY ${literal(needle)}`,
      matches: ({ parts }) => parts.some(part => holds(part, needle)),
    }),
  ),
)

const { key: keys } = fc.letrec<{ key: Key; leaf: Key }>(tie => ({
  leaf: leaves,
  key: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: tie('leaf') },
    {
      weight: 2,
      arbitrary: tie('key').map(inner => ({
        text: `NOT ${inner.text}`,
        matches: (m: Known, n: number) => !inner.matches(m, n),
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(tie('key'), tie('key')).map(([a, b]) => ({
        text: `OR ${a.text} ${b.text}`,
        matches: (m: Known, n: number) => a.matches(m, n) || b.matches(m, n),
      })),
    },
    {
      weight: 2,
      arbitrary: fc.array(tie('key'), { minLength: 1, maxLength: 3 }).map(list => ({
        text: `(${list.map(one => one.text).join(' ')})`,
        matches: (m: Known, n: number) => list.every(one => one.matches(m, n)),
      })),
    },
  ),
}))

test('SEARCH finds what a naive look at each message finds, over random mailboxes, charsets and keys', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  let mailbox = 0
  let found = 0
  let passed = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(models, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(11), { maxLength: 3 }),
      fc.array(fc.array(keys, { minLength: 1, maxLength: 3 }), { minLength: 12, maxLength: 12 }),
      async (made, gone, searches) => {
        const name = `box${mailbox++}`
        await imap.ok(`CREATE ${name}`)
        const stored = made.map(model => ({
          bytes: bytesOf(model),
          receivedAt: model.receivedAt,
          flags: { system: model.system, keywords: model.keywords },
        }))
        await fill(server.store, server.account as AccountId, stored, name)
        await expunge(
          server,
          name,
          gone.map(at => at + 1),
        )
        await imap.ok(`SELECT ${name}`)
        const left = made
          .map((model, at) => ({ ...model, uid: at + 1, size: stored[at]?.bytes.length ?? 0 }))
          .filter(({ uid }) => !gone.includes(uid - 1))
        const known: Known[] = left.map((model, at) => ({ ...model, number: at + 1 }))
        for (const list of searches) {
          const command = list.map(({ text }) => text).join(' ')
          const expected = known.filter(message =>
            list.every(({ matches }) => matches(message, known.length)),
          )
          found += expected.length
          passed += known.length - expected.length
          const [line = ''] = await imap.ok(`UID SEARCH ${command}`)
          assert.deepEqual(
            [...line.matchAll(/\d+/g)].map(Number),
            expected.map(({ uid }) => uid),
            command,
          )
        }
      },
    ),
    { numRuns: 60 },
  )
  // Both answers are tried often.
  assert.ok(found > 200 && passed > 200, `${found} found, ${passed} not`)
  t.diagnostic(`${found} found, ${passed} not`)
})

async function expunge(
  server: Awaited<ReturnType<typeof startImap>>,
  name: string,
  uids: readonly number[],
): Promise<void> {
  const { store, account } = server
  const row = await store.reader.get<{ id: MailboxId }>(
    'SELECT id FROM mailbox WHERE account = ? AND name = ?',
    account,
    name,
  )
  if (!row) throw new Error('no such mailbox')
  for (const uid of new Set(uids)) {
    await store.mutate('expungeMessages', {
      account,
      mailbox: row.id,
      uids: [[uid, uid]],
      onlyDeleted: false,
    })
  }
}
