// How fast are messages of 10 KB delivered by LMTP from 1, 16 and 64 connections?
import { select, together } from './mailboxes.ts'
import { messageOfSize } from './messages.ts'
import type { Bench, Question } from './question.ts'
import { user } from './server.ts'
import { dotStuff, SmtpClient } from './smtp-client.ts'

export const lmtpQuestion: Question = {
  name: 'lmtp',
  title: 'LMTP delivery of 10 KB, envelope pipelined, a recipient for each connection',
  boundBy:
    'Dovecot: a temporary file, fsync and a user context for each delivery. Restante: one commit for all that wait, and one fdatasync of their bodies where they are more than 32 KiB.',
  shortfall: 'As with APPEND. Alone it is the commit and two hops between threads.',
  rows: {
    lmtp1: { title: '1 connection', unit: 'per second', target: 3 },
    lmtp16: { title: '16 connections', unit: 'per second', target: 8 },
    lmtp64: { title: '64 connections', unit: 'per second', target: 8 },
  },
  async run(bench) {
    await deliver(bench, 1, 300)
    await deliver(bench, 16, 1600)
    await deliver(bench, 64, 1920)
  },
}

async function deliver(bench: Bench, connections: number, full: number): Promise<void> {
  const each = Math.ceil(bench.count(full) / connections)
  const clients = await together(connections, () =>
    SmtpClient.connect({ port: bench.server.ports.lmtp }, 'LHLO'),
  )
  const first = (bench.repetition + 2) * 1_000_000 + 500_000 + connections * 1000
  const bodies = Array.from({ length: connections * each }, (_, at) =>
    dotStuff(messageOfSize(first + at, 10_240)),
  )
  await bench.time(`lmtp${connections}`, bodies.length, () =>
    together(connections, async worker => {
      for (const body of bodies.slice(worker * each, (worker + 1) * each)) {
        const [reply] = (await clients[worker]?.send('sender@example.net', [user(80 + worker)], body)) ?? []
        if (reply?.code !== 250) throw new Error(`LMTP: ${reply?.code} ${reply?.text}`)
      }
    }),
  )
  await together(connections, async worker => {
    await clients[worker]?.quit()
    const reader = await select(bench.server, 80 + worker, 'INBOX')
    await reader.run('STORE 1:* +FLAGS.SILENT (\\Deleted)')
    await reader.run('EXPUNGE')
    await reader.logout()
  })
}
