// Random histories on each back-end: `model-history.ts` says what is compared.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { checkStore } from '../../src/store/check.ts'
import { openStore } from '../../src/store/open-store.ts'
import { checkDatabase } from '../../src/store/postgres/check-database.ts'
import type { StoreOptions } from '../../src/store/store-options.ts'
import { createDatabase } from '../postgres/database.ts'
import { temporaryFolder } from './fixture.ts'
import { History } from './model-history.ts'

async function onDisk(t: TestContext, seed: number, steps: number, options: StoreOptions): Promise<void> {
  const dataDir = temporaryFolder(t)
  await new History(() => openStore({ dataDir }, options), seed).run(steps)
  assert.deepEqual((await checkStore(dataDir)).findings, [])
}

for (const seed of [1, 2, 3]) {
  test(`a store in memory answers like a naive one through history ${seed}`, async () => {
    // Closing would lose it all, so reopening gives the same store.
    const store = await openStore({ memory: true })
    const kept = new Proxy(store, {
      get: (target, property) => {
        if (property === 'close') return () => Promise.resolve()
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await new History(() => Promise.resolve(kept), seed).run(1500)
    await store.close()
  })
}

test('a store on disk answers like a naive one, opened again and again', async t => {
  await onDisk(t, 11, 600, {})
})

test('a store on disk without memory for snapshots answers like a naive one', async t => {
  await onDisk(t, 12, 300, { snapshotBytes: 0 })
})

test('a store that syncs every commit answers like a naive one', async t => {
  await onDisk(t, 13, 150, { durability: 'strict' })
})

for (const [what, options] of [
  ['a store on PostgreSQL answers like a naive one, opened again and again', {}],
  ['a store on PostgreSQL without memory for snapshots answers like a naive one', { snapshotBytes: 0 }],
] as const) {
  test(what, async () => {
    const { url } = await createDatabase()
    await new History(() => openStore({ url }, options), 21).run(250)
    assert.deepEqual((await checkDatabase({ url })).findings, [])
  })
}
