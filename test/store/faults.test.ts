// A disk that fails: nothing acknowledged is lost, what is refused is refused as temporary, and when the disk is well again so is the store.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  fdatasyncSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writevSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import type { SegmentFileSystem } from '../../src/store/bodies/segment-files.ts'
import { checkStore } from '../../src/store/check.ts'
import { noFlags } from '../../src/store/flags.ts'
import type { NewMessage } from '../../src/store/mutations/append-messages.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { refuses } from './conformance.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'
import { assertRead, openOnFiles } from './on-files.ts'
import { valuesOf } from './snapshot-values.ts'

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** System calls that fail while they are told to. */
class FailingFiles implements SegmentFileSystem {
  failWrite: string | undefined
  failSync: string | undefined
  /** Bytes that are written before a write fails, as on a disk that fills up. */
  writtenBeforeFailure = 0

  writev(fd: number, buffers: readonly Uint8Array[], position: number): number {
    if (this.failWrite === undefined) return writevSync(fd, buffers, position)
    if (this.writtenBeforeFailure > 0) {
      const [first] = buffers
      const part = first?.subarray(0, Math.min(first.length, this.writtenBeforeFailure)) ?? Buffer.alloc(0)
      this.writtenBeforeFailure -= part.length
      return writevSync(fd, [part], position)
    }
    throw failure(this.failWrite)
  }

  dataSync(fd: number): void {
    if (this.failSync !== undefined) throw failure(this.failSync)
    fdatasyncSync(fd)
  }
}

async function largeMessage(store: Store, sizeBytes: number): Promise<NewMessage> {
  const staged = store.stageBody()
  await staged.write(Buffer.alloc(sizeBytes, 'L'))
  const body = await staged.finish()
  return { body, email: { ...mail(store).email, sizeBytes }, flags: noFlags }
}

for (const written of [0, 30, 64, 100]) {
  test(`a disk that is full after ${written} bytes of a body fails the batch as disk-full and the next one works`, async t => {
    const { dataDir, files, store, account, mailbox, append } = await openOnFiles(t, new FailingFiles())
    const before = mail(store, 'before')
    await append(before)
    files.failWrite = 'ENOSPC'
    files.writtenBeforeFailure = written
    const refused = mail(store, 'refused')
    const results = await Promise.allSettled([
      append(refused),
      store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [[1, 1]],
        mode: 'add',
        flags: { system: 1, keywords: [] },
      }),
    ])
    for (const result of results) {
      assert.ok(result.status === 'rejected')
      refuses('disk-full')(result.reason)
    }
    const segment = join(dataDir, 'segments', '00000001.seg')
    assert.ok(before.body.kind === 'inline')
    assert.equal(statSync(segment).size, before.body.bytes.length + 64)
    files.failWrite = undefined
    const after = mail(store, 'after')
    await append(refused, after)
    await assertRead(store, account, [before, refused, after])
    // What room there is, is left to the database.
    assert.ok(refused.body.kind === 'inline' && after.body.kind === 'inline')
    const bodies = [before.body, refused.body, after.body]
    const bodyBytes = bodies.reduce((sum, { bytes }) => sum + bytes.length + 64, 0)
    assert.equal(statSync(segment).size, bodyBytes)
    const snapshot = await store.snapshot(account, mailbox)
    assert.deepEqual(valuesOf(snapshot.uids, snapshot.count), [1, 2, 3])
    await store.close()
    assert.deepEqual((await checkStore(dataDir)).findings, [])
  })
}

test('after a failed fdatasync the segment is given up: what the kernel may have dropped is never built upon', async t => {
  const { dataDir, files, store, account, append } = await openOnFiles(t, new FailingFiles())
  const before = mail(store, 'before')
  await append(before)
  files.failSync = 'EIO'
  const refused = mail(store, 'r'.repeat(limits.store.redoBatchBytes))
  await assert.rejects(append(refused), refuses('unavailable'))
  files.failSync = undefined
  await append(refused)
  assert.deepEqual(readdirSync(join(dataDir, 'segments')).sort(), ['00000001.seg', '00000002.seg'])
  await assertRead(store, account, [before, refused])
  await store.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
})

test('a new segment that fails is taken away again, and its number is not in the way', async t => {
  const { files, store, account, append } = await openOnFiles(t, new FailingFiles())
  const first = mail(store, 'first')
  files.failSync = 'EIO'
  await assert.rejects(append(first), refuses('unavailable'))
  files.failWrite = 'ENOSPC'
  await assert.rejects(append(first), refuses('disk-full'))
  files.failWrite = undefined
  files.failSync = undefined
  await append(first)
  await assertRead(store, account, [first])
})

test('a large body whose transaction fails goes back to where it was staged', async t => {
  const { dataDir, files, store, account, append } = await openOnFiles(t, new FailingFiles())
  const large = await largeMessage(store, limits.store.ownSegmentBytes + 1)
  const medium = await largeMessage(store, limits.store.inlineBodyBytes + 1)
  files.failSync = 'EIO'
  await assert.rejects(append(large, medium, mail(store)), refuses('unavailable'))
  assert.equal(readdirSync(join(dataDir, 'staging')).length, 2)
  files.failSync = undefined
  await append(large, medium)
  assert.equal((await store.readBody(account, large.body.hash)).length, limits.store.ownSegmentBytes + 1)
  assert.equal((await store.readBody(account, medium.body.hash)).length, limits.store.inlineBodyBytes + 1)
  assert.deepEqual(readdirSync(join(dataDir, 'staging')), [])
  await store.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
})

