// What does a connection that waits in IDLE cost in memory, plain and with TLS?
import { ImapClient } from './imap-client.ts'
import { pssBytes } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { password, user } from './server.ts'

/** Accounts that the connections share (one may have 250), so that all passwords are hashed in the warm-up: each takes 20 MB, which the C library keeps for a while. */
const accounts = 10
/** By then V8 has collected what opening the connections left behind, which nothing hurries it to do. */
const laterMs = 75_000
/** Dovecot's processes collect nothing, so a few seconds do. */
const laterForDovecotMs = 5000

export const idleMemoryQuestion: Question = {
  name: 'idle-memory',
  title:
    'Memory of a connection in IDLE (PSS of the process tree; 1,000 plain beside 1,000, 500 with TLS beside 500)',
  boundBy:
    'Dovecot: a process for each connection. Restante: an object and a socket, at first with what the log-in left behind, which is collected when memory is wanted or within a minute or so; with TLS the buffers of OpenSSL.',
  // Each takes six minutes, nearly all of it waiting.
  repetitions: 1,
  rows: {
    plain: { title: 'plain, just opened', unit: 'KB', target: 60 },
    plainLater: { title: 'plain, 75 s later (Dovecot: 5 s)', unit: 'KB', target: 60 },
    tls: { title: 'TLS, just opened', unit: 'KB', target: 8 },
    tlsLater: { title: 'TLS, 75 s later (Dovecot: 5 s)', unit: 'KB', target: 8 },
  },
  async run(bench) {
    if (bench.repetition < 0) return
    await perConnection(bench, 'plain', bench.count(1000), false)
    await perConnection(bench, 'tls', bench.count(500), true)
  },
}

/** Kilobytes that each of `count` idle connections adds to a server that has as many, and came to rest with them as it does with all. */
async function perConnection(bench: Bench, row: string, count: number, tls: boolean): Promise<void> {
  await bench.server.restart()
  const warm = await open(bench, count, tls)
  await rest(bench)
  const before = await settled(bench)
  const clients = await open(bench, count, tls)
  const note = async (name: string) => bench.note(name, ((await settled(bench)) - before) / count / 1024)
  await note(row)
  await rest(bench)
  await note(`${row}Later`)
  for (const client of [...warm, ...clients]) client.destroy()
}

/** Until garbage has been collected, of which what is measured before and after is to hold as little as the other. */
function rest({ server }: Bench): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, server.name === 'Dovecot' ? laterForDovecotMs : laterMs))
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
