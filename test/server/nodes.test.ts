// Two servers on one PostgreSQL database.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { schemaVersion } from '../../src/store/sqlite/migrate.ts'
import { LineClient, sendMail } from '../library/client.ts'
import { createDatabase } from '../postgres/database.ts'
import { startS3 } from '../store/s3/s3-server.ts'
import { run, ServerProcess } from './start-server.ts'

const { url, query } = await createDatabase()

async function startNode(
  context: TestContext,
  threads: number,
  { top = '', ofStore = '' } = {},
): Promise<ServerProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-node-'))
  const file = join(dataDir, 'restante.toml')
  writeFileSync(file, `threads = ${threads}\n${top}\n[store]\nurl = { env = "STORE_URL" }\n${ofStore}`)
  return ServerProcess.start(context, {
    dataDir,
    args: ['--config', file],
    doors: ['imap', 'pop3', 'smtp', 'http'],
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

/** USER and PASS; the answer to the latter. */
async function openMaildrop(server: ServerProcess): Promise<{ client: LineClient; answer: string }> {
  const client = await LineClient.connect(server.port('pop3'))
  client.send('USER pop@example.org\r\nPASS secret-pass\r\n')
  await client.until(/^\+OK .*\r\n\+OK.*\r\n/)
  return { client, answer: await client.until(/^.*\r\n/) }
}

test('a maildrop is open on one node at a time, and a node that died has it for a minute (RFC 1939 §4)', async context => {
  const [one, two] = await Promise.all([startNode(context, 0), startNode(context, 2)])
  const added = await command(one, ['account', 'add', 'pop@example.org', '--password-stdin'], 'secret-pass')
  assert.equal(added.code, 0, added.err)
  const first = await openMaildrop(one)
  assert.match(first.answer, /^\+OK/)
  assert.match((await openMaildrop(two)).answer, /^-ERR \[IN-USE\]/)
  first.client.send('QUIT\r\n')
  await first.client.until(/^\+OK/)
  const second = await openMaildrop(two)
  assert.match(second.answer, /^\+OK/)
  assert.match((await openMaildrop(one)).answer, /^-ERR \[IN-USE\]/)
  two.kill('SIGKILL')
  await two.ran
  assert.match((await openMaildrop(one)).answer, /^-ERR \[IN-USE\]/)
  await query('UPDATE maildrop_lease SET lease_until = lease_until - 60000')
  assert.match((await openMaildrop(one)).answer, /^\+OK/)
})

test('failed log-ins on one node count on the other', async context => {
  const top = (refuseAt: number) => `proxyNetworks = ["127.0.0.0/8"]
[login]
allowPlaintext = true
[login.limiter]
accountAndNetwork = { free = 9, refuseAt = ${refuseAt} }
`
  const [one, two] = await Promise.all([
    startNode(context, 1, { top: top(9) }),
    startNode(context, 1, { top: top(2) }),
  ])
  const added = await command(one, ['account', 'add', 'eva@example.org', '--password-stdin'], 'secret-pass')
  assert.equal(added.code, 0, added.err)
  const plain = (password: string) =>
    `AUTHENTICATE PLAIN ${Buffer.from(`\0eva@example.org\0${password}`).toString('base64')}`
  const open = async (server: ServerProcess, address: string) => {
    const client = await LineClient.connect(server.port('imap'))
    client.send(`PROXY TCP4 ${address} 127.0.0.1 1000 143\r\n`)
    await client.until(/^\* OK.*\r\n/)
    return client
  }
  const listener = await open(two, '192.0.2.2')
  listener.send(`a ${plain('secret-pass')}\r\nb SELECT INBOX\r\nc IDLE\r\n`)
  await listener.until(/^\+ .*\r\n/m)
  const guesser = await open(one, '192.0.2.1')
  // One more than the other allows, since a failure soon counts a little less.
  for (const tag of ['a', 'b', 'c']) {
    guesser.send(`${tag} ${plain('wrong')}\r\n`)
    await guesser.until(new RegExp(`^${tag} NO .*\r\n`, 'm'))
  }
  // What one node says is heard in its order, so whoever hears of this has heard of that.
  const right = await open(one, '192.0.2.2')
  right.send(`a ${plain('secret-pass')}\r\nb APPEND INBOX {2+}\r\nhi\r\n`)
  await right.until(/^b OK/m)
  await listener.until(/^\* 1 EXISTS\r\n/m)
  const guess = await open(two, '192.0.2.1')
  guess.send(`a ${plain('secret-pass')}\r\n`)
  assert.doesNotMatch(await guess.until(/^a .*\r\n/m), /^a OK|AUTHENTICATIONFAILED/m)
  for (const client of [listener, guesser, right, guess]) client.end()
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

test('nodes with bodies in S3: what one took, another shows', async context => {
  const s3 = await startS3(context, '')
  const ofStore = `bodies = "s3://${s3.place.bucket}/mail"
[store.s3]
endpoint = "${s3.place.endpoint}"
accessKey = "${s3.place.accessKeyId}"
secretKey = "${s3.place.secretAccessKey}"
pathStyle = true
`
  const [one, two] = await Promise.all([
    startNode(context, 1, { ofStore }),
    startNode(context, 2, { ofStore }),
  ])
  const added = await command(one, ['account', 'add', 'eve@example.org', '--password-stdin'], 'secret-pass')
  assert.equal(added.code, 0, added.err)
  const mail = `Subject: large\r\n\r\n${'in a bucket\r\n'.repeat(20_000)}`
  await sendMail(one.port('smtp'), 'bob@example.com', 'eve@example.org', mail)
  assert.equal(s3.seen.filter(({ method }) => method === 'PUT').length, 1)
  assert.match(s3.seen[0]?.target ?? '', /^\/mail\/mail\/[0-9a-f]{2}\/[0-9a-f]{24}$/)
  const client = await LineClient.connect(two.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  client.send('a LOGIN eve@example.org secret-pass\r\nb SELECT INBOX\r\n')
  await client.until(/^b OK.*\r\n/m)
  for (const tag of ['c', 'd']) {
    client.send(`${tag} FETCH 1 BODY.PEEK[TEXT]\r\n`)
    const answer = await client.until(new RegExp(`^${tag} OK.*\\r\\n`, 'm'))
    assert.equal(answer.split('in a bucket').length, 20_001)
  }
  // The second time from the disk of the node.
  assert.equal(s3.seen.filter(({ method }) => method === 'GET').length, 1)
  client.end()
})
