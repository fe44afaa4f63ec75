// Names that lead elsewhere, that JavaScript has for itself, or that would end a line: each is a name like any other, or is refused.
// CVE-2021-40525 (paths), CVE-2026-34752 (JavaScript keys), CVE-2024-21742 (line ends).
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readMaildir } from '../../src/server/archive/maildir-reader.ts'
import { listMailboxes } from '../../src/store/read/mailboxes.ts'
import { openStore } from '../../src/store/open-store.ts'
import { temporaryFolder } from '../store/fixture.ts'
import { goesOn, type Peer, startAll } from './all-protocols.ts'

const done = /^t (?:OK|NO|BAD).*\r\n$/m

/** As a client would write them in IMAP: each in a literal, byte for byte. */
const paths = [
  '../evil',
  '../../../../tmp/evil',
  'a/../../evil',
  '..',
  '.',
  'a/./b',
  '/etc/passwd',
  'a//b',
  'a/',
  '..\\evil',
  '%2e%2e%2fevil',
  '..%2fevil',
  '\xc0\xae\xc0\xae/evil',
  '\xe0\x80\xae\xe0\x80\xae/evil',
  '\xc0\xaf\xc0\xafevil',
  '&AC4ALg-/evil',
  '&AC4ALgAv-evil',
  '&AAA-evil',
  '&AA0ACg-evil',
  '&2AA-evil',
  'a\rb',
  'a\nb',
  'a\r\n* BYE forged',
  'a\x7fb',
  '\xe2\x80\xaeevil',
  'x'.repeat(5000),
  `${'x/'.repeat(500)}x`,
]

async function withName(peer: Peer, command: (literal: string) => string, name: string): Promise<string> {
  return peer.ask(`t ${command(`{${name.length}+}\r\n${name}`)}`, done)
}

test('a mailbox name never becomes a path: nothing is made outside the store’s folder, and no name forges a line', async t => {
  const parent = temporaryFolder(t)
  const dataDir = join(parent, 'a', 'store')
  const store = await openStore({ dataDir })
  t.after(() => store.close())
  const servers = await startAll(t, { store })
  const peer = await servers.enter('imap')
  const other = await servers.enter('imap', 'bob')
  const commands: ((literal: string) => string)[] = [
    literal => `CREATE ${literal}`,
    literal => `SUBSCRIBE ${literal}`,
    literal => `RENAME Trash ${literal}`,
    literal => `APPEND ${literal} {3+}\r\nx\r\n`,
    literal => `STATUS ${literal} (MESSAGES)`,
    literal => `SELECT ${literal}`,
    literal => `LIST "" ${literal}`,
    literal => `DELETE ${literal}`,
    literal => `UNSUBSCRIBE ${literal}`,
  ]
  for (const name of [...paths, 'a\0b']) {
    for (const command of commands) {
      await withName(peer, command, name)
      await goesOn(peer, 'imap')
    }
    const listed = await peer.ask('t LIST "" * RETURN (SUBSCRIBED CHILDREN)', done)
    for (const line of listed.split('\r\n').filter(line => line !== '' && !line.startsWith('t '))) {
      assert.match(
        line,
        /^\* LIST \([\\A-Za-z ]*\) "\/" (?:"(?:[ !#-[\]-~]|\\.)*"|[^\s"(){]+)$/,
        JSON.stringify(name),
      )
    }
  }
  for (const { name } of await listMailboxes(store.reader, servers.ann)) {
    assert.doesNotMatch(name, /(?:^|\/)\.{1,2}(?:\/|$)|\/\/|[\0-\x1f\x7f]/)
  }
  await goesOn(other, 'imap')
  assert.deepEqual(readdirSync(parent), ['a'])
  assert.deepEqual(readdirSync(join(parent, 'a')), ['store'])
  const known = /^(?:lock(?:[.-].*)?|segments|staging|store\.db(?:-wal|-shm)?)$/
  for (const file of readdirSync(dataDir)) assert.match(file, known)
  for (const file of readdirSync(join(dataDir, 'segments'))) assert.match(file, /^\d{8}\.seg$/)
  assert.ok(!existsSync('/tmp/evil'))
})

test('an import follows no link out of a Maildir: neither a message’s, nor a folder’s, nor cur’s', async t => {
  const parent = temporaryFolder(t)
  const outside = join(parent, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'private'), 'Subject: not yours\n\nsecret\n')
  const maildir = join(parent, 'maildir')
  for (const part of ['cur', 'new', 'tmp', '.good/cur', '.good/new', '.bad/new']) {
    mkdirSync(join(maildir, part), { recursive: true })
  }
  writeFileSync(join(maildir, '.good/cur/1:2,'), 'Subject: mine\n\n')
  symlinkSync(join(outside, 'private'), join(maildir, 'cur', '2:2,'))
  symlinkSync(outside, join(maildir, '.bad', 'cur'))
  symlinkSync(maildir, join(maildir, '.again'))
  const entries = await Array.fromAsync(readMaildir(maildir, { mailbox: 'INBOX' }))
  const messages = entries.filter(entry => entry.kind === 'message')
  assert.deepEqual(
    messages.map(({ mailbox, bytes }) => [mailbox, String(bytes)]),
    [['good', 'Subject: mine\r\n\r\n']],
  )
})

const keys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
]

