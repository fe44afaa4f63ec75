import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { openStorage } from '../../src/server/storage.ts'
import { storeConfigSchema } from '../../src/store/config.ts'
import { openStore } from '../../src/store/open-store.ts'

for (const threads of [0, 1]) {
  test(`a store that can be written says so (${threads} threads)`, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'restante-storage-'))
    const config = {
      dataDir,
      threads,
      quota: { bytes: null, messages: null },
      search: { index: true },
      store: storeConfigSchema.parse({}),
    }
    const storage = await openStorage({
      config,
      clock: systemClock,
      log: silentLog,
      metrics: silentMetrics,
      onNewWriter: () => {},
    })
    assert.equal(await storage.checkWritable(), 'ok')
    await storage.close()
    assert.match(await storage.checkWritable(), /closed/)
  })
}

test('a writer that dies is replaced, and threads that read go on with the next', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-storage-'))
  const config = {
    dataDir,
    threads: 1,
    quota: { bytes: null, messages: null },
    search: { index: true },
    store: storeConfigSchema.parse({}),
  }
  const replaced = Promise.withResolvers<void>()
  const died = Promise.withResolvers<void>()
  const log = { ...silentLog, error: () => died.resolve() }
  const storage = await openStorage({
    config,
    clock: systemClock,
    log,
    metrics: silentMetrics,
    onNewWriter: () => replaced.resolve(),
  })
  const thread = await openStore({ dataDir, port: storage.connect() as MessagePort })
  await thread.mutate('createDomain', { name: 'one.example' })
  // What no thread would ever send.
  storage.connect()?.postMessage(null)
  await died.promise
  await replaced.promise
  thread.connect(storage.connect() as MessagePort)
  await thread.mutate('createDomain', { name: 'two.example' })
  await storage.store.mutate('createDomain', { name: 'three.example' })
  const rows = await thread.reader.all<{ name: string }>('SELECT name FROM domain ORDER BY name')
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['one.example', 'three.example', 'two.example'],
  )
  await thread.close()
  await storage.close()
})
