// The disk cache of bodies.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../../src/base/log.ts'
import { BodyCache, leastCacheBytes } from '../../../src/store/s3/body-cache.ts'
import { temporaryFolder } from '../fixture.ts'

const nameOf = (text: string) => `${createHash('sha256').update(text).digest('hex')}.0`

function filesIn(path: string): { path: string; sizeBytes: number }[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(file => ({ path: file, sizeBytes: statSync(file).size }))
}

test('what was kept is found, by this one and by the next on the same folder', async t => {
  const path = temporaryFolder(t)
  const cache = new BodyCache(path, leastCacheBytes, silentLog)
  const small = randomBytes(1000)
  const large = randomBytes(1024 * 1024)
  await cache.keep(nameOf('small'), small)
  await cache.keep(nameOf('large'), large)
  for (const each of [cache, new BodyCache(path, leastCacheBytes, silentLog)]) {
    assert.deepEqual(await each.find(nameOf('small')), small)
    assert.deepEqual(await each.find(nameOf('large')), large)
    assert.equal(await each.find(nameOf('none')), undefined)
  }
})

for (const sizeBytes of [1000, 900_000]) {
  test(`a file of ${sizeBytes} bytes that is torn or damaged is not served`, async t => {
    const path = temporaryFolder(t)
    const cache = new BodyCache(path, leastCacheBytes, silentLog)
    const name = nameOf('body')
    await cache.keep(name, randomBytes(sizeBytes))
    const file = filesIn(path)[0]?.path as string
    const whole = readFileSync(file)
    for (const length of [0, 5, 12, 500, whole.length - 1]) {
      truncateSync(file, length)
      assert.equal(await cache.find(name), undefined)
      writeFileSync(file, whole)
    }
    for (const position of [0, 5, 9, 300]) {
      const damaged = Buffer.from(whole)
      damaged[position] = (damaged[position] ?? 0) ^ 1
      writeFileSync(file, damaged)
      assert.equal(await cache.find(name), undefined)
    }
    // As a power cut may leave a file that was renamed and not synced.
    writeFileSync(file, Buffer.alloc(whole.length))
    assert.equal(await cache.find(name), undefined)
    writeFileSync(file, whole)
    assert.ok(await cache.find(name))
  })
}

test('two caches on one folder together hold no more than what is allowed, and what was used last stays', async t => {
  const path = temporaryFolder(t)
  const maxBytes = leastCacheBytes / 128
  const caches = [1, 2].map(() => new BodyCache(path, maxBytes, silentLog))
  const bytes = randomBytes(10_000)
  const used = nameOf('used')
  await caches[0]?.keep(used, bytes)
  for (let at = 0; at < 700; at++) {
    await caches[at % 2]?.keep(nameOf(`body ${at}`), bytes)
    if (at % 10 > 0) continue
    const file = filesIn(path).find(each => each.path.endsWith(used))?.path as string
    // As if it had not been used for a while; asking for it marks it.
    utimesSync(file, Date.now() / 1000 - 120, Date.now() / 1000 - 120)
    assert.ok(await caches[0]?.find(used))
  }
  const total = filesIn(path).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  assert.ok(total <= maxBytes, `${total} of ${maxBytes}`)
  assert.ok(total > maxBytes / 4)
  assert.ok(await caches[0]?.find(nameOf('body 699')))
})

test('a cache that is made smaller gives the room back, and what a crash left goes first', async t => {
  const path = temporaryFolder(t)
  const large = new BodyCache(path, leastCacheBytes, silentLog)
  const bytes = randomBytes(10_000)
  for (let at = 0; at < 400; at++) await large.keep(nameOf(`body ${at}`), bytes)
  const torn = join(path, '00', 'x.part')
  writeFileSync(torn, bytes)
  utimesSync(torn, Date.now() / 1000 - 7200, Date.now() / 1000 - 7200)
  const small = new BodyCache(path, leastCacheBytes / 128, silentLog)
  for (let at = 0; at < 300; at++) await small.keep(nameOf(`other ${at}`), bytes)
  const files = filesIn(path)
  assert.ok(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= leastCacheBytes / 128)
  assert.ok(!files.some(file => file.path === torn))
})

test('a folder that cannot be written is said once, and nothing fails', async t => {
  const path = temporaryFolder(t)
  const warnings: string[] = []
  const cache = new BodyCache(path, leastCacheBytes, {
    ...silentLog,
    warn: (_fields, message) => warnings.push(message),
  })
  // A file stands where the folder was: nobody can write into that, root neither.
  const { rmSync } = await import('node:fs')
  rmSync(path, { recursive: true })
  writeFileSync(path, '')
  await cache.keep(nameOf('one'), Buffer.from('one'))
  await cache.keep(nameOf('two'), Buffer.from('two'))
  assert.equal(await cache.find(nameOf('one')), undefined)
  assert.deepEqual(warnings, ['the cache of bodies cannot be written'])
  rmSync(path)
})