test('JavaScript’s own names are mailboxes, flags, fields and words like any others, and nothing is polluted', async t => {
  const servers = await startAll(t)
  const peer = await servers.enter('imap')
  const smtp = await servers.enter('smtp')
  const submission = await servers.enter('submission')
  const pop3 = await servers.connect('pop3')
  for (const key of keys) {
    const letter = `${key}: the value\r\nSubject: ${key}\r\nContent-Type: text/plain; ${key}=x; name=${key}\r\n\r\n${key}\r\n`
    assert.match(await peer.ask(`t CREATE ${key}`, done), /^t OK/)
    assert.match(await peer.ask(`t APPEND ${key} (${key}) {${letter.length}+}\r\n${letter}`, done), /^t OK/)
    assert.match(await peer.ask(`t SELECT ${key}`, done), new RegExp(`FLAGS \\([^)]*${key}`))
    assert.match(
      await peer.ask(`t FETCH 1 (FLAGS BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (${key})])`, done),
      new RegExp(`${key}[^]*${key}[^]*${key}: the value`),
    )
    assert.match(
      await peer.ask(`t SEARCH HEADER ${key} "the value" KEYWORD ${key}`, done),
      /^\* (?:E?SEARCH).* 1\b/m,
    )
    assert.match(await peer.ask(`t SEARCH NOT HEADER ${key} ""`, done), /^\* SEARCH\r\n/m)
    assert.match(await peer.ask(`t STATUS ${key} (MESSAGES)`, done), /MESSAGES 1\)/)
    // Where words are looked up in a table, they are no words of it.
    for (const wrong of [
      key,
      `UID ${key}`,
      `FETCH 1 ${key}`,
      `SEARCH ${key}`,
      `STATUS INBOX (${key})`,
      `AUTHENTICATE ${key}`,
      `SELECT INBOX (${key})`,
      `CREATE x (${key})`,
      `LIST (${key}) "" *`,
      `FETCH 1 FLAGS (${key} 1)`,
      `STORE 1 ${key} (x)`,
    ]) {
      assert.match(await peer.ask(`t ${wrong}`, done), /^t (?:BAD|NO)/m, wrong)
      await goesOn(peer, 'imap')
    }
    assert.match(await peer.ask(`t ENABLE ${key}`, done), /^t OK/m)
    assert.match(await peer.ask(`t ID ("${key}" "x")`, done), /^t OK/m)
    assert.match(await smtp.ask(key, /\r\n$/), /^500 /)
    assert.match(await smtp.ask(`MAIL FROM:<a@example.com> ${key}=1`, /\r\n$/), /^5(?:01|04|55) /)
    assert.match(
      await smtp.ask(`MAIL FROM:<${key}@example.com>\r\nRCPT TO:<${key}@example.org>`, /^550.*\r\n$/m),
      /^250/,
    )
    await smtp.ask('RSET', /^250.*\r\n$/m)
    assert.match(await submission.ask(`AUTH ${key}`, /\r\n$/), /^50\d /)
    await goesOn(submission, 'submission')
    assert.match(await pop3.ask(key, /\r\n$/), /^-ERR/)
    assert.match(await pop3.ask(`USER ${key}\r\nPASS x`, /\r\n.*\r\n$/), /^-ERR.*\r\n$/m)
    assert.match(await pop3.ask(`LANG ${key}`, /\r\n$/), /^-ERR/)
    await goesOn(pop3, 'pop3')
  }
  assert.deepEqual(Object.keys(Object.prototype), [])
  assert.equal(({} as Record<string, unknown>)['the value'], undefined)
})

test('no memory that was somebody else’s ever reaches a peer (CVE-2017-14461, CVE-2026-47088)', async t => {
  const servers = await startAll(t)
  const mark = 'R3us3dM3mory'
  /** Leaves marked memory behind in the allocators, in the sizes that an answer is made of. */
  const litter = () => {
    for (const size of [16, 100, 1000, 2048, 4096, 8192, 16_384, 65_536, 200_000]) {
      for (let count = 0; count < 20; count++) Buffer.allocUnsafe(size).fill(mark)
    }
  }
  const imap = await servers.enter('imap')
  const letter = `From: x@example.com\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${'abc\r\n'.repeat(30_000)}--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n=4\r\n--b\r\nContent-Transfer-Encoding: uuencode\r\n\r\nbegin 644 x\r\nMabc\r\n--b--\r\n`
  const heard: string[] = []
  const ask = async (peer: Peer, command: string, answer: RegExp) => {
    litter()
    heard.push(await peer.ask(command, answer))
  }
  await ask(imap, `t APPEND INBOX {${letter.length}+}\r\n${letter}`, done)
  await ask(imap, 't SELECT INBOX', done)
  for (const partial of ['', '<0.10>', '<149990.100>', '<150000.4294967295>', '<4294967295.1>']) {
    for (const section of ['', '1', '2', '3', '4', 'HEADER', 'TEXT', '1.MIME', '9']) {
      await ask(imap, `t FETCH 1 (BODY.PEEK[${section}]${partial})`, done)
      if (/^(?:|\d)$/.test(section)) await ask(imap, `t FETCH 1 (BINARY.PEEK[${section}]${partial})`, done)
    }
  }
  await ask(
    imap,
    't FETCH 1 (FLAGS ENVELOPE BODYSTRUCTURE PREVIEW BINARY.SIZE[2] BODY.PEEK[HEADER.FIELDS (Subject)])',
    done,
  )
  await ask(imap, 't LIST "" *', done)
  const pop3 = await servers.enter('pop3')
  for (const command of ['RETR 1', 'TOP 1 0', 'TOP 1 100000', 'UIDL', 'LIST', 'CAPA']) {
    await ask(pop3, command, /\r\n\.\r\n$/)
  }
  for (const protocol of ['smtp', 'submission', 'lmtp'] as const) {
    const peer = await servers.enter(protocol)
    await ask(peer, 'NOOP', /\r\n$/)
    await ask(peer, 'HELP', /\r\n$/)
    await ask(peer, 'VRFY ann', /\r\n$/)
  }
  for (const text of heard) assert.ok(!text.includes(mark.slice(0, 6)), text.slice(0, 300))
})
