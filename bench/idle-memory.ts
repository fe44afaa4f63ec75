// What does a connection that waits in IDLE cost in memory, plain and with TLS?
import { ImapClient } from './imap-client.ts'
import { pssBytes } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { accountCount, password, user } from './server.ts'

export const idleMemoryQuestion: Question = {
  name: 'idle-memory',
  title: 'Memory of a connection in IDLE (PSS of the process tree, 1,000 plain, 500 with TLS)',
  boundBy:
    'Dovecot: a process for each connection. Restante: an object and a socket; with TLS the buffers of OpenSSL.',
  rows: {
    plain: { title: 'plain', unit: 'KB', target: 60 },
    tls: { title: 'TLS', unit: 'KB', target: 8 },
  },
  async run(bench) {
    await bench.server.restart()
    bench.note('plain', await perConnection(bench, bench.count(1000), false))
    await bench.server.restart()
    bench.note('tls', await perConnection(bench, bench.count(500), true))
  },
}

/** Kilobytes that each of `count` idle connections adds, after some that warmed the server up. */
async function perConnection(bench: Bench, count: number, tls: boolean): Promise<number> {
  const warm = await open(bench, 50, tls)
  const before = await settled(bench)
  const clients = await open(bench, count, tls)
  const after = await settled(bench)
  for (const client of [...warm, ...clients]) client.destroy()
  return (after - before) / count / 1024
}

async function open(bench: Bench, count: number, tls: boolean): Promise<ImapClient[]> {
  const port = tls ? bench.server.ports.imaps : bench.server.ports.imap
  const clients: ImapClient[] = []
  for (let at = 0; at < count; at++) {
    const client = await ImapClient.login({ port, tls }, user(at % accountCount), password)
    await client.run('SELECT INBOX')
    await client.idle()
    clients.push(client)
  }
  return clients
}

/** The memory once it has stopped changing by more than 1 % within half a second, or after five seconds. */
async function settled(bench: Bench): Promise<number> {
  let last = pssBytes(bench.server.pids)
  for (let left = 10; left > 0; left--) {
    await new Promise(resolve => setTimeout(resolve, 500))
    const now = pssBytes(bench.server.pids)
    const change = Math.abs(now - last)
    last = now
    if (change < last / 100) break
  }
  return last
}
