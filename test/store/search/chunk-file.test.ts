import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AccountId } from '../../../src/base/ids.ts'
import { silentLog } from '../../../src/base/log.ts'
import { ChunkBuilder } from '../../../src/store/search/chunk-builder.ts'
import { ChunkFile, ChunkFileReader } from '../../../src/store/sqlite/chunk-file.ts'
import { temporaryFolder } from '../fixture.ts'

const account = 1 as AccountId

test('the head of each chunk is read once, with a breath behind it, and anew when somebody has made another file', async t => {
  const path = join(temporaryFolder(t), 'search.db')
  const file = ChunkFile.open(path, 'a store', silentLog)
  const reader = new ChunkFileReader(path, 'a store', silentLog)
  t.after(() => reader.close())
  const put = (into: ChunkFile, number: number) => {
    const builder = new ChunkBuilder({ level: 0, number })
    builder.begin(0, {
      id: 0,
      hash: '',
      sent_at: null,
      sent_zone_minutes: 0,
      is_reply: 0,
      base_subject: '',
      message_id: '',
      reference_ids: '',
    })
    into.put(account, { level: 0, number }, builder.pack(), [])
  }
  let breaths = 0
  const chunks = () => reader.chunks(account, () => void breaths++)
  const read = async () => {
    breaths = 0
    const found = await chunks()
    return { numbers: found.map(({ edition }) => edition.number).sort((a, b) => a - b), heads: breaths }
  }
  assert.deepEqual(await read(), { numbers: [], heads: 0 })
  put(file, 1)
  assert.deepEqual(await read(), { numbers: [1], heads: 1 })
  const known = chunks()
  assert.equal(known, chunks())
  // Of another account.
  file.swept(2 as AccountId, 1)
  assert.equal(known, chunks())
  put(file, 2)
  put(file, 5)
  assert.deepEqual(await read(), { numbers: [1, 2, 5], heads: 2 })
  put(file, 2)
  assert.deepEqual(await read(), { numbers: [1, 2, 5], heads: 1 })
  file.forget(account)
  assert.deepEqual(await read(), { numbers: [], heads: 0 })
  file.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const other = ChunkFile.open(path, 'a store', silentLog)
  put(other, 3)
  assert.deepEqual(await read(), { numbers: [3], heads: 1 })
  other.close()
})
