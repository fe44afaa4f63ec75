// What do 10,000 accounts cost? Deliveries and log-ins that each go to another of them.
import { select, together } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import { pssBytes } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { Random } from './random.ts'
import { accountCount, user } from './server.ts'
import { dotStuff, SmtpClient } from './smtp-client.ts'

const connections = 16
/** Accounts that log in: each password costs the first log-in 20 ms of CPU, so not all do. */
const loggedIn = 200
const firstLogin = 3000

export const accountsQuestion: Question = {
  name: 'accounts',
  title: 'Deliveries and log-ins, each to another of 10,000 accounts, 16 at once',
  boundBy:
    'Dovecot: opening the files of another user each time. Restante: a few rows of each account that are not in memory. The first delivery to each account is the warm-up.',
  shortfall:
    'A delivery of 1 KB is the commit and its rows, which are as many as for 10 KB; rows of an account that nobody asked about lately are read anew. One commit takes all that wait, but each of its messages has pages of its own; a log of 64 MB in place of 16 changed nothing. Log-ins: as with one account (see there); the rows of one that nobody asked about lately take as much again. Between runs Dovecot had 525 and 1,718 a second.',
  repetitions: 2,
  rows: {
    deliver: { title: 'LMTP, 1 KB', unit: 'per second', target: 8 },
    login: {
      title: `connect + log in + SELECT + LOGOUT, ${loggedIn} of them in turns`,
      unit: 'per second',
      target: 3,
    },
    memory: { title: 'memory of the server afterwards (PSS)', unit: 'KB' },
  },
  async run(bench) {
    await deliver(bench)
    await logIn(bench)
    bench.note('memory', pssBytes(bench.server.pids) / 1024)
  },
}

/** One message to each account, in another order each time. */
async function deliver(bench: Bench): Promise<void> {
  const count = bench.count(accountCount)
  const random = new Random(bench.repetition + 2)
  const order = Array.from({ length: count }, (_, account) => ({ account, at: random.next() }))
  order.sort((a, b) => a.at - b.at)
  const clients = await together(connections, () =>
    SmtpClient.connect({ port: bench.server.ports.lmtp }, 'LHLO'),
  )
  const first = (bench.repetition + 2) * accountCount + 70_000_000
  const bodies = order.map(({ account }) => dotStuff(smallMessage(first + account)))
  const next = order.entries()
  await bench.time('deliver', count, () =>
    together(connections, async worker => {
      for (const [at, { account }] of next) {
        const to = [user(account)]
        const [reply] = (await clients[worker]?.send('sender@example.net', to, bodies[at] as Buffer)) ?? []
        if (reply?.code !== 250) throw new Error(`LMTP: ${reply?.code} ${reply?.text}`)
      }
    }),
  )
  await together(connections, async worker => clients[worker]?.quit())
}

async function logIn(bench: Bench): Promise<void> {
  const count = bench.count(2000)
  let next = 0
  const work = async () => {
    while (next < count) {
      const client = await select(bench.server, firstLogin + (next++ % loggedIn), 'INBOX')
      await client.logout()
    }
  }
  await bench.time('login', count, () => together(connections, work))
}
