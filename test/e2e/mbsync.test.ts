// mbsync keeps a Maildir and an account alike in both directions, and the second run finds nothing to do.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import type { Server } from '../../bench/server.ts'
import { writeMbsync } from './fetchers.ts'
import { missing, run, scratch } from './program.ts'
import { append, login, startServer } from './server.ts'

test('mbsync', { skip: missing('mbsync', 'isync') }, async context => {
  const server = await startServer(context)
  const folder = scratch(context)
  writeMbsync(folder, server, 0, 'Sync All\nExpunge Both\nRemove Both\nCopyArrivalDate yes\nPatterns *')
  const sync = () => run('mbsync', ['-q', '-c', 'mbsyncrc', '-a'], { cwd: folder })
  const inbox = join(folder, 'mail', 'INBOX')
  await append(server, 0, 'INBOX', [0, 1, 2, 3, 4].map(smallMessage))
  await append(server, 0, 'Deep/Folder', [5, 6].map(smallMessage))

  await context.test('pulls every message, and a second run changes nothing on either side', async () => {
    await sync()
    assert.equal(files(inbox).length, 5)
    const before = [await state(server), files(inbox)]
    await sync()
    assert.deepEqual([await state(server), files(inbox)], before)
  })

  await context.test('pushes a new message and a flag, pulls a flag and a deletion', async () => {
    mkdirSync(join(inbox, 'new'), { recursive: true })
    writeFileSync(join(inbox, 'new', '1.new.local'), 'Subject: local\n\npushed\n')
    const [name] = files(inbox).filter(file => !file.startsWith('1.new'))
    assert.ok(name)
    renameSync(locate(inbox, name), join(inbox, 'cur', `${name.split(':')[0]}:2,F`))
    const client = await login(server, 0)
    await client.run('SELECT INBOX')
    await client.run('UID STORE 3 +FLAGS (\\Answered)')
    await client.run('UID STORE 4 +FLAGS (\\Deleted)')
    await client.run('EXPUNGE')
    await sync()
    const { bytes } = await client.run('FETCH 1:* (FLAGS)')
    assert.equal(bytes.toString().match(/\* \d+ FETCH/g)?.length, 5)
    assert.match(bytes.toString(), /\\Flagged/)
    const flags = files(inbox).map(file => file.split(':2,')[1] ?? '')
    assert.equal(flags.length, 5)
    assert.ok(flags.some(text => text.includes('R')) && flags.some(text => text.includes('F')), flags.join())
    await client.logout()
  })

  await context.test('after that, too, a second run changes nothing', async () => {
    const before = [await state(server), files(inbox)]
    await sync()
    assert.deepEqual([await state(server), files(inbox)], before)
  })
})

function files(maildir: string): string[] {
  return ['cur', 'new'].flatMap(part => readdirSync(join(maildir, part))).toSorted()
}

function locate(maildir: string, name: string): string {
  const part = readdirSync(join(maildir, 'cur')).includes(name) ? 'cur' : 'new'
  return join(maildir, part, name)
}

/** What would change if anything were written: message counts, next UIDs, highest modSeqs. */
async function state(server: Server): Promise<string> {
  const client = await login(server, 0)
  const lines: string[] = []
  for (const mailbox of ['INBOX', 'Deep/Folder']) {
    const { bytes } = await client.run(`STATUS ${mailbox} (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)`)
    lines.push(/\(MESSAGES .*\)/.exec(bytes.toString())?.[0] ?? '')
  }
  await client.logout()
  return lines.join()
}
