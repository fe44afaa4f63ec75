import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { BodyLocation } from '../../../src/store/store.ts'
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

/** A store on disk with one message; time stands still for the sweep of open segments. */
async function openWithOne(t: TestContext, text: string) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const message = mail(store, text)
  await store.mutate('appendMessages', { account, mailbox, messages: [message] })
  return { store, account, dataDir, message }
}

test('a segment that is removed can be read while it is open, and does not stay open, though nobody reads it again', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  const { store, account, dataDir, message } = await openWithOne(t, 'read once')
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

/** The same store, and where its one body lies. */
async function locateOne(t: TestContext, text: string) {
  const opened = await openWithOne(t, text)
  const row = await opened.store.reader.get<Omit<BodyLocation, 'compressed'> & { hash: Uint8Array }>(
    'SELECT hash, segment, position AS "offset", stored_bytes AS "storedBytes", size_bytes AS "sizeBytes" FROM blob',
  )
  assert.ok(row)
  const whole = await opened.store.readBody(opened.account, opened.message.body.hash)
  const segment = join(opened.dataDir, 'segments', '00000001.seg')
  return { ...opened, hash: row.hash, location: { ...row, compressed: false }, whole, segment }
}

test('what was opened copies any part of the body, until its segment is gone; another body is not taken for it', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  const { store, hash, location, whole, segment } = await locateOne(t, 'copied')
  const open = (other = hash, place: BodyLocation = location) => store.openBody?.(other, place, whole.length)
  const target = Buffer.alloc(whole.length + 2, 0x2e)
  const copy = open()
  assert.ok(copy)
  assert.ok(copy(0, whole.length, target, 1))
  assert.equal(target.toString(), `.${whole.toString()}.`)
  assert.ok(copy(2, 5, target, 0))
  assert.equal(
    target.toString('latin1', 0, 4),
    `${whole.toString('latin1', 2, 5)}${whole.toString('latin1', 2, 3)}`,
  )
  assert.equal(open(hash, { ...location, compressed: true }), undefined)
  assert.equal(open(hash.map(byte => byte ^ 1)), undefined)
  assert.equal(open(hash, { ...location, offset: location.offset + 1 }), undefined)
  assert.equal(open(hash, { ...location, offset: 2 ** 40 }), undefined)
  assert.ok(copy(2, 5, target, 1))
  assert.equal(target.toString('latin1', 1, 4), whole.toString('latin1', 2, 5), 'others were opened since')
  unlinkSync(segment)
  t.mock.timers.tick(limits.store.openSegmentsMs)
  assert.equal(copy(0, 1, target, 0), false)
  assert.equal(open(), undefined)
})

test('a small body is read when it is opened, as far as it is wanted, and not again; a large one when it is copied', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  for (const sizeBytes of [9, 20_000, 100_000]) {
    const { store, hash, location, whole, segment } = await locateOne(t, 'x'.repeat(sizeBytes))
    for (const wanted of [whole.length, 10]) {
      const copy = store.openBody?.(hash, location, wanted)
      assert.ok(copy)
      const target = Buffer.alloc(whole.length)
      assert.ok(copy(0, whole.length, target, 0))
      assert.ok(target.equals(whole))
    }
    const copy = store.openBody?.(hash, location, whole.length)
    unlinkSync(segment)
    t.mock.timers.tick(limits.store.openSegmentsMs)
    const target = Buffer.alloc(whole.length)
    assert.equal(copy?.(0, whole.length, target, 0), sizeBytes < 100_000, `${sizeBytes} bytes`)
    assert.equal(target.equals(whole), sizeBytes < 100_000)
    t.mock.timers.reset()
  }
})
