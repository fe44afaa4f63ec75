// How fast is a mixed load of all commands from 10, 50 and 200 clients that log in and out?
import { ClientProcesses } from './client-processes.ts'
import { fill } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { MixedResult, MixedTask } from './mixed-client.ts'
import { mixedMailboxes, mixedMessages } from './mixed-session.ts'
import type { Bench, Question } from './question.ts'

/** The first of the accounts of mixed clients. */
const firstAccount = 1000
const clientCounts = [10, 50, 200] as const
const processes = 2

export const mixedQuestion: Question = {
  name: 'mixed',
  title: `A mixed load of all commands from clients that log in and out, an account for each, from ${processes} processes`,
  boundBy:
    'Both: CPU, which the clients share; and the syncs of APPEND, COPY, MOVE and EXPUNGE, one command in seven. The same commands are said to both servers.',
  shortfall:
    "A third of Dovecot's CPU for each command is what the log-ins and the APPENDs among them take alone. By thread: protocol threads 64 % (writes to sockets 11 % of that, the summary of arriving mail 8, SQLite's reads 8, calls to the writer 7, the collector 7; no other function has 2), the indexer 25 % (a fifth less since), which Dovecot has not, the writer 11 %. It would take fewer promises for each command and an index that is filled when nobody asks.",
  repetitions: 3,
  rows: Object.fromEntries(
    clientCounts.map(clients => [
      `mixed${clients}`,
      { title: `${clients} clients, commands`, unit: 'per second', target: 3 },
    ]),
  ),
  prepare: bench => fillMixed(bench, clientCounts.at(-1) ?? 0),
  async run(bench) {
    for (const clients of clientCounts) {
      const each = Math.ceil(bench.count(8000) / clients)
      await mixedLoad(bench, clients, each, 0, async load => {
        let commands = 0
        const work = async () => {
          for (const { latencies } of await load.run()) commands += latencies.length
        }
        await bench.time(`mixed${clients}`, () => commands, work, load)
      })
    }
  },
}

/** Fills the mailboxes of the first `clients` accounts. */
export async function fillMixed(bench: Bench, clients: number): Promise<void> {
  for (let client = 0; client < clients; client++) {
    for (const mailbox of mixedMailboxes)
      await fill(bench.server, firstAccount + client, mailbox, bench.count(mixedMessages), smallMessage)
  }
}

/** Has `clients` ready in their processes while `work` runs; they say other things in each repetition, with pauses of so long on average. */
export async function mixedLoad(
  bench: Bench,
  clients: number,
  commands: number,
  pauseMs: number,
  work: (load: ClientProcesses<MixedResult>) => Promise<void>,
): Promise<void> {
  const tasks = Array.from({ length: processes }, (_, process) => ({
    endpoint: { port: bench.server.ports.imap },
    accounts: Array.from({ length: clients }, (_, client) => firstAccount + client).filter(
      account => account % processes === process,
    ),
    seed: (bench.repetition + 2) * 1_000_000,
    commands,
    pauseMs,
  }))
  const load = await ClientProcesses.start<MixedTask, MixedResult>('mixed-client.ts', tasks)
  try {
    await work(load)
  } finally {
    load.stop()
  }
}
