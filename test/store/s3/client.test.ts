// The S3 client against a server that verifies its signatures, and against one that fails.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { ensureSelfSigned } from '../../../src/net/self-signed.ts'
import { contentOf, S3Client, type S3Place } from '../../../src/store/s3/client.ts'
import { S3Error } from '../../../src/store/s3/error.ts'
import { temporaryFolder } from '../fixture.ts'
import { type S3TestServer, startS3 } from './s3-server.ts'

/** Pauses of nearly nothing between tries. */
function clientOf(t: TestContext, place: S3Place): S3Client {
  const client = new S3Client(place, { random: () => 0 })
  t.after(() => client.close())
  return client
}

async function listAll(client: S3Client): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const { objects, isTruncated } = await client.list(names.at(-1), 10)
    names.push(...objects.map(({ name }) => name))
    if (!isTruncated) return names
  }
}

const firstOnly = (
  server: S3TestServer,
  method: string,
  fault: ReturnType<NonNullable<S3TestServer['fault']>>,
) => {
  let isFirst = true
  server.fault = request => {
    if (request.method !== method || !isFirst) return undefined
    isFirst = false
    return fault
  }
}

test('what was put is got, whole and in ranges, on one connection', async t => {
  const server = await startS3(t)
  const client = clientOf(t, server.place)
  const bytes = randomBytes(100_000)
  await client.put('ab/one', contentOf(bytes))
  assert.deepEqual(await client.get('ab/one', 0, bytes.length), bytes)
  assert.deepEqual(await client.get('ab/one', 70_000, 70_010), bytes.subarray(70_000, 70_010))
  const head = await client.head('ab/one')
  assert.equal(head?.sizeBytes, bytes.length)
  assert.ok(Math.abs((head?.modifiedAt ?? 0) - Date.now()) < 60_000)
  assert.equal(server.connections(), 1)
  assert.ok(server.seen.every(({ target }) => target.startsWith('/mail/bodies/ab/one')))
})

test('what is not there is undefined, and removing it is no error', async t => {
  const client = clientOf(t, (await startS3(t)).place)
  assert.equal(await client.get('none', 0, 10), undefined)
  assert.equal(await client.head('none'), undefined)
  await client.deleteMany(['none'])
})

test('a listing has every object of the prefix over several pages, and none of another', async t => {
  const server = await startS3(t)
  const client = clientOf(t, server.place)
  const other = clientOf(t, { ...server.place, prefix: 'other/' })
  await other.put('foreign', contentOf(Buffer.from('x')))
  const names = Array.from({ length: 25 }, (_, at) => `n${String(at).padStart(2, '0')}`)
  await Promise.all(names.map(name => client.put(name, contentOf(Buffer.from(name)))))
  assert.deepEqual(await listAll(client), names)
  await client.deleteMany(names.slice(0, 20))
  assert.deepEqual(await listAll(client), names.slice(20))
  assert.deepEqual(await listAll(other), ['foreign'])
})

test('names are sent so that their signature holds, whatever is in them', async t => {
  const client = clientOf(t, (await startS3(t)).place)
  const name = 'a b/ü+(1)*!=~'
  await client.put(name, contentOf(Buffer.from('odd')))
  assert.equal((await client.get(name, 0, 3))?.toString(), 'odd')
  assert.deepEqual(await listAll(client), [name])
  await client.deleteMany([name])
  assert.deepEqual(await listAll(client), [])
})

test('a stream is put, and begun anew when the first try is cut off', async t => {
  const server = await startS3(t)
  const client = clientOf(t, server.place)
  const bytes = randomBytes(3_000_000)
  let opened = 0
  firstOnly(server, 'PUT', { kind: 'cut', isDone: false })
  await client.put('large', {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open() {
      opened++
      return Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)])
    },
  })
  assert.equal(opened, 2)
  assert.deepEqual(await client.get('large', 0, bytes.length), bytes)
})

