import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImapClient } from '../client.ts'
import { message, startImap } from '../harness.ts'

/** folder1 with chad and tobi, folder2, folder2/banana with chad, folder2/banana/split with chad. */
async function folders(imap: ImapClient): Promise<void> {
  for (const name of ['folder1', 'folder2', 'folder2/banana', 'folder2/banana/split'])
    await imap.ok(`CREATE ${name}`)
  await imap.append('folder1', message('tobi'))
  await imap.append('folder1', message('chad'))
  await imap.append('folder1', message('chad too'), '(\\Seen) ')
  await imap.append('folder2/banana', message('chad'))
  await imap.append('folder2/banana/split', message('chad'))
}

async function tagged(imap: ImapClient, tag: string, text: string) {
  imap.send(`${tag} ${text}\r\n`)
  return imap.answer(tag)
}

const places = (lines: readonly string[]) =>
  lines.map(line => line.replace(/UIDVALIDITY \d+/, 'V').replace(/^\* ESEARCH \(TAG "[^"]*" MAILBOX /, ''))

test('ESEARCH answers for each mailbox with a match, by its name and UIDVALIDITY (RFC 7377 §3)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  await folders(imap)
  // Both at once, as in the RFC's example.
  imap.send(
    'tag1 ESEARCH IN (mailboxes "folder1" subtree "folder2") unseen\r\ntag2 ESEARCH IN (mailboxes "folder1" subtree-one "folder2") subject "chad"\r\n',
  )
  const first = await imap.answer('tag1')
  assert.equal(first.status, 'OK')
  assert.match(
    first.untagged[0] ?? '',
    /^\* ESEARCH \(TAG "tag1" MAILBOX folder1 UIDVALIDITY \d+\) UID ALL 1:2$/,
  )
  assert.deepEqual(places(first.untagged), [
    'folder1 V) UID ALL 1:2',
    'folder2/banana V) UID ALL 1',
    'folder2/banana/split V) UID ALL 1',
  ])
  assert.deepEqual(places((await imap.answer('tag2')).untagged), [
    'folder1 V) UID ALL 2:3',
    'folder2/banana V) UID ALL 1',
  ])
})

test('each source names its mailboxes, each of them once, and what is not there is passed over (RFC 7377 §2.2)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  await folders(imap)
  await imap.append('INBOX', message('chad'))
  for (const name of ['INBOX', 'folder1', 'folder2', 'folder2/banana', 'folder2/banana/split'])
    await imap.ok(`UNSUBSCRIBE ${name}`)
  await imap.ok('SUBSCRIBE folder1')
  const all = ['INBOX', 'folder1', 'folder2/banana', 'folder2/banana/split']
  const expected: Record<string, readonly string[]> = {
    personal: all,
    inboxes: all,
    subscribed: ['folder1'],
    'subtree folder2': ['folder2/banana', 'folder2/banana/split'],
    'SUBTREE-ONE (folder2 "folder1")': ['folder1', 'folder2/banana'],
    'mailboxes (inbox folder1 folder1) subscribed': ['INBOX', 'folder1'],
    'mailboxes nobody': [],
    'subtree folder': [],
    'mailboxes folder2': [],
  }
  for (const [sources, names] of Object.entries(expected)) {
    const lines = await imap.ok(`ESEARCH IN (${sources}) RETURN (COUNT) SUBJECT chad`)
    assert.deepEqual(
      places(lines).map(line => line.split(' ')[0]),
      names,
      sources,
    )
  }
})

test("nothing of another account's mail is found", async t => {
  const server = await startImap(t)
  await folders(await server.client())
  const bob = await server.connect()
  await bob.login('bob@example.test')
  assert.deepEqual(await bob.ok('ESEARCH IN (personal mailboxes folder1) ALL'), [])
})

