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

test('the heads of chunks are read once, and anew when somebody has written into the file or made another', t => {
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
  const numbers = () =>
    reader
      .chunks(account)
      .map(({ edition }) => edition.number)
      .sort((a, b) => a - b)
  assert.deepEqual(reader.chunks(account), [])
  put(file, 1)
  assert.deepEqual(numbers(), [1])
  assert.equal(reader.chunks(account), reader.chunks(account))
  put(file, 2)
  assert.deepEqual(numbers(), [1, 2])
  file.forget(account)
  assert.deepEqual(numbers(), [])
  file.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const other = ChunkFile.open(path, 'a store', silentLog)
  put(other, 3)
  assert.deepEqual(numbers(), [3])
  other.close()
})
