// A power cut takes what no fdatasync has reached: every message that was acknowledged has its body afterwards.
import assert from 'node:assert/strict'
import {
  cpSync,
  fdatasyncSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writevSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import type { SegmentFileSystem } from '../../src/store/bodies/segment-files.ts'
import { checkStore } from '../../src/store/check.ts'
import type { NewMessage } from '../../src/store/mutations/append-messages.ts'
import { openStore } from '../../src/store/open-store.ts'
import { refuses } from './conformance.ts'
import { mail, mailboxId, temporaryFolder } from './fixture.ts'
import { assertRead, type OnFiles, openOnFiles } from './on-files.ts'

/** So that a few hundred messages fill one. */
const segmentBytes = 4 * 2 ** 20
;(limits.store as { segmentBytes: number }).segmentBytes = segmentBytes

/** Knows what of each segment has reached the disk. */
class VolatileFiles implements SegmentFileSystem {
  readonly #synced = new Map<string, Buffer>()
  failSync = false
  syncs = 0

  writev(fd: number, buffers: readonly Uint8Array[], position: number): number {
    return writevSync(fd, buffers, position)
  }

  dataSync(fd: number): void {
    if (this.failSync) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    this.syncs++
    fdatasyncSync(fd)
    const path = readlinkSync(`/proc/self/fd/${fd}`)
    this.#synced.set(basename(path), readFileSync(path))
  }

  /** The folder as it is found when the power comes back; of what was not synced the file system has kept the length where `keepsLength`, and no bytes. */
  cutPower(dataDir: string, target: string, keepsLength: boolean): void {
    cpSync(dataDir, target, { recursive: true })
    for (const [name, bytes] of this.#synced) {
      const path = join(target, 'segments', name)
      const lost = Math.max(0, readFileSync(path).length - bytes.length)
      writeFileSync(path, keepsLength ? Buffer.concat([bytes, Buffer.alloc(lost)]) : bytes)
    }
  }
}

/** The power is cut now: the store that is found has all of `messages`, and is whole; it goes on. */
async function assertSurvives(
  t: TestContext,
  { dataDir, files, account }: OnFiles<VolatileFiles>,
  messages: readonly NewMessage[],
  keepsLength: boolean,
): Promise<void> {
  const found = temporaryFolder(t)
  files.cutPower(dataDir, found, keepsLength)
  const store = await openStore({ dataDir: found })
  await assertRead(store, account, messages)
  const later = mail(store, 'later')
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('appendMessages', { account, mailbox, messages: [later] })
  await assertRead(store, account, [...messages, later])
  await store.close()
  assert.deepEqual((await checkStore(found)).findings, [])
}

for (const keepsLength of [true, false]) {
  const what = keepsLength ? 'and the file system has kept the length' : 'and the file is as short as it was'
  test(`small messages are durable by the sync of the log alone, ${what}`, async t => {
    const opened = await openOnFiles(t, new VolatileFiles())
    const { store, files, append } = opened
    const kept = [mail(store, 'makes the file')]
    await append(...kept)
    const { syncs } = files
    for (let i = 0; i < 20; i++) {
      const message = mail(store, `${i} `.repeat(i * 100))
      await append(message)
      kept.push(message)
    }
    assert.equal(files.syncs, syncs)
    await assertSurvives(t, opened, kept, keepsLength)
  })

  test(`messages of all sizes are there after a power cut, ${what}`, async t => {
    const opened = await openOnFiles(t, new VolatileFiles())
    const { store, append } = opened
    const kept: NewMessage[] = []
    const sizes = [10, 20_000, 5_000, 40_000, 100, 60_000, 10_000, 10_000, 10_000]
    for (const [at, size] of [...sizes, ...sizes.toReversed()].entries()) {
      // Two in one transaction now and then.
      const messages = Array.from({ length: 1 + (at % 2) }, () => mail(store, 'x'.repeat(size)))
      await append(...messages)
      kept.push(...messages)
      if (at % 4 === 3) await assertSurvives(t, opened, kept, keepsLength)
    }
    await assertSurvives(t, opened, kept, keepsLength)
  })
}

test('no more is kept for writing it again than a segment has zeros behind it', async t => {
  const { store, files, append } = await openOnFiles(t, new VolatileFiles())
  await append(mail(store))
  const { syncs } = files
  const message = 'm'.repeat(limits.store.redoBatchBytes - 1000)
  const count = Math.ceil(limits.store.segmentReserveBytes / message.length) + 1
  for (let i = 0; i < count; i++) await append(mail(store, message))
  assert.equal(files.syncs, syncs + 1)
  const { redone } = (await store.reader.get<{ redone: number }>(
    'SELECT count(*) AS redone FROM segment_redo',
  )) ?? { redone: -1 }
  assert.ok(redone < 5, `${redone} are kept`)
})

test('a segment that is full is synced before another is begun', async t => {
  const opened = await openOnFiles(t, new VolatileFiles())
  const { store, append } = opened
  const kept: NewMessage[] = []
  const text = 'm'.repeat(limits.store.redoBatchBytes - 1000)
  while (kept.length * text.length < 2 * segmentBytes) {
    const message = mail(store, text)
    await append(message)
    kept.push(message)
  }
  assert.ok(readdirSync(join(opened.dataDir, 'segments')).length > 2)
  await assertSurvives(t, opened, kept, false)
})

test('a store that was closed has nothing to write again', async t => {
  const opened = await openOnFiles(t, new VolatileFiles())
  const { dataDir, store, append, account } = opened
  const messages = [mail(store, 'one'), mail(store, 'two')]
  for (const message of messages) await append(message)
  await store.close()
  const files = new VolatileFiles()
  const again = await openStore({ dataDir }, { files })
  assert.equal(files.syncs, 0)
  await assertRead(again, account, messages)
  await again.close()
  await assertSurvives(t, opened, messages, false)
})

test('what a failed sync may have dropped is written again before more mail is taken', async t => {
  const opened = await openOnFiles(t, new VolatileFiles())
  const { dataDir, store, account, files, append } = opened
  const kept = [mail(store, 'makes the file'), mail(store, 'is logged')]
  for (const message of kept) await append(message)
  files.failSync = true
  const large = mail(store, 'L'.repeat(limits.store.redoBatchBytes))
  await assert.rejects(append(large), refuses('unavailable'))
  const segment = join(dataDir, 'segments', '00000001.seg')
  const [first] = kept
  assert.ok(first?.body.kind === 'inline')
  // The kernel has forgotten what it could not write.
  const bytes = readFileSync(segment)
  writeFileSync(segment, bytes.fill(0, first.body.bytes.length + 64))
  await assert.rejects(append(large), refuses('unavailable'))
  files.failSync = false
  await append(large)
  kept.push(large)
  await assertRead(store, account, kept)
  await assertSurvives(t, opened, kept, false)
})
