// How fast are messages of 10 KB APPENDed, each acknowledged before the next, from 1, 16 and 64 connections?
import { login, together } from './mailboxes.ts'
import { messageOfSize } from './messages.ts'
import type { Bench, Question } from './question.ts'

export const appendQuestion: Question = {
  name: 'append',
  title: 'APPEND 10 KB, one by one on each connection, an account for each connection',
  boundBy:
    'Dovecot: fsync and a file for each message. Restante: one commit for all that wait, and one fdatasync of their bodies where they are more than 32 KiB; with one connection the sync of a commit.',
  shortfall:
    "CPU of a message at 64 connections, by thread: the writer a third (a fifth of it the commit, six frames of the log with two writes each; much of the rest JavaScript around node:sqlite), protocol threads two fifths (a quarter of that the summary of its MIME, and three hops between threads with their copies), the indexer a fifth, half of it for words (Dovecot indexes no text), V8's own threads an eighth. Six times as fast would leave all of them, and the client, what the writer takes now. From 16 connections on both processors are busy for 80 to 90 % of the time. A commit of seven messages takes 0.7 ms (some fifty pages of the log), their bodies 0.5; a log that is never synced changed nothing, no index at all gave 5 to 10 %. It would take two indexes of email fewer, a summary that crosses threads as bytes, and much less JavaScript for each message.",
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