for (const [what, tail] of [
  ['zeros', Buffer.alloc(5000)],
  ['half a header', Buffer.from('RSEG\x01\x00\x00')],
  ['noise', Buffer.alloc(777, 'noise')],
] as const) {
  test(`a torn tail of ${what} is cut off at the next start`, async t => {
    const dataDir = temporaryFolder(t)
    const first = await openStore({ dataDir })
    const account = await addAccount(first)
    const mailbox = await mailboxId(first, account, 'INBOX')
    const before = mail(first, 'before')
    await first.mutate('appendMessages', { account, mailbox, messages: [before] })
    await first.close()
    const segment = join(dataDir, 'segments', '00000001.seg')
    const { size } = statSync(segment)
    appendFileSync(segment, tail)
    writeFileSync(join(dataDir, 'staging', 'aaaa.body'), 'a body that was arriving')
    const second = await openStore({ dataDir })
    assert.equal(statSync(segment).size, size)
    assert.deepEqual(readdirSync(join(dataDir, 'staging')), [])
    const after = mail(second, 'after')
    await second.mutate('appendMessages', { account, mailbox, messages: [after] })
    await assertRead(second, account, [before, after])
    assert.deepEqual(readdirSync(join(dataDir, 'segments')), ['00000001.seg'])
    await second.close()
    assert.deepEqual((await checkStore(dataDir)).findings, [])
  })
}

test('a missing or shortened last segment does not take new mail with it', async t => {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const account = await addAccount(first)
  const mailbox = await mailboxId(first, account, 'INBOX')
  const lost = mail(first, 'lost')
  await first.mutate('appendMessages', { account, mailbox, messages: [lost] })
  await first.close()
  rmSync(join(dataDir, 'segments', '00000001.seg'))
  const second = await openStore({ dataDir })
  const kept = mail(second, 'kept')
  await second.mutate('appendMessages', { account, mailbox, messages: [kept] })
  await assertRead(second, account, [kept])
  await assert.rejects(async () => second.readBody(account, lost.body.hash), refuses('corrupt'))
  await second.close()
})

/** A file system of a few megabytes, where the tests may mount one. */
function smallDisk(t: TestContext, mebibytes: number): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'restante-disk-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return path
}

test('on a disk that is really full mail is refused as disk-full, and taken again when there is room', async t => {
  const disk = smallDisk(t, 8)
  if (disk === undefined) {
    t.skip('not here: a tmpfs cannot be mounted')
    return
  }
  try {
    await fillDisk(disk)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

async function fillDisk(disk: string): Promise<void> {
  const dataDir = join(disk, 'data')
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const kept: NewMessage[] = []
  let refused = 0
  for (let i = 0; i < 2000 && refused < 5; i++) {
    const message = mail(store, `${i} `.repeat(8000))
    try {
      await store.mutate('appendMessages', { account, mailbox, messages: [message] })
      kept.push(message)
    } catch (error) {
      refuses('disk-full')(error)
      refused++
    }
  }
  assert.equal(refused, 5)
  assert.ok(kept.length > 10)
  await assertRead(store, account, kept)
  const staged = store.stageBody()
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await staged.write(Buffer.alloc(200_000, i))
    await staged.finish()
  }, refuses('disk-full'))
  staged.discard()
  execFileSync('mount', ['-o', 'remount,size=64m', disk])
  const after = mail(store, 'after')
  await store.mutate('appendMessages', { account, mailbox, messages: [after] })
  await assertRead(store, account, [...kept, after])
  const snapshot = await store.snapshot(account, mailbox)
  assert.equal(snapshot.count, kept.length + 1)
  await store.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
}

test('a segment has zeros behind its bodies while it is written, and none when the store is closed', async t => {
  const { dataDir, store, account, append } = await openOnFiles(t, new FailingFiles())
  const first = mail(store, 'first')
  const second = mail(store, 'second')
  await append(first)
  const segment = join(dataDir, 'segments', '00000001.seg')
  const sizeBytes = statSync(segment).size
  await append(second)
  assert.equal(statSync(segment).size, sizeBytes)
  await assertRead(store, account, [first, second])
  await store.close()
  assert.ok(first.body.kind === 'inline' && second.body.kind === 'inline')
  assert.equal(statSync(segment).size, first.body.bytes.length + second.body.bytes.length + 2 * 64)
})

test('a store that was not closed finds its bodies and goes on behind them, over the zeros', async t => {
  const { dataDir, store, account, mailbox, append } = await openOnFiles(t, new FailingFiles())
  const before = mail(store, 'before')
  await append(before)
  // What kill -9 leaves.
  const copy = temporaryFolder(t)
  cpSync(dataDir, copy, { recursive: true })
  const again = await openStore({ dataDir: copy })
  t.after(() => again.close())
  const after = mail(again, 'after')
  await again.mutate('appendMessages', { account, mailbox, messages: [after] })
  await assertRead(again, account, [before, after])
  await again.close()
  assert.deepEqual((await checkStore(copy)).findings, [])
  assert.ok(before.body.kind === 'inline' && after.body.kind === 'inline')
  const { size } = statSync(join(copy, 'segments', '00000001.seg'))
  assert.equal(size, before.body.bytes.length + after.body.bytes.length + 2 * 64)
})
