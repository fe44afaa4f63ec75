import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import { checkStore } from '../../../src/store/check.ts'
import { noFlags } from '../../../src/store/flags.ts'
import type { NewMessage } from '../../../src/store/mutations/append-messages.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'

interface Opened {
  readonly store: Store
  readonly dataDir: string
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly clock: { ms: number; now(): number }
  /** Closes and opens again, so that the segment in use is another one afterwards. */
  reopen(): Promise<Store>
}

async function openOnDisk(t: TestContext): Promise<Opened> {
  const dataDir = temporaryFolder(t)
  const clock = { ms: 1_000_000, now: () => clock.ms }
  let store = await openStore({ dataDir }, { clock })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const reopen = async () => {
    await store.close()
    store = await openStore({ dataDir }, { clock })
    return store
  }
  return { store, dataDir, account, mailbox, clock, reopen }
}

function segments(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'segments')).sort()
}

/** A message whose body is a segment of its own, so that the segment before it is closed. */
async function ownSegment(store: Store): Promise<NewMessage> {
  const staged = store.stageBody()
  await staged.write(Buffer.alloc(limits.store.ownSegmentBytes + 1, 'z'))
  const body = await staged.finish()
  return { body, email: { ...mail(store).email, sizeBytes: staged.sizeBytes }, flags: noFlags }
}

test('a mostly dead segment is copied without the dead, compressed, and removed', async t => {
  const { store, dataDir, account, mailbox, clock, reopen } = await openOnDisk(t)
  const random = Buffer.from(
    Array.from({ length: 3000 }, (_, i) => ((i * 7919 + (i >> 3) * 104_729) % 94) + 33),
  )
  const messages = [mail(store, 'kept '.repeat(2000)), mail(store, random.toString()), mail(store, 'tiny')]
  for (let i = 0; i < 20; i++) messages.push(mail(store, `dead ${i} `.repeat(2000)))
  await store.mutate('appendMessages', { account, mailbox, messages })
  await store.mutate('appendMessages', { account, mailbox, messages: [await ownSegment(store)] })
  assert.deepEqual(segments(dataDir), ['00000001.seg', '00000002.seg'])
  // The reopened store goes on behind the last body, in the second segment, and the first is closed.
  const again = await reopen()
  await again.mutate('expungeMessages', { account, mailbox, uids: [[4, 23]], onlyDeleted: false })
  const before = statSync(join(dataDir, 'segments', '00000001.seg')).size
  clock.ms += limits.store.orphanGraceMs
  const report = await again.maintain()
  assert.equal(report.segments, 1)
  assert.ok(report.freedBytes > before * 0.9)
  assert.ok(!existsSync(join(dataDir, 'segments', '00000001.seg')))
  for (const message of messages.slice(0, 3)) {
    const body = await again.readBody(account, message.body.hash)
    assert.ok(message.body.kind === 'inline' && body.equals(message.body.bytes))
    assert.ok((await again.readBody(account, message.body.hash, 10, 30)).equals(body.subarray(10, 30)))
  }
  assert.deepEqual(await again.maintain(), { segments: 0, freedBytes: 0 })
  // What is appended afterwards goes on where nothing lies.
  const last = mail(again, 'after')
  await again.mutate('appendMessages', { account, mailbox, messages: [last] })
  await reopen()
})

test('a segment that nothing refers to is removed, also one that a crash left behind', async t => {
  const { store, dataDir, account, mailbox, clock, reopen } = await openOnDisk(t)
  await store.mutate('appendMessages', { account, mailbox, messages: [await ownSegment(store)] })
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  await store.mutate('expungeMessages', { account, mailbox, uids: [[1, 1]], onlyDeleted: false })
  clock.ms += limits.store.orphanGraceMs
  const { freedBytes } = await store.maintain()
  assert.ok(freedBytes > limits.store.ownSegmentBytes)
  assert.equal(segments(dataDir).length, 1)
  await reopen()
})

