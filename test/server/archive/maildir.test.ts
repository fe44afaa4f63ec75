import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ArchivedMessage } from '../../../src/server/archive/archived-message.ts'
import { maildirFlags, readMaildir } from '../../../src/server/archive/maildir-reader.ts'
import { MaildirWriter } from '../../../src/server/archive/maildir-writer.ts'
import { answered, deleted, draft, flagged, seen } from '../../../src/store/flags.ts'

function maildir(path: string, files: Readonly<Record<string, string>>): string {
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(path, part), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'restante-maildir-'))
}

async function read(path: string, mailbox = 'INBOX'): Promise<ArchivedMessage[]> {
  const entries = await Array.fromAsync(readMaildir(path, { mailbox }))
  return entries.filter(entry => entry.kind === 'message')
}

test('flags are the letters of the file name', () => {
  const keywords = new Map([['a', 'blue']])
  assert.deepEqual(maildirFlags('x:2,DFRSTPa', keywords), {
    system: draft | flagged | answered | seen | deleted,
    keywords: ['$Forwarded', 'blue'],
  })
  assert.deepEqual(maildirFlags('x,S=123,W=130:2,S', keywords), { system: seen, keywords: [] })
  assert.deepEqual(maildirFlags('x;2,S', keywords), { system: seen, keywords: [] })
  assert.deepEqual(maildirFlags('x', keywords), { system: 0, keywords: [] })
})

test('messages of cur and new are read with their dates, those of tmp are not', async () => {
  const path = maildir(newFolder(), {
    'cur/1.a:2,S': 'Subject: 1\n\nx\n',
    'new/2.b': 'Subject: 2\n\nx\n',
    'tmp/3.c': 'half',
  })
  utimesSync(join(path, 'cur/1.a:2,S'), 1000, 1000)
  const [first, second, ...more] = await read(path)
  assert.equal(first?.bytes.toString(), 'Subject: 1\r\n\r\nx\r\n')
  assert.deepEqual([first?.receivedAt, first?.flags.system, second?.flags.system], [1_000_000, seen, 0])
  assert.deepEqual(more, [])
})

test('folders are those of Maildir++ and folders in folders, in modified UTF-7', async () => {
  const path = maildir(newFolder(), { 'cur/1:2,': 'a' })
  maildir(join(path, '.Lists.Node'), { 'cur/1:2,': 'b' })
  maildir(join(path, '.Entw&APw-rfe'), { 'cur/1:2,': 'c' })
  maildir(join(path, 'Archive', '2025'), { 'cur/1:2,': 'd' })
  const names = async (mailbox: string) => (await read(path, mailbox)).map(entry => entry.mailbox).toSorted()
  assert.deepEqual(await names('INBOX'), ['Archive/2025', 'Entwürfe', 'INBOX', 'Lists/Node'])
  assert.deepEqual(await names('Old'), ['Old', 'Old/Archive/2025', 'Old/Entwürfe', 'Old/Lists/Node'])
})

test('keywords are those of dovecot-keywords', async () => {
  const path = maildir(newFolder(), {
    'cur/1:2,Sb': 'a',
    'dovecot-keywords': '0 $Junk\n1 blue\n99 no\nbroken\n',
  })
  assert.deepEqual((await read(path))[0]?.flags.keywords, ['blue'])
})

test('a folder without cur and new is no Maildir', async () => {
  await assert.rejects(read(newFolder()), /holds no Maildir/)
  await assert.rejects(read(join(newFolder(), 'nowhere')), { code: 'ENOENT' })
})

test('what is written is read back, and no name leads out of the folder', async () => {
  const path = newFolder()
  const all = [
    {
      mailbox: 'INBOX',
      text: 'Subject: 1\r\n\r\nx\r\n',
      flags: { system: seen | flagged, keywords: ['$Forwarded', 'blue'] },
      receivedAt: 5_000_000,
    },
    {
      mailbox: 'INBOX',
      text: 'Subject: 2\r\n\r\nx\r\n',
      flags: { system: 0, keywords: ['blue', 'green'] },
      receivedAt: 6_000_000,
    },
    {
      mailbox: 'Lists/Nöde',
      text: 'Subject: 3\r\n\r\nx\r\n',
      flags: { system: deleted, keywords: [] },
      receivedAt: 7_000_000,
    },
    {
      mailbox: '../../etc',
      text: 'Subject: 4\r\n\r\nx\r\n',
      flags: { system: 0, keywords: [] },
      receivedAt: 8_000_000,
    },
  ]
  for (const mailbox of ['INBOX', 'Lists/Nöde', '../../etc']) {
    const writer = await MaildirWriter.create(path, mailbox)
    for (const { text, flags, receivedAt } of all.filter(message => message.mailbox === mailbox)) {
      await writer.add(Buffer.from(text), flags, receivedAt)
    }
    await writer.end()
  }
  const found = (await read(path)).toSorted((a, b) => (a.receivedAt ?? 0) - (b.receivedAt ?? 0))
  const plain = found.map(({ mailbox, bytes, flags, receivedAt }) => ({
    mailbox,
    text: bytes.toString(),
    flags,
    receivedAt,
  }))
  assert.deepEqual(plain.slice(0, 3), all.slice(0, 3))
  assert.equal(found.length, 4)
  assert.ok(readdirSync(path).some(name => name.includes('etc')))
})
