// How fast do flags change: one by one waiting, one by one pipelined, 10,000 at once?
import { beginCold, rowOf, withCold } from './cold.ts'
import { fill, select } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Question } from './question.ts'

const account = 162

export const storeQuestion: Question = {
  name: 'store',
  title: 'UID STORE in a mailbox of 10,000; flags are not synced one by one by either server',
  boundBy: 'Waiting: the round trip. Pipelined and 1:*: CPU.',
  shortfall:
    'Waiting: a quarter of the CPU is SQLite (a commit writes four pages of its log, each in two calls), a quarter the write to the socket, which wakes the client; the rest is spread thin over statements, promises, parser and streams (320 us in the first thousands after a restart, 220 once V8 has optimised). Dovecot writes a few bytes. It would take a log of smaller records. 1:* is 10,000 rows for SQLite: two thirds of it the UPDATE, 300 to 400 ns for a row (170 where the key is an integer). It would take flags in packed columns in place of rows. Pipelined: the protocol thread reads, answers and settles each command.',
  warmUps: 12,
  rows: withCold({
    storeWaiting: { title: 'one by one, waiting for each answer', unit: 'per second', target: 1.2 },
    storePipelined: { title: 'one by one, pipelined', unit: 'per second', target: 4 },
    storeAll: { title: 'UID STORE 1:* of 10,000', unit: 'ms', target: 1 },
  }),
  async prepare(bench) {
    await fill(bench.server, account, 'flags', bench.count(10_000), smallMessage)
    const client = await select(bench.server, account, 'flags')
    await client.run('UID STORE 1:* +FLAGS.SILENT (\\Flagged)')
    await client.logout()
  },
  async run(bench) {
    await beginCold(bench)
    const count = bench.count(10_000)
    const client = await select(bench.server, account, 'flags')
    // Each command changes something: what one repetition sets, the next one removes.
    const sign = bench.repetition % 2 === 0 ? '-' : '+'
    await bench.time(rowOf(bench, 'storeWaiting'), count / 5, async () => {
      for (let uid = 1; uid <= count / 5; uid++) await client.run(`UID STORE ${uid} ${sign}FLAGS (\\Flagged)`)
    })
    const commands: string[] = []
    for (let uid = count / 5 + 1; uid <= count; uid++)
      commands.push(`UID STORE ${uid} ${sign}FLAGS (\\Flagged)`)
    await bench.time(rowOf(bench, 'storePipelined'), commands.length, () => client.pipeline(commands))
    for (let left = 2; left > 0; left--) {
      await bench.time(rowOf(bench, 'storeAll'), 1, () => client.run('UID STORE 1:* +FLAGS.SILENT (\\Seen)'))
      await bench.time(rowOf(bench, 'storeAll'), 1, () => client.run('UID STORE 1:* -FLAGS.SILENT (\\Seen)'))
    }
    await client.logout()
  },
}
