// How long does a mail program's first listing of 10,000 messages take: never fetched before, after a restart, warm?
import { fill, login, restartToRest, select } from './mailboxes.ts'
import { realisticMessage } from './messages.ts'
import type { Bench, Question } from './question.ts'

const account = 160
/** Each on a connection of its own, which any thread may get: the first ones of a thread are not warm. */
const warmLists = 6
const items = 'UID FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)'

export const fetchEnvelopeQuestion: Question = {
  name: 'fetch-envelope',
  title: 'ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE of 10,000 messages',
  boundBy:
    'The first time Dovecot parses each message and writes its cache; Restante parsed it on arrival and has the text ready for the wire. Later both: CPU that copies text, and the client reading some 10 MB.',
  shortfall:
    'At once after a restart it is code that V8 has not compiled yet: the first list in a thread takes twice as long as the fourth. What rehearses listing waits a second, so that it takes no processor from whoever comes at once; once that is over ("after a restart") a third of the CPU is saved, and V8 has not optimised all of it yet. Rows of email are 41 % of what is left, the socket 7 %, the collector 5 %. It would take code that V8 keeps compiled over a restart, or the listings in chunks, as the flags are.',
  rows: {
    envelopeFirst: { title: 'first time ever', unit: 'ms', target: 8 },
    envelopeAtOnce: { title: 'at once after a restart', unit: 'ms' },
    envelopeRestart: { title: 'after a restart', unit: 'ms', target: 2 },
    envelopeWarm: { title: 'warm', unit: 'ms', target: 2.5 },
  },
  async run(bench) {
    const mailbox = `list${bench.repetition + 1}`
    const count = bench.count(10_000)
    await fill(bench.server, account, mailbox, count, number => listed(number, bench.repetition))
    await list(bench, 'envelopeFirst', mailbox, count)
    await bench.server.restart()
    await list(bench, 'envelopeAtOnce', mailbox, count)
    await restartToRest(bench.server)
    await list(bench, 'envelopeRestart', mailbox, count)
    for (let left = warmLists; left > 0; left--) await list(bench, 'envelopeWarm', mailbox, count)
    const client = await login(bench.server, account)
    await client.run(`DELETE ${mailbox}`)
    await client.logout()
  },
}

/** Messages with all kinds of structure, but of those above 100 KB only the numbers' next one below. */
function listed(number: number, repetition: number): Buffer {
  for (let at = number * 8 + (repetition + 1) * 100_003; ; at++) {
    const message = realisticMessage(at)
    if (message.length < 100_000) return message
  }
}

async function list(bench: Bench, row: string, mailbox: string, count: number): Promise<void> {
  const client = await select(bench.server, account, mailbox)
  await bench.time(row, 1, () => client.drain(items))
  if (row === 'envelopeFirst') {
    const again = (await client.run(items)).bytes.toString('latin1')
    const found = again.split(' BODYSTRUCTURE (').length - 1
    if (found !== count) throw new Error(`${found} FETCH answers instead of ${count}`)
  }
  await client.logout()
}
