// Bodies in S3: uploads, reads through the cache, and the sweep of what nothing refers to.
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { BlobHash } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import { silentLog } from '../../../src/base/log.ts'
import { bodyOf } from '../../../src/store/bodies/body-of.ts'
import { dataFolder, makeDataFolder } from '../../../src/store/bodies/data-folder.ts'
import { FileStagedBody } from '../../../src/store/bodies/file-staged-body.ts'
import { BodyCache, leastCacheBytes } from '../../../src/store/s3/body-cache.ts'
import { contentOf, S3Client } from '../../../src/store/s3/client.ts'
import { findObjectNumbers, newObjectNumbers, objectName } from '../../../src/store/s3/object-name.ts'
import { S3Bodies } from '../../../src/store/s3/s3-bodies.ts'
import { sweep } from '../../../src/store/s3/sweep.ts'
import { temporaryFolder } from '../fixture.ts'
import { type S3TestServer, startS3 } from './s3-server.ts'

interface Node {
  readonly bodies: S3Bodies
  readonly client: S3Client
  readonly folder: ReturnType<typeof dataFolder>
}

/** A node with an empty cache, or with that of a node before it. */
function startNode(t: TestContext, server: S3TestServer, path = temporaryFolder(t)): Node {
  const folder = dataFolder(path)
  makeDataFolder(folder)
  const client = new S3Client(server.place, { random: () => 0 })
  const bodies = new S3Bodies({
    client,
    cache: new BodyCache(`${path}/cache`, leastCacheBytes, silentLog),
    folder,
  })
  t.after(() => bodies.close())
  return { bodies, client, folder }
}

const gets = ({ seen }: S3TestServer) => seen.filter(({ method }) => method === 'GET').length
const puts = ({ seen }: S3TestServer) => seen.filter(({ method }) => method === 'PUT').length

async function uploadBytes({ bodies }: Node, bytes: Buffer) {
  const body = bodyOf(bytes)
  await bodies.upload([body])
  return { hash: body.hash, location: bodies.locate(body) }
}

test('what one node uploaded another reads, in any range, asking S3 once for each piece', async t => {
  const server = await startS3(t)
  const writer = startNode(t, server)
  const path = temporaryFolder(t)
  const reader = startNode(t, server, path)
  const bytes = randomBytes(2_500_000)
  const { hash: name, location } = await uploadBytes(writer, bytes)
  for (const [start, end] of [
    [0, 10],
    [1_048_570, 1_048_590],
    [2_499_990, 2_500_000],
    [0, 2_500_000],
    [5, 5],
  ] as const) {
    assert.deepEqual(await reader.bodies.read(name, location, start, end), bytes.subarray(start, end))
  }
  assert.equal(gets(server), 3)
  await reader.bodies.settled()
  const restarted = startNode(t, server, path)
  assert.deepEqual(await restarted.bodies.read(name, location, 0, bytes.length), bytes)
  assert.equal(gets(server), 3)
})

test('many who read one body at once share one download', async t => {
  const server = await startS3(t)
  const { hash: name, location } = await uploadBytes(startNode(t, server), randomBytes(70_000))
  const reader = startNode(t, server)
  const release = Promise.withResolvers<void>()
  server.fault = ({ method }) => (method === 'GET' ? { kind: 'wait', until: release.promise } : undefined)
  const reads = Array.from({ length: 20 }, (_, at) => reader.bodies.read(name, location, at, at + 1000))
  release.resolve()
  assert.equal((await Promise.all(reads)).length, 20)
  assert.equal(gets(server), 1)
})

test('who uploaded a small body reads it from its own disk', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const bytes = randomBytes(20_000)
  const { hash: name, location } = await uploadBytes(node, bytes)
  await node.bodies.settled()
  assert.deepEqual(await node.bodies.read(name, location, 0, bytes.length), bytes)
  assert.equal(gets(server), 0)
})

test('one body for many is uploaded once, also while it is under way', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const body = bodyOf(randomBytes(5000))
  await Promise.all([node.bodies.upload([body, body]), node.bodies.upload([body])])
  await node.bodies.upload([body])
  assert.equal(puts(server), 1)
})

test('a staged body is streamed out of its file', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const staged = new FileStagedBody(node.folder)
  const bytes = randomBytes(6_000_000)
  for (let at = 0; at < bytes.length; at += 65_536) await staged.write(bytes.subarray(at, at + 65_536))
  const body = await staged.finish()
  assert.equal(body.kind, 'staged')
  await node.bodies.upload([body])
  staged.discard()
  const reader = startNode(t, server)
  assert.deepEqual(await reader.bodies.read(body.hash, node.bodies.locate(body), 0, bytes.length), bytes)
})

