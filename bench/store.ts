// How fast do flags change: one by one waiting, one by one pipelined, 10,000 at once?
import { beginCold, rowOf, withCold } from './cold.ts'
import { fill, select } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Bench, Question } from './question.ts'

const account = 162

export const storeQuestion: Question = {
  name: 'store',
  title: 'UID STORE in a mailbox of 10,000; flags are not synced one by one by either server',
  boundBy: 'Waiting: the round trip. Pipelined and 1:*: CPU.',
  shortfall:
    'Waiting: a quarter of the CPU is SQLite (a commit writes four pages of its log, each in two calls), a quarter the write to the socket, which wakes a client whose processor has gone to sleep (63 us; 25 where it has not, as with NOOP), a seventh the threads of V8; the rest is spread thin over statements, promises, parser and streams (320 us in the first thousands after a restart, 220 once V8 has optimised). Dovecot writes a few bytes. It would take a log of smaller records. 1:* is 10,000 rows for SQLite: two thirds of it the UPDATE, 300 ns for a row, of which 50 to find it (as much with an integer for a key, a fifth less in a table of flags alone). It would take flags in packed columns in place of rows. Pipelined: the protocol thread reads, answers and settles each command.',
  warmUps: 12,
  rows: withCold({
    storeWaiting: { title: 'one by one, waiting for each answer', unit: 'per second', target: 1.2 },
    storePipelined: { title: 'one by one, pipelined', unit: 'per second', target: 4 },
    storeAll: { title: 'UID STORE 1:* of 10,000', unit: 'ms', target: 1 },
  }),
  prepare,
  async run(bench) {
    await beginCold(bench)
    await storeFlags(bench, 10_000, name => rowOf(bench, name))
  },
}

export const strictStoreQuestion: Question = {
  name: 'store-strict',
  title: 'UID STORE in a mailbox of 10,000, each change of flags synced before it is acknowledged',
  boundBy:
    'The disk: each answer waits for a sync, or for the one that it shares with others (Dovecot: mail_fsync=always; Restante: store.durability = "strict").',
  warmUps: 3,
  rows: {
    storeWaiting: { title: 'one by one, waiting for each answer', unit: 'per second' },
    storePipelined: { title: 'one by one, pipelined', unit: 'per second' },
    storeAll: { title: 'UID STORE 1:* of 10,000', unit: 'ms' },
  },
  async prepare(bench) {
    await prepare(bench)
    await bench.server.restart('strict')
  },
  run: bench => storeFlags(bench, 5000, name => name),
  end: bench => bench.server.restart(),
}

/** Fills the mailbox. */
async function prepare(bench: Bench): Promise<void> {
  await fill(bench.server, account, 'flags', bench.count(10_000), smallMessage)
  const client = await select(bench.server, account, 'flags')
  await client.run('UID STORE 1:* +FLAGS.SILENT (\\Flagged)')
  await client.logout()
}

/** Changes the flag of so many messages, of a fifth waiting for each answer; then of all at once, and back, twice. */
async function storeFlags(bench: Bench, full: number, row: (name: string) => string): Promise<void> {
  const count = bench.count(full)
  const client = await select(bench.server, account, 'flags')
  // Each command changes something: what one repetition sets, the next one removes.
  const sign = bench.repetition % 2 === 0 ? '-' : '+'
  await bench.time(row('storeWaiting'), count / 5, async () => {
    for (let uid = 1; uid <= count / 5; uid++) await client.run(`UID STORE ${uid} ${sign}FLAGS (\\Flagged)`)
  })
  const commands: string[] = []
  for (let uid = count / 5 + 1; uid <= count; uid++)
    commands.push(`UID STORE ${uid} ${sign}FLAGS (\\Flagged)`)
  await bench.time(row('storePipelined'), commands.length, () => client.pipeline(commands))
  for (let left = 2; left > 0; left--) {
    await bench.time(row('storeAll'), 1, () => client.run('UID STORE 1:* +FLAGS.SILENT (\\Seen)'))
    await bench.time(row('storeAll'), 1, () => client.run('UID STORE 1:* -FLAGS.SILENT (\\Seen)'))
  }
  await client.logout()
}
