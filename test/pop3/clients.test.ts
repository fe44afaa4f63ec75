// Clients that no one here wrote: Python's poplib and curl.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { letter, password, startServer } from './client.ts'
import { valuesOf } from '../store/snapshot-values.ts'

const run = promisify(execFile)
const has = (program: string) => spawnSync(program, ['--version']).status === 0
const skip = (program: string) => (has(program) ? false : `${program} is not here`)
const big = `Subject: big\r\n\r\n${`.${'y'.repeat(76)}\r\n`.repeat(20_000)}`
const messages = [letter('one'), 'Subject: dots\r\n\r\n.\r\n..\r\n.last\r\n', big]
const digests = messages.map(text => createHash('sha256').update(text).digest('hex'))

const script = `
import hashlib, json, poplib, ssl, sys
port, secure = int(sys.argv[1]), sys.argv[2] == 'tls'
context = ssl._create_unverified_context()
client = poplib.POP3('127.0.0.1', port, timeout=20)
capabilities = client.capa()
if secure:
    client.stls(context)
client.user('ann'); client.pass_(sys.argv[3])
count, size = client.stat()
listing = [line.decode() for line in client.list()[1]]
uidl = [line.decode() for line in client.uidl()[1]]
digests = []
for number in range(1, count + 1):
    lines = client.retr(number)[1]
    digests.append(hashlib.sha256(b''.join(line + b'\\r\\n' for line in lines)).hexdigest())
top = [line.decode() for line in client.top(1, 1)[1]]
client.dele(1)
client.rset()
client.dele(2)
client.quit()
print(json.dumps(dict(count=count, size=size, listing=listing, uidl=uidl, digests=digests, top=top, capabilities=sorted(capabilities))))
`

for (const tls of ['clear', 'tls']) {
  test(`poplib fetches, lists and deletes (${tls})`, { skip: skip('python3') }, async t => {
    const server = await startServer(t)
    await server.deliver(...messages)
    const { stdout } = await run('python3', ['-c', script, String(server.port), tls, password])
    const seen = JSON.parse(stdout) as {
      count: number
      size: number
      listing: string[]
      uidl: string[]
      digests: string[]
      top: string[]
      capabilities: string[]
    }
    assert.equal(seen.count, 3)
    assert.equal(seen.size, messages.join('').length)
    assert.deepEqual(
      seen.listing,
      messages.map((text, i) => `${i + 1} ${text.length}`),
    )
    assert.equal(new Set(seen.uidl.map(line => line.split(' ')[1])).size, 3)
    assert.deepEqual(seen.digests, digests)
    assert.deepEqual(seen.top, [...letter('one').split('\r\n').slice(0, 4), 'line 1'])
    assert.ok(seen.capabilities.includes('UIDL'))
    const inbox = await server.store.snapshot(server.account, await server.inbox())
    assert.deepEqual(valuesOf(inbox.uids, inbox.count), [1, 3])
  })
}

test('curl lists and fetches, by PLAIN, SCRAM and with STLS', { skip: skip('curl') }, async t => {
  const server = await startServer(t)
  await server.deliver(...messages)
  const url = `pop3://127.0.0.1:${server.port}/`
  const user = ['--silent', '--show-error', '--max-time', '20', '--user', `ann:${password}`]
  const fetched = async (...args: string[]) =>
    (await run('curl', [...user, ...args], { maxBuffer: 16 * 1024 * 1024, encoding: 'latin1' })).stdout
  assert.equal(await fetched(url), messages.map((text, i) => `${i + 1} ${text.length}\r\n`).join(''))
  for (const [index, message] of messages.entries()) {
    assert.equal(await fetched(`${url}${index + 1}`), message)
  }
  assert.equal(await fetched('--login-options', 'AUTH=PLAIN', `${url}1`), messages[0])
  assert.equal(await fetched('--login-options', 'AUTH=LOGIN', '--sasl-ir', `${url}1`), messages[0])
  assert.equal(await fetched('--ssl-reqd', '--insecure', `${url}2`), messages[1])
})
