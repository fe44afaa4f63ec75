// restante doctor, on what is well and on what is not.
import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import nodeTest, { test, type TestContext } from 'node:test'
import { parseConfig } from '../../../src/server/config.ts'
import { examine } from '../../../src/server/doctor/doctor.ts'
import type { DoctorItem } from '../../../src/server/doctor/item.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { openPostgres } from '../../../src/store/postgres/open-postgres.ts'
import { createDatabase } from '../../postgres/database.ts'
import { temporaryFolder } from '../../store/fixture.ts'
import { startS3 } from '../../store/s3/s3-server.ts'

const database = await createDatabase()
const s3 = await startS3(nodeTest)

function configOf(dataDir: string, text: string) {
  const config = parseConfig(text, { file: 'test', baseDir: dataDir, env: {} })
  return { ...config, dataDir }
}

const found = (items: readonly DoctorItem[], id: string) => items.find(each => each.id === id)
const failed = (items: readonly DoctorItem[]) =>
  items.filter(({ status }) => status === 'fail').map(({ id }) => id)
// The test's own folder may be on any kind of file system, and its disk may be full and busy.
const ofMachine = new Set(['disk-room', 'disk-sync', 'file-system', 'database-latency'])
const wrong = (items: readonly DoctorItem[]) => failed(items).filter(id => !ofMachine.has(id))

async function embedded(t: TestContext): Promise<string> {
  const dataDir = join(temporaryFolder(t), 'data')
  await (await openStore({ dataDir })).close()
  return dataDir
}

const withBucket = (prefix: string, secret = s3.place.secretAccessKey) => `threads = 2
[store]
url = "${database.url}"
bodies = "s3://${s3.place.bucket}/${prefix}"
[store.s3]
endpoint = "${s3.place.endpoint}"
accessKey = "${s3.place.accessKeyId}"
secretKey = "${secret}"
pathStyle = true
`

test('an embedded store that is well has nothing to do', async t => {
  const dataDir = await embedded(t)
  const items = await examine(configOf(dataDir, ''))
  assert.deepEqual(wrong(items), [])
  assert.deepEqual(
    items.map(({ id }) => id),
    ['folder', 'folder-access', 'disk-room', 'file-system', 'disk-sync', 'store', 'durability'],
  )
  assert.match(found(items, 'disk-sync')?.actual ?? '', /^[\d.]+ ms$/)
})

test('a folder that others can read, and one that is not there, are told with what to do', async t => {
  const dataDir = await embedded(t)
  chmodSync(dataDir, 0o755)
  const items = await examine(configOf(dataDir, ''))
  assert.deepEqual(wrong(items), ['folder-access'])
  assert.equal(found(items, 'folder-access')?.actual, '0755')
  assert.match(found(items, 'folder-access')?.fix ?? '', /^chmod 700 /)
  const none = await examine(configOf(join(dataDir, 'none'), ''))
  assert.deepEqual(failed(none), ['folder'])
})

test('a store that is half moved is told', async t => {
  const dataDir = await embedded(t)
  const store = await openStore({ dataDir }, { mayBeFilling: true })
  await store.mutate('beginImport', { source: 'another' })
  await store.close()
  const items = await examine(configOf(dataDir, ''))
  assert.match(found(items, 'store')?.actual ?? '', /being filled/)
  assert.deepEqual(wrong(items), ['store'])
})

test('a database and a bucket that are well have nothing that fails', async t => {
  await (await openPostgres({ url: database.url })).close()
  const items = await examine(configOf(temporaryFolder(t), withBucket('doctor')))
  assert.deepEqual(
    wrong(items).filter(id => id !== 'database-durability'),
    [],
  )
  for (const id of [
    'database-host',
    'database-version',
    'database-encoding',
    'database-privileges',
    'database-schema',
    'database-replication',
    'database-clock',
    'database-connections',
    'database-tls',
    'bucket-list',
    'bucket-put',
    'bucket-get',
    'bucket-delete',
    'bucket-clock',
  ]) {
    assert.ok(found(items, id), id)
  }
  assert.equal(found(items, 'database-replication')?.status, 'warn')
  assert.equal(s3.seen.filter(({ method }) => method === 'PUT').length, 1)
})

test('more connections than the database has are told', async t => {
  const text = `threads = 64\n[store]\nurl = "${database.url}"\n[store.sessions]\nread = 8\n`
  const items = await examine(configOf(temporaryFolder(t), text))
  assert.equal(found(items, 'database-connections')?.status, 'fail')
  assert.match(found(items, 'database-connections')?.actual ?? '', /nodes of 786 connections/)
})

test('a database that cannot be reached is told for each host', async t => {
  const text = `[store]\nurl = "postgres://restante@127.0.0.1:1,127.0.0.1:2/mail"\n`
  const items = await examine(configOf(temporaryFolder(t), text))
  assert.deepEqual(wrong(items), ['database-host', 'database-host', 'database-primary'])
  assert.match(found(items, 'database-host')?.actual ?? '', /^127\.0\.0\.1:1: .*ECONNREFUSED/)
})

test('a key that may not write is told by the probe that fails', async t => {
  t.after(() => {
    s3.fault = undefined
  })
  s3.fault = ({ method }) =>
    method === 'PUT' ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : undefined
  const items = await examine(configOf(temporaryFolder(t), withBucket('readonly')))
  assert.equal(found(items, 'bucket-list')?.status, 'ok')
  assert.equal(found(items, 'bucket-put')?.status, 'fail')
  assert.match(found(items, 'bucket-put')?.fix ?? '', /s3:PutObject/)
  assert.equal(found(items, 'bucket-get')?.status, 'fail')
  s3.fault = undefined
  const foreign = await examine(configOf(temporaryFolder(t), withBucket('foreign', 'wrong')))
  assert.match(found(foreign, 'bucket-list')?.actual ?? '', /SignatureDoesNotMatch/)
})
