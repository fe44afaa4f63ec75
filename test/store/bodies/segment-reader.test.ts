import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'

/** How often this process has the file open, as Linux tells. */
function timesOpen(path: string): number {
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // closed while we looked
    }
  })
  return links.filter(link => link.startsWith(path)).length
}

test('a segment that is removed can be read while it is open, and does not stay open, though nobody reads it again', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const message = mail(store, 'read once')
  await store.mutate('appendMessages', { account, mailbox, messages: [message] })
  await store.readBody(account, message.body.hash)
  const segment = join(dataDir, 'segments', '00000001.seg')
  const whileRead = timesOpen(segment)
  t.mock.timers.tick(limits.store.openSegmentsMs)
  assert.equal(timesOpen(segment), whileRead, 'what is there stays open')
  unlinkSync(segment)
  await store.readBody(account, message.body.hash)
  t.mock.timers.tick(limits.store.openSegmentsMs)
  assert.equal(timesOpen(segment), whileRead - 1)
})
