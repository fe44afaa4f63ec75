import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { MailboxId } from '../../../src/base/ids.ts'
import { noSearchIndex, type SearchIndex } from '../../../src/store/search/search-index.ts'
import type { Store } from '../../../src/store/store.ts'
import { isOnPostgres } from '../../open-test-store.ts'
import type { ImapClient } from '../client.ts'
import { fill, type Stored } from '../fetch/mailbox.ts'
import { startImap, type TestServer } from '../harness.ts'

/** The store, with another index. */
function withIndex(store: Store, searchIndex: SearchIndex): Store {
  return new Proxy(store, {
    get(target, key) {
      if (key === 'searchIndex') return searchIndex
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

interface Both {
  readonly server: TestServer
  readonly imap: ImapClient
  /** Searches by reading every message from here on, or again by the index. */
  readonly useIndex: (uses: boolean) => void
  /** Answers of the index so far that were not "unknown". */
  readonly decided: () => number
}

async function startBoth(t: TestContext): Promise<Both> {
  const server = await startImap(t, {}, { searchIndex: true })
  const { store } = server
  let decided = 0
  let isUsed = true
  const counting: SearchIndex = {
    async answer(...args) {
      const found = await (isUsed ? store.searchIndex : noSearchIndex).answer(...args)
      for (const answer of found) if (answer !== 1) decided++
      return found
    },
    columns: (...args) => (isUsed ? store.searchIndex : noSearchIndex).columns(...args),
    scores: (...args) => (isUsed ? store.searchIndex : noSearchIndex).scores(...args),
  }
  ;(server.context as { store: Store }).store = withIndex(store, counting)
  const useIndex = (uses: boolean) => {
    isUsed = uses
  }
  return { server, imap: await server.client(), useIndex, decided: () => decided }
}

// Words that are in a message as a whole, in part, in another charset, behind a mark, or not at all.
const vocabulary = [
  'railway',
  'Rail',
  'stra\u00dfe',
  'STRASSE',
  'caf\u00e9',
  'cafe\u0301',
  '\u65e5\u672c\u8a9e',
  '\u672c',
  '\u30ab\u30bf\u30ab\u30ca',
  'foo-bar',
  'user@example.org',
  '42',
  'ﬁnal',
  '\ud83d\ude00',
  'a\u0323\u0301',
  'w'.repeat(100),
  `v${'w'.repeat(60)}`,
  '&amp;',
  '<b>',
]
const words = fc.array(fc.constantFrom(...vocabulary), { maxLength: 6 }).map(list => list.join(' '))
const encodedWord = (text: string) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`

const mails: fc.Arbitrary<Stored> = fc
  .record({
    subject: words,
    from: words,
    received: words,
    mailer: fc.option(words, { nil: undefined }),
    body: words,
    other: words,
    kind: fc.constantFrom('plain', 'html', 'latin1', 'mixed', 'attached'),
  })
  .map(({ subject, from, received, mailer, body, other, kind }) => {
    const head = [
      `Received: ${'x'.repeat(300)} ${encodedWord(received)}`,
      `From: ${encodedWord(from)} <a@example.org>`,
      `Subject: ${encodedWord(subject)}`,
      ...(mailer === undefined ? [] : [`X-Mailer: ${encodedWord(mailer)}`]),
      'MIME-Version: 1.0',
    ].join('\r\n')
    const part = (type: string, text: Buffer) =>
      `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${text.toString('base64')}\r\n`
    const plain = (text: string) => part('text/plain; charset=utf-8', Buffer.from(text))
    const html = (text: string) =>
      part('text/html; charset=utf-8', Buffer.from(`<p>a<b>${text}</b>&eacute;</p>`))
    const multipart = (...parts: readonly string[]) =>
      `Content-Type: multipart/mixed; boundary=cut\r\n\r\n${parts.map(one => `--cut\r\n${one}`).join('')}--cut--\r\n`
    const content = {
      plain: () => plain(body),
      html: () => html(body),
      latin1: () => part('text/plain; charset=iso-8859-1', Buffer.from(body, 'latin1')),
      mixed: () => multipart(plain(body), html(other)),
      attached: () => multipart(plain(body), part('image/png; name=x', Buffer.from(other))),
    }[kind]()
    return { bytes: Buffer.from(`${head}\r\n${content}`) }
  })

const pieces = fc.tuple(words, fc.nat(), fc.nat()).map(([text, from, length]) => {
  const start = text.length === 0 ? 0 : from % text.length
  return text.slice(start, start + (length % 30)).toWellFormed()
})
const literal = (text: string) => `{${Buffer.byteLength(text)}+}\r\n${Buffer.from(text).toString('latin1')}`
const searchKeys: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'BODY',
        'TEXT',
        'SUBJECT',
        'FROM',
        'TO',
        'HEADER X-Mailer',
        'HEADER Received',
        'HEADER X-No',
      ),
      pieces,
    )
    .map(([name, text]) => `${name} ${literal(text)}`),
  fc.constantFrom('UNSEEN', 'ALL', '1:20'),
)
const searches = fc.oneof(
  searchKeys,
  searchKeys.map(key => `NOT ${key}`),
  fc.tuple(searchKeys, searchKeys).map(([a, b]) => `OR ${a} ${b}`),
  fc.tuple(searchKeys, searchKeys).map(([a, b]) => `${a} NOT ${b}`),
)

async function compare({ imap, useIndex }: Both, queries: readonly string[]): Promise<void> {
  for (const query of queries) {
    useIndex(false)
    const [expected] = await imap.ok(`UID SEARCH ${query}`)
    useIndex(true)
    assert.deepEqual(await imap.ok(`UID SEARCH ${query}`), [expected], query)
  }
}

const run = { numRuns: isOnPostgres ? 3 : 10 }

test('a search by the index finds what a look at every message finds, over random mailboxes, charsets, comparators and keys', async t => {
  const both = await startBoth(t)
  const { server, imap } = both
  const { store, account } = server
  let box = 0
  let expunged = 0
  const property = fc.asyncProperty(
    fc.array(mails, { minLength: 130, maxLength: 220 }),
    fc.array(searches, { minLength: 12, maxLength: 12 }),
    fc.constantFrom('i;unicode-casemap', 'i;octet', 'i;ascii-casemap'),
    fc.constantFrom('not', 'half', 'whole'),
    async (made, queries, comparator, reach) => {
      const name = `box${box++}`
      await imap.ok(`CREATE ${name}`)
      // The indexer has seen all of it, a part, or nothing.
      const seen = { not: 0, half: Math.floor(made.length / 2), whole: made.length }[reach]
      await fill(store, account, made.slice(0, seen), name)
      await store.maintain()
      await fill(store, account, made.slice(seen), name)
      await imap.ok(`SELECT ${name}`)
      await imap.ok(`COMPARATOR "${comparator}"`)
      await compare(both, queries)
      const row = await store.reader.get<{ id: MailboxId }>(
        'SELECT id FROM mailbox WHERE account = ? AND name = ?',
        account,
        name,
      )
      assert.ok(row)
      await store.mutate('expungeMessages', {
        account,
        mailbox: row.id,
        uids: [[10, 30]],
        onlyDeleted: false,
      })
      expunged += 21
      await store.maintain()
      await imap.ok('NOOP')
      await compare(both, queries.slice(0, 4))
    },
  )
  await fc.assert(property, run)
  t.diagnostic(`${both.decided()} decided, ${expunged} expunged`)
  assert.ok(both.decided() > 100 * run.numRuns)
})