test('bytes that are not those of the hash are refused by the server', async t => {
  const client = clientOf(t, (await startS3(t)).place)
  const wrong = contentOf(Buffer.from('these'), createHash('sha256').update('others').digest('hex'))
  await assert.rejects(client.put('wrong', wrong), { code: 'XAmzContentSHA256Mismatch' })
  assert.equal(await client.head('wrong'), undefined)
})

for (const [what, fault] of [
  ['SlowDown', { kind: 'refuse', status: 503, code: 'SlowDown' }],
  ['an internal error', { kind: 'refuse', status: 500, code: 'InternalError' }],
  ['a connection that ends', { kind: 'cut', isDone: false }],
  ['an answer that is lost', { kind: 'cut', isDone: true }],
  ['an answer that is torn', { kind: 'truncate' }],
] as const) {
  test(`after ${what} the same is asked again`, async t => {
    const server = await startS3(t)
    const client = clientOf(t, server.place)
    const bytes = randomBytes(50_000)
    firstOnly(server, 'PUT', fault)
    await client.put('one', contentOf(bytes))
    firstOnly(server, 'GET', fault)
    assert.deepEqual(await client.get('one', 0, bytes.length), bytes)
    assert.deepEqual(
      server.seen.map(({ method }) => method),
      fault.kind === 'truncate' ? ['PUT', 'GET', 'GET'] : ['PUT', 'PUT', 'GET', 'GET'],
    )
  })
}

test('it gives up after five tries, with the last refusal', async t => {
  const server = await startS3(t)
  const client = clientOf(t, server.place)
  server.fault = () => ({ kind: 'refuse', status: 503, code: 'SlowDown' })
  await assert.rejects(client.get('one', 0, 1), (error: unknown) => {
    assert.ok(error instanceof S3Error)
    assert.equal(error.code, 'SlowDown')
    assert.equal(error.isTemporary, true)
    return true
  })
  assert.equal(server.seen.length, 5)
})

test('what will not change is not asked again', async t => {
  const server = await startS3(t)
  const wrongKey = clientOf(t, { ...server.place, secretAccessKey: 'other' })
  await assert.rejects(wrongKey.get('one', 0, 1), { code: 'SignatureDoesNotMatch', isTemporary: false })
  const wrongBucket = clientOf(t, { ...server.place, bucket: 'nobodys' })
  await assert.rejects(wrongBucket.get('one', 0, 1), { code: 'NoSuchBucket' })
  assert.equal(server.seen.length, 2)
})

test('a clock that is wrong is named', async t => {
  const server = await startS3(t)
  const client = new S3Client(server.place, { now: () => Date.now() - 3_600_000 })
  t.after(() => client.close())
  await assert.rejects(client.get('one', 0, 1), { code: 'RequestTimeTooSkewed' })
})

test('closing ends what is under way', async t => {
  const server = await startS3(t)
  const client = clientOf(t, server.place)
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  server.fault = () => {
    asked.resolve()
    return { kind: 'wait', until: promise }
  }
  const answer = assert.rejects(client.get('one', 0, 1), S3Error)
  await asked.promise
  client.close()
  await answer
  resolve()
})

test('over TLS it trusts the authority that it was given, and nobody else', async t => {
  const { certFile } = await ensureSelfSigned({
    folder: temporaryFolder(t),
    names: ['127.0.0.1'],
    now: Date.now,
  })
  const certificate = readFileSync(certFile)
  const server = await startS3(t, 'tls/', certificate)
  const bytes = randomBytes(200_000)
  const client = clientOf(t, { ...server.place, ca: certificate.toString() })
  await client.put('one', contentOf(bytes))
  assert.deepEqual(await client.get('one', 0, bytes.length), bytes)
  const distrustful = clientOf(t, server.place)
  await assert.rejects(distrustful.get('one', 0, 1), (error: unknown) => {
    assert.ok(error instanceof S3Error)
    return /SELF_SIGNED|UNABLE_TO/.test(error.code)
  })
})
