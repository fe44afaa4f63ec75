import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { LineClient } from '../library/client.ts'
import { run, ServerProcess } from './start-server.ts'

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

/** A configuration that another user may read. */
function configFile(text: string): { readonly file: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'restante-user-'))
  chmodSync(folder, 0o755)
  const file = join(folder, 'restante.toml')
  writeFileSync(file, text)
  return { file, folder }
}

test('root becomes the user of the configuration, in every thread, and the data are his', {
  skip: !isRoot && 'not here: this is not root',
}, async context => {
  const { file, folder } = configFile('user = "nobody"\nthreads = 2\n')
  const server = await ServerProcess.start(context, {
    args: ['--config', file],
    dataDir: join(folder, 'data'),
  })
  const tasks = `/proc/${server.child.pid}/task`
  for (const task of readdirSync(tasks)) {
    const status = readFileSync(join(tasks, task, 'status'), 'utf8')
    const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m.exec(status)?.slice(1)
    assert.equal(new Set(ids).size, 1)
    assert.notEqual(ids?.[0], '0')
  }
  for (const name of ['', 'store.db', 'tls/self-signed.pem', 'control.sock']) {
    assert.notEqual(statSync(join(folder, 'data', name)).uid, 0, name)
  }
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  client.end()
  assert.equal((await server.get('/readyz')).status, 200)
})

test('a user that does not exist is an error that says what to do', {
  skip: !isRoot && 'not here: this is not root',
}, async () => {
  const { file, folder } = configFile('user = "no-such-user-here"\n')
  const { code, err } = await run([
    'serve',
    '--config',
    file,
    '--data',
    join(folder, 'data'),
    '--listen',
    'imap=127.0.0.1:0',
  ])
  assert.equal(code, 1)
  assert.match(
    err,
    /there is no user no-such-user-here: create one with {2}useradd --system no-such-user-here/,
  )
})