test('a reader that has a segment open, or a body’s old place in mind, still gets the body', async t => {
  const { store, account, mailbox, clock, reopen } = await openOnDisk(t)
  const kept = mail(store, 'kept '.repeat(500))
  const dead = Array.from({ length: 10 }, (_, i) => mail(store, `dead ${i} `.repeat(500)))
  await store.mutate('appendMessages', { account, mailbox, messages: [kept, ...dead] })
  await store.mutate('appendMessages', { account, mailbox, messages: [await ownSegment(store)] })
  const again = await reopen()
  await again.readBody(account, kept.body.hash)
  await again.mutate('expungeMessages', { account, mailbox, uids: [[2, 11]], onlyDeleted: false })
  clock.ms += limits.store.orphanGraceMs
  const maintained = again.maintain()
  let isDone = false
  void maintained.then(() => (isDone = true))
  let reads = 0
  while (!isDone) {
    assert.ok((await again.readBody(account, kept.body.hash)).length > 2000)
    reads++
    await new Promise(setImmediate)
  }
  assert.equal((await maintained).segments, 1)
  assert.ok(reads > 0)
  assert.ok((await again.readBody(account, kept.body.hash)).length > 2000)
})

test('deliveries go on during compaction and may bring the very bodies that are being moved', async t => {
  const { store, account, mailbox, clock, reopen } = await openOnDisk(t)
  const kept = Array.from({ length: 5 }, (_, i) => mail(store, `kept ${i} `.repeat(500)))
  const dead = Array.from({ length: 20 }, (_, i) => mail(store, `dead ${i} `.repeat(500)))
  await store.mutate('appendMessages', { account, mailbox, messages: [...kept, ...dead] })
  await store.mutate('appendMessages', { account, mailbox, messages: [await ownSegment(store)] })
  const again = await reopen()
  const other = await addAccount(again)
  const theirs = await mailboxId(again, other, 'INBOX')
  await again.mutate('expungeMessages', { account, mailbox, uids: [[6, 25]], onlyDeleted: false })
  clock.ms += limits.store.orphanGraceMs
  const [report] = await Promise.all([
    again.maintain(),
    ...[...kept, ...dead].map(message =>
      again.mutate('appendMessages', { account: other, mailbox: theirs, messages: [message] }),
    ),
  ])
  assert.equal(report.segments, 1)
  const last = await reopen()
  for (const message of [...kept, ...dead]) {
    assert.ok(message.body.kind === 'inline')
    assert.ok((await last.readBody(other, message.body.hash)).equals(message.body.bytes))
  }
})

test('compaction that is broken off anywhere loses nothing, and the next run ends it', async t => {
  const { store, dataDir, account, mailbox, clock, reopen } = await openOnDisk(t)
  const count = limits.store.bodiesPerStep * 3
  const messages = Array.from({ length: count * 2 + 10 }, (_, i) => mail(store, `${i}`))
  await store.mutate('appendMessages', { account, mailbox, messages })
  await store.mutate('appendMessages', { account, mailbox, messages: [await ownSegment(store)] })
  let again = await reopen()
  const first = count + 1
  await again.mutate('expungeMessages', {
    account,
    mailbox,
    uids: [[first, first + count + 9]],
    onlyDeleted: false,
  })
  clock.ms += limits.store.orphanGraceMs
  const turns = [0, 1, 30, 200, 700, 1200]
  for (const turn of turns) {
    void again.maintain().catch(() => {})
    for (let i = 0; i < turn; i++) await new Promise(setImmediate)
    again = await reopen()
    for (const { body } of messages.slice(0, count)) {
      assert.ok(body.kind === 'inline')
      assert.ok((await again.readBody(account, body.hash)).equals(body.bytes))
    }
  }
  // As a crash leaves it: copies that no row points to.
  writeFileSync(join(dataDir, 'segments', '00000099.seg'), Buffer.alloc(1000, 'x'))
  again = await reopen()
  await again.maintain()
  assert.ok(!existsSync(join(dataDir, 'segments', '00000001.seg')))
  assert.ok(!existsSync(join(dataDir, 'segments', '00000099.seg')))
  await again.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
})
