// What does a connection that waits in IDLE cost in memory, plain and with TLS?
import { ImapClient } from './imap-client.ts'
import { pssBytes } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { password, user } from './server.ts'

/** Accounts that the connections share (one may have 250), so that all passwords are hashed in the warm-up: each takes 20 MB, which the C library keeps for a while. */
const accounts = 20

export const idleMemoryQuestion: Question = {
  name: 'idle-memory',
  title:
    'Memory of a connection in IDLE (PSS of the process tree; 2,000 plain beside 2,000, 500 with TLS beside 500)',
  boundBy:
    'Dovecot: a process for each connection. Restante: an object and a socket, at first with what the log-in left behind, which V8 collects when memory is wanted or some minutes later (measured before, and after all protocol threads were told to collect; Dovecot has nothing to collect); with TLS the buffers of OpenSSL: a TLS socket of Node that does nothing but answer once has 57 to 63 KB.',
  repetitions: 3,
  rows: {
    plain: { title: 'plain, just opened', unit: 'KB', target: 60 },
    plainCollected: { title: 'plain, after a collection of garbage', unit: 'KB', target: 60 },
    tls: { title: 'TLS, just opened', unit: 'KB', target: 8 },
    tlsCollected: { title: 'TLS, after a collection of garbage', unit: 'KB', target: 8 },
  },
  async run(bench) {
    if (bench.repetition < 0) return
    await perConnection(bench, 'plain', bench.count(2000), false)
    await perConnection(bench, 'tls', bench.count(500), true)
  },
}

/** Kilobytes that each of `count` idle connections adds to a server that has as many, and holds no garbage: the first thousands also make heaps grow, which is not theirs alone. */
async function perConnection(bench: Bench, row: string, count: number, tls: boolean): Promise<void> {
  await bench.server.restart()
  const warm = await open(bench, count, tls)
  await bench.server.collectGarbage?.()
  const before = await settled(bench)
  const clients = await open(bench, count, tls)
  const note = async (name: string) => bench.note(name, ((await settled(bench)) - before) / count / 1024)
  await note(row)
  await bench.server.collectGarbage?.()
  await note(`${row}Collected`)
  for (const client of [...warm, ...clients]) client.destroy()
}

async function open(bench: Bench, count: number, tls: boolean): Promise<ImapClient[]> {
  const port = tls ? bench.server.ports.imaps : bench.server.ports.imap
  const clients: ImapClient[] = []
  for (let at = 0; at < count; at++) {
    const client = await ImapClient.login({ port, tls }, user(at % accounts), password)
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
