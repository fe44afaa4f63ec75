// How long do SORT and THREAD over 100,000 messages take?
import { fill, select, settle } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Question, Row } from './question.ts'

/** A mailbox of its own: what another question has made a server read before would not be read a first time here. */
const account = 165
const mailbox = 'sorted'

const kinds = {
  Arrival: 'SORT (ARRIVAL) UTF-8 ALL',
  Date: 'SORT (DATE) UTF-8 ALL',
  Subject: 'SORT (SUBJECT) UTF-8 ALL',
  Thread: 'THREAD REFERENCES UTF-8 ALL',
} as const

export const sortQuestion: Question = {
  name: 'sort',
  title: 'UID SORT and UID THREAD of 100,000 messages',
  boundBy:
    'Dovecot: the first time it opens every message for the field that is asked for; later its cache has them. Restante: the first time in each thread what is sorted by is read from the search index and put in order; later it remembers the order while the mailbox has the same messages, and writes the answer.',
  shortfall:
    'SUBJECT and THREAD the first time, which is measured once (SUBJECT took 100 to 160 ms in several runs, THREAD 250 to 330): the profile is flat: reading and unpacking chunks of the search index, telling Message-IDs apart, ranking subjects and dates and the collector are about a tenth each; as much CPU again goes to V8, which compiles all that meanwhile. The same in a fresh cache of a thread that has done it takes half; to have asked the same of a small mailbox a moment before saves a tenth. It would take code that V8 keeps compiled, and optimised, over a restart.',
  warmUps: 3,
  rows: rows(),
  async prepare(bench) {
    await fill(bench.server, account, mailbox, bench.count(100_000), smallMessage)
    await settle(bench.server)
  },
  async run(bench) {
    const client = await select(bench.server, account, mailbox)
    const prefix = bench.repetition < 0 ? 'first' : 'later'
    for (const [kind, command] of Object.entries(kinds))
      await bench.time(`${prefix}${kind}`, 1, () => client.drain(`UID ${command}`))
    await client.logout()
  },
}

function rows(): Record<string, Row> {
  const found: Record<string, Row> = {}
  for (const [kind, command] of Object.entries(kinds)) {
    found[`first${kind}`] = { title: `${command}, first time`, unit: 'ms', target: 20, single: true }
    found[`later${kind}`] = { title: command, unit: 'ms', target: 1.5 }
  }
  return found
}