test('an object that is gone reads as undefined, and one that holds something else as corrupt', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const { hash: name, location } = await uploadBytes(node, randomBytes(1000))
  const reader = startNode(t, server)
  await node.client.put(objectName(location), contentOf(randomBytes(1000)))
  await assert.rejects(reader.bodies.read(name, location, 0, 1000), { code: 'corrupt' })
  await node.client.deleteMany([objectName(location)])
  assert.equal(await reader.bodies.read(name, location, 0, 1000), undefined)
})

test('a large object that holds something else is found when it is read whole', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const bytes = randomBytes(1_500_000)
  const { hash: name, location } = await uploadBytes(node, bytes)
  bytes[1_200_000] = (bytes[1_200_000] ?? 0) ^ 1
  await node.client.put(objectName(location), contentOf(bytes))
  await assert.rejects(startNode(t, server).bodies.read(name, location, 0, bytes.length), { code: 'corrupt' })
})

test('a byte that is changed on the way is noticed, and asked for again', async t => {
  const server = await startS3(t)
  const bytes = randomBytes(1000)
  const { hash: name, location } = await uploadBytes(startNode(t, server), bytes)
  server.fault = () => (gets(server) === 1 ? { kind: 'corrupt' } : undefined)
  assert.deepEqual(await startNode(t, server).bodies.read(name, location, 0, 1000), bytes)
  assert.equal(gets(server), 2)
})

test('a bucket that cannot be reached is a temporary failure, and a full one says so', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  server.fault = () => ({ kind: 'refuse', status: 503, code: 'SlowDown' })
  await assert.rejects(node.bodies.upload([bodyOf(randomBytes(10))]), { code: 'unavailable' })
  server.fault = () => ({ kind: 'refuse', status: 403, code: 'QuotaExceeded' })
  await assert.rejects(node.bodies.upload([bodyOf(randomBytes(10))]), { code: 'disk-full' })
  server.fault = undefined
  await node.bodies.upload([bodyOf(randomBytes(10))])
})

test('a body keeps its place as long as a transaction waits, whatever else comes', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const body = bodyOf(randomBytes(10))
  const [first, second] = await Promise.all([node.bodies.upload([body]), node.bodies.upload([body])])
  const location = node.bodies.locate(body)
  first?.()
  assert.deepEqual(node.bodies.locate(body), location)
  second?.()
  assert.throws(() => node.bodies.locate(body), { code: 'unavailable' })
  // Sent again soon after, it is the same object.
  await node.bodies.upload([body])
  assert.deepEqual(node.bodies.locate(body), location)
})

test('a body that was not uploaded has no place', async t => {
  const node = startNode(t, await startS3(t))
  assert.throws(() => node.bodies.locate(bodyOf(randomBytes(10))), { code: 'unavailable' })
})

test('the sweep removes old objects that no row refers to, and nothing else', async t => {
  const server = await startS3(t)
  const node = startNode(t, server)
  const used = await uploadBytes(node, randomBytes(100))
  const unused = await uploadBytes(node, randomBytes(200))
  await node.client.put('readme.txt', contentOf(Buffer.from('not ours')))
  const run = (serverNow: number) =>
    sweep({
      // The server's clock is a day ahead of what it was at the upload.
      client: Object.assign(Object.create(node.client) as S3Client, {
        list: async (after?: string) => ({ ...(await node.client.list(after)), serverNow }),
        deleteMany: (names: readonly string[]) => node.client.deleteMany(names),
      }),
      log: silentLog,
      findUsed: numbers =>
        Promise.resolve(new Set(numbers.map(objectName).filter(name => name === objectName(used.location)))),
      mayGoOn: () => Promise.resolve(true),
      signal: new AbortController().signal,
    })
  assert.deepEqual(await run(Date.now()), { seen: 3, removed: 0, freedBytes: 0 })
  assert.deepEqual(await run(Date.now() + limits.s3.graceMs + 5000), { seen: 3, removed: 1, freedBytes: 200 })
  assert.ok(await node.client.head(objectName(used.location)))
  assert.equal(await node.client.head(objectName(unused.location)), undefined)
  assert.ok(await node.client.head('readme.txt'))
})

test('names are given as numbers and back', () => {
  for (let at = 0; at < 1000; at++) {
    const numbers = newObjectNumbers()
    assert.ok(Number.isSafeInteger(numbers.segment) && Number.isSafeInteger(numbers.offset))
    assert.deepEqual(findObjectNumbers(objectName(numbers)), numbers)
  }
  assert.equal(objectName({ segment: 0, offset: 1 }), '00/000000000000000000000001')
  assert.equal(findObjectNumbers('readme.txt'), undefined)
})

test('an empty body is a body', async t => {
  const node = startNode(t, await startS3(t))
  const { hash: name, location } = await uploadBytes(node, Buffer.alloc(0))
  assert.equal(name, hash('sha256', '', 'hex') as BlobHash)
  assert.deepEqual(await node.bodies.read(name, location, 0, 0), Buffer.alloc(0))
})
