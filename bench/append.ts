// How fast are messages of 10 KB APPENDed, each acknowledged before the next, from 1, 16 and 64 connections?
import { login, together } from './mailboxes.ts'
import { messageOfSize } from './messages.ts'
import type { Bench, Question } from './question.ts'

export const appendQuestion: Question = {
  name: 'append',
  title: 'APPEND 10 KB, one by one on each connection, an account for each connection',
  boundBy:
    'Dovecot: fsync and a file for each message. Restante: one fdatasync and one commit for all that wait; with one connection the two syncs of a commit.',
  rows: {
    append1: { title: '1 connection', unit: 'per second', target: 2 },
    append16: { title: '16 connections', unit: 'per second', target: 5 },
    append64: { title: '64 connections', unit: 'per second', target: 6 },
  },
  async run(bench) {
    await append(bench, 1, 500)
    await append(bench, 16, 3200)
    await append(bench, 64, 4800)
  },
}

async function append(bench: Bench, connections: number, full: number): Promise<void> {
  const each = Math.ceil(bench.count(full) / connections)
  const mailbox = `append${connections}`
  const clients = await together(connections, worker => login(bench.server, 10 + worker))
  await together(connections, async worker => clients[worker]?.run(`CREATE ${mailbox}`))
  // Every message differs from all others, or a store that keeps equal bodies once would have it easy.
  const first = (bench.repetition + 2) * 1_000_000 + connections * 10_000
  const messages = Array.from({ length: connections * each }, (_, at) => messageOfSize(first + at, 10_240))
  await bench.time(`append${connections}`, messages.length, () =>
    together(connections, async worker => {
      for (const message of messages.slice(worker * each, (worker + 1) * each)) {
        await clients[worker]?.append(mailbox, [message])
      }
    }),
  )
  await together(connections, async worker => {
    await clients[worker]?.run(`DELETE ${mailbox}`)
    await clients[worker]?.logout()
  })
}