test('ESEARCH without IN is about the selected mailbox, and always answers with UIDs (RFC 7377 §2.1)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  await folders(imap)
  assert.equal((await imap.command('ESEARCH SUBJECT chad')).status, 'BAD')
  assert.equal((await imap.command('ESEARCH IN (selected mailboxes folder1) SUBJECT chad')).status, 'BAD')
  await imap.ok('SELECT folder1')
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  assert.deepEqual(places(await imap.ok('ESEARCH SUBJECT chad')), ['folder1 V) UID ALL 2:3'])
  assert.deepEqual(
    places(await imap.ok('ESEARCH IN (selected) RETURN (MIN MAX COUNT) CHARSET UTF-8 SUBJECT chad')),
    ['folder1 V) UID MIN 2 MAX 3 COUNT 2'],
  )
  assert.deepEqual(await imap.ok('ESEARCH RETURN (COUNT) SUBJECT nothing'), [])
  // Numbers are each mailbox's own; it is no error when there are fewer (§2).
  assert.deepEqual(places(await imap.ok('ESEARCH IN (selected subtree folder2) 2:100')), [
    'folder1 V) UID ALL 3',
  ])
  // What is selected stays so.
  assert.deepEqual(await imap.ok('SEARCH ALL'), ['* SEARCH 1 2'])
  assert.deepEqual(places(await imap.ok('ESEARCH IN (personal) RETURN (PARTIAL -1:-1) ALL')), [
    'folder1 V) UID PARTIAL (-1:-1 3)',
    'folder2/banana V) UID PARTIAL (-1:-1 1)',
    'folder2/banana/split V) UID PARTIAL (-1:-1 1)',
  ])
})

test('SAVE is for the selected mailbox alone, UPDATE keeps it up to date (RFC 7377 §2.2)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  await folders(imap)
  assert.equal((await imap.command('ESEARCH IN (mailboxes folder1) RETURN (UPDATE) ALL')).status, 'BAD')
  await imap.ok('SELECT folder1')
  for (const sources of ['mailboxes folder1', 'selected personal', 'personal'])
    assert.equal((await imap.command(`ESEARCH IN (${sources}) RETURN (SAVE) ALL`)).status, 'BAD', sources)
  assert.deepEqual(await imap.ok('ESEARCH RETURN (SAVE) SUBJECT chad'), [])
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH 2 3'])
  assert.equal((await imap.command('ESEARCH RETURN (SAVE) CHARSET X-NOBODY ALL')).status, 'NO')
  assert.deepEqual(await imap.ok('SEARCH $'), ['* SEARCH'])
  const kept = await tagged(imap, 'k', 'ESEARCH IN (personal) RETURN (UPDATE COUNT) FLAGGED')
  assert.deepEqual([kept.untagged, kept.tagged], [[], 'OK Searched, will notify'])
  assert.deepEqual(places(await imap.ok('UID STORE 2 +FLAGS.SILENT (\\Flagged)')), [
    'folder1 V) UID ADDTO (0 2)',
  ])
  assert.equal((await tagged(imap, 'k', 'ESEARCH RETURN (UPDATE) FLAGGED')).tagged, 'BAD Tag reuse')
  await imap.ok('CANCELUPDATE "k"')
  const other = await tagged(imap, 'o', 'ESEARCH IN (subtree folder2) RETURN (UPDATE COUNT) FLAGGED')
  assert.match(other.untagged[0] ?? '', /^\* NO \[NOUPDATE "o"\]/)
})

test('bad sources and options are BAD (RFC 7377 §4)', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  assert.equal((await (await server.connect()).command('ESEARCH IN (personal) ALL')).status, 'BAD')
  await imap.ok('SELECT INBOX')
  for (const bad of [
    'ESEARCH',
    'ESEARCH IN personal ALL',
    'ESEARCH IN () ALL',
    'ESEARCH IN (selected-delayed) ALL',
    'ESEARCH IN (nobody) ALL',
    'ESEARCH IN (mailboxes) ALL',
    'ESEARCH IN (mailboxes ()) ALL',
    'ESEARCH IN (personal (option)) ALL',
    'ESEARCH IN (personal)',
    'ESEARCH IN (personal) RETURN (NOPE) ALL',
    'ESEARCH RETURN (COUNT) IN (personal) ALL',
    'UID ESEARCH IN (personal) ALL',
  ]) {
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
    await imap.ok('NOOP')
  }
  assert.match((await imap.command('ESEARCH IN (personal) CHARSET X-NOBODY ALL')).tagged, /^NO \[BADCHARSET/)
})

test('names outside ASCII go out as the client reads them', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  await imap.ok('CREATE "B&APw-cher"')
  await imap.append('"B&APw-cher"', message('chad'))
  assert.deepEqual(places(await imap.ok('ESEARCH IN (mailboxes "B&APw-cher") ALL')), [
    'B&APw-cher V) UID ALL 1',
  ])
  await imap.ok('ENABLE IMAP4rev2')
  const quoted = `"${Buffer.from('Bücher').toString('latin1')}"`
  assert.deepEqual(places(await imap.ok(`ESEARCH IN (mailboxes ${quoted}) ALL`)), [`${quoted} V) UID ALL 1`])
})
