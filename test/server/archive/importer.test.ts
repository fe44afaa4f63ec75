import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountConfigSchema } from '../../../src/account/config.ts'
import { createAccount, openDirectory } from '../../../src/account/directory.ts'
import type { AccountId } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import type { ArchivedMessage, ArchiveEntry } from '../../../src/server/archive/archived-message.ts'
import { importArchive } from '../../../src/server/archive/importer.ts'
import { noFlags } from '../../../src/store/flags.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { findMailbox, listMailboxes, listSubscriptions } from '../../../src/store/read/mailboxes.ts'
import type { Store } from '../../../src/store/store.ts'

async function withAccount(quotaMessages?: number): Promise<{ store: Store; account: AccountId }> {
  const store = await openStore({ memory: true })
  const directory = openDirectory(store, accountConfigSchema.parse({}))
  const quota = quotaMessages === undefined ? {} : { quotaMessages }
  const account = await createAccount(directory, { address: 'ann@example.org', createDomain: true, ...quota })
  return { store, account }
}

function message(text: string, mailbox = 'INBOX'): ArchivedMessage {
  const bytes = Buffer.from(`Subject: ${text.slice(0, 20)}\r\n\r\n${text}\r\n`)
  return { kind: 'message', source: text.slice(0, 20), mailbox, bytes, flags: noFlags, receivedAt: 1000 }
}

async function* from(entries: readonly ArchiveEntry[]): AsyncGenerator<ArchiveEntry> {
  yield* entries
}

test('a second run adds nothing, and a message that is there twice stays twice', async () => {
  const { store, account } = await withAccount()
  const entries = [message('a'), message('b'), message('a'), message('a', 'Lists/x')]
  const first = await importArchive(from(entries), { store, account })
  assert.deepEqual([first.added, first.known, first.mailboxes], [4, 0, { INBOX: 3, 'Lists/x': 1 }])
  const second = await importArchive(from(entries), { store, account })
  assert.deepEqual([second.added, second.known], [0, 4])
  const more = await importArchive(from([...entries, message('c'), message('b')]), { store, account })
  assert.deepEqual([more.added, more.known], [2, 4])
})

test('folders are made and subscribed, also empty ones', async () => {
  const { store, account } = await withAccount()
  await importArchive(from([{ kind: 'folder', mailbox: 'Empty/inner' }]), { store, account })
  assert.ok(await findMailbox(store.reader, account, 'Empty/inner'))
  assert.ok((await listSubscriptions(store.reader, account)).includes('Empty/inner'))
})

test('one bad message stops no other, and is told of', async () => {
  const { store, account } = await withAccount()
  const entries: ArchiveEntry[] = [
    message('a'),
    message('b', 'not\u0000a name'),
    message('x', '../etc/passwd'),
    { kind: 'problem', source: 'file 3', message: 'cannot be read' },
    message('c'),
  ]
  const told: string[] = []
  const report = await importArchive(from(entries), {
    store,
    account,
    onProblem: ({ source }) => told.push(source),
  })
  assert.deepEqual([report.added, told], [2, ['b', 'x', 'file 3']])
  assert.deepEqual(
    report.problems.map(({ source }) => source),
    told,
  )
  assert.ok((await listMailboxes(store.reader, account)).every(({ name }) => !name.includes('..')))
})

test('what fits into the quota is kept, the rest is told of one by one', async () => {
  const { store, account } = await withAccount(3)
  const report = await importArchive(from(['1', '2', '3', '4', '5'].map(text => message(text))), {
    store,
    account,
  })
  assert.equal(report.added, 3)
  assert.deepEqual(
    report.problems.map(({ source }) => source),
    ['4', '5'],
  )
})

test('many messages and large ones go in groups', async () => {
  const { store, account } = await withAccount()
  const many = Array.from({ length: limits.archive.groupMessages * 2 + 5 }, (_, index) =>
    message(`m${index}`),
  )
  const entries = [...many, message('y'.repeat(limits.store.inlineBodyBytes))]
  const counts: number[] = []
  const report = await importArchive(from(entries), {
    store,
    account,
    onMessages: count => counts.push(count),
  })
  assert.equal(report.added, entries.length)
  assert.deepEqual(counts, [limits.archive.groupMessages, limits.archive.groupMessages * 2, entries.length])
  assert.equal((await importArchive(from(entries), { store, account })).known, entries.length)
})

test('an import that is cut off goes on with the next run', async () => {
  const { store, account } = await withAccount()
  const stop = new AbortController()
  const entries = ['1', '2', '3', '4'].map(text => message(text))
  async function* cutOff(): AsyncGenerator<ArchiveEntry> {
    for (const entry of entries) {
      if (entry.source === '3') stop.abort()
      yield entry
    }
  }
  assert.equal((await importArchive(cutOff(), { store, account, signal: stop.signal })).added, 2)
  const rest = await importArchive(from(entries), { store, account })
  assert.deepEqual([rest.added, rest.known], [2, 2])
})
