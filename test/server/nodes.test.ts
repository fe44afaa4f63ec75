// Two servers on one PostgreSQL database.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { schemaVersion } from '../../src/store/sqlite/migrate.ts'
import { LineClient, sendMail } from '../library/client.ts'
import { createDatabase } from '../postgres/database.ts'
import { run, ServerProcess } from './start-server.ts'

const { url } = await createDatabase()

async function startNode(context: TestContext, threads: number): Promise<ServerProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-node-'))
  const file = join(dataDir, 'restante.toml')
  writeFileSync(file, `threads = ${threads}\n[store]\nurl = { env = "STORE_URL" }\n`)
  return ServerProcess.start(context, {
    dataDir,
    args: ['--config', file],
    env: { STORE_URL: url },
  })
}

const command = (server: ServerProcess, args: readonly string[], stdin = '') =>
  run([...args, '--data', server.dataDir, '--config', join(server.dataDir, 'restante.toml')], {
    stdin,
    env: { STORE_URL: url },
  })

async function logIn(server: ServerProcess, password: string): Promise<LineClient> {
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  client.send(`a LOGIN ann@example.org ${password}\r\n`)
  return client
}

test('mail that comes to one node is told at once to a session on another, and a changed password holds on both', async context => {
  const [one, two] = await Promise.all([startNode(context, 0), startNode(context, 2)])
  const added = await command(one, ['account', 'add', 'ann@example.org', '--password-stdin'], 'secret-pass')
  assert.equal(added.code, 0, added.err)
  const idle = await logIn(two, 'secret-pass')
  await idle.until(/^a OK.*\r\n/m)
  idle.send('b SELECT INBOX\r\nc IDLE\r\n')
  await idle.until(/^\+ .*\r\n/m)
  await sendMail(
    one.port('smtp'),
    'bob@example.com',
    'ann@example.org',
    'Subject: hello\r\n\r\nacross nodes\r\n',
  )
  await idle.until(/^\* 1 EXISTS\r\n/m)
  idle.send('DONE\r\nd FETCH 1 BODY[TEXT]\r\n')
  await idle.until(/across nodes[^]*^d OK.*\r\n/m)
  idle.end()

  const changed = await command(
    two,
    ['account', 'passwd', 'ann@example.org', '--password-stdin'],
    'another-pass',
  )
  assert.equal(changed.code, 0, changed.err)
  for (const node of [one, two]) {
    const refused = await logIn(node, 'secret-pass')
    await refused.until(/^a NO.*\r\n/m)
    refused.send('b LOGIN ann@example.org another-pass\r\n')
    await refused.until(/^b OK.*\r\n/m)
    refused.end()
  }
  one.kill('SIGTERM')
  two.kill('SIGTERM')
  assert.deepEqual([(await one.ran).code, (await two.ran).code], [0, 0])
})

test('nodes are listed with version and load while they run, and are gone when they have stopped', async context => {
  const [one, two] = await Promise.all([startNode(context, 0), startNode(context, 0)])
  const list = async () => {
    const { code, out, err } = await command(one, ['nodes', '--json'])
    assert.equal(code, 0, err)
    return JSON.parse(out) as { id: string; state: string; version: string; schema: number }[]
  }
  const ids = [one, two].map(({ dataDir }) => readFileSync(join(dataDir, 'node'), 'utf8').trim())
  const ours = (await list()).filter(({ id }) => ids.includes(id))
  assert.equal(ours.length, 2)
  for (const node of ours) {
    assert.equal(node.state, 'alive')
    assert.match(node.version, /^\d+\.\d+\.\d+/)
    assert.equal(node.schema, schemaVersion)
  }
  two.child.kill('SIGTERM')
  await two.ran
  assert.deepEqual(
    (await list()).map(({ id }) => id).filter(id => ids.includes(id)),
    [ids[0]],
  )
})
