// The queue within the whole server: what is submitted on any thread leaves, also after kill -9.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { Client, codeOf, plainResponse } from '../smtpserver/smtp-server.ts'
import { remoteServer } from '../smtpclient/remote-server.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

async function serve(t: TestContext, folder: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    process.execPath,
    [
      main,
      'serve',
      '--config',
      join(folder, 'restante.toml'),
      '--data',
      join(folder, 'data'),
      '--listen',
      'submission=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.after(() => child.kill('SIGKILL'))
  let port = 0
  for await (const line of createInterface({ input: child.stdout })) {
    port = Number(/^submission .*:(\d+)$/.exec(line)?.[1] ?? port)
    if (line === 'ready') break
  }
  return { child, port }
}

test('what is submitted leaves by the smarthost, and what was acknowledged before kill -9 leaves afterwards', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'queue-serving-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const remote = await remoteServer(t)
  writeFileSync(
    join(folder, 'restante.toml'),
    `threads = 2\nhostname = "mx.example.org"\n[log]\nlevel = "error"\n[queue]\noutbound = "smarthost"\nretryMinutes = [0.01]\n[queue.smarthost]\nhost = "127.0.0.1"\nport = ${remote.port}\ntls = "none"\n`,
  )
  const add = spawn(
    process.execPath,
    [main, 'account', 'add', 'ann@example.org', '--password-stdin', '--data', join(folder, 'data')],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  )
  add.stdin?.end('correct horse')
  await once(add, 'exit')
  const submit = async (port: number) => {
    const client = await Client.connect(t, port)
    await client.codes('EHLO x', `AUTH PLAIN ${plainResponse('ann@example.org', 'correct horse')}`)
    return codeOf(await client.deliver('Subject: x\r\n\r\nx', 'ann@example.org', 'eve@remote.example'))
  }
  const first = await serve(t, folder)
  for (let i = 0; i < 4; i++) assert.equal(await submit(first.port), '250 2.0.0')
  await remote.arrived(4)
  remote.options = { greeting: '421 4.3.2 busy' }
  assert.equal(await submit(first.port), '250 2.0.0')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  remote.options = {}
  assert.equal(remote.received.length, 4)
  const second = await serve(t, folder)
  await remote.arrived(5)
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
})
