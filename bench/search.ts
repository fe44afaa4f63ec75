// How long does SEARCH over 100,000 messages take?
import type { ImapClient } from './imap-client.ts'
import { big, fillBig, select, settle } from './mailboxes.ts'
import { rareWord } from './messages.ts'
import type { Bench, Question, Row } from './question.ts'

interface Kind {
  /** What is searched for; with the number of times that it was asked before, where that is to be another thing each time. */
  readonly search: string | ((asked: number) => string)
  readonly title?: string
  readonly target: number
  /** The first time is a row of its own. */
  readonly once: boolean
}

const kinds: Readonly<Record<string, Kind>> = {
  Unseen: { search: 'UNSEEN', target: 5, once: false },
  Since: { search: 'SINCE 1-Jan-2000', target: 5, once: true },
  SentSince: { search: 'SENTSINCE 1-Jan-2022', target: 5, once: true },
  Subject: { search: 'SUBJECT "railway"', target: 50, once: true },
  OtherSubject: {
    search: asked => `SUBJECT "${rareWord(asked)}"`,
    title: 'SUBJECT, another word each time',
    target: 50,
    once: false,
  },
  From: { search: 'FROM "sender3"', target: 50, once: true },
  Header: { search: 'HEADER X-Mailer "Example 7"', target: 50, once: true },
  Body: { search: `BODY "${rareWord(1234)}"`, target: 50, once: true },
  OtherBody: {
    search: asked => `BODY "${rareWord(asked)}"`,
    title: 'BODY, another word each time',
    target: 50,
    once: false,
  },
  Text: { search: `TEXT "${rareWord(4321)}"`, target: 50, once: true },
}

/** Searches for another word each time, so far. */
let asked = 0

const warmUpTimes = 16
const warmUpMs = 400

export const searchQuestion: Question = {
  name: 'search',
  title: 'UID SEARCH over 100,000 messages',
  boundBy:
    'Dovecot: the first time it opens every message; later its cache serves header fields, and BODY and TEXT open every message again. Restante: its index, and a check of each candidate; asked the same again, what the index has answered before. Both servers came to rest after the mail had arrived, so the indexer has seen all but the last messages; before that they are scanned.',
  shortfall:
    'UNSEEN: of a millisecond of CPU a quarter are 100,000 flags, a sixth the indexes of 10,000, a seventh their numbers, and most of the rest the socket; it would take flags as bits. SENTSINCE writes 90,000 numbers, which the client may take longer to read than the server to find. The first SUBJECT, BODY and TEXT are measured once, and hang on whether the index is in the page cache and on what else the machine does while V8 compiles: SUBJECT took 31 to 94 ms from run to run (21 to 59x), BODY 25 to 45 (39 to 72x), TEXT 33 to 66 (44 to 71x). A quarter of the first SUBJECT is the collector of V8 (what is read of the index is new memory, as is the folded text), about a seventh each are the emails of the packed mailbox, the reading of the index and the folding; code that has run is not what is missing: where another mailbox had been asked the same a moment before, it took a fifth less. It would take texts that are folded in the index and searched where they lie. SUBJECT of another word looks through 5 MB of folded text, 3 ms; what is left, as where the index has answered the same before, are 100,000 messages gone through five times (the answer of each chunk, of each message, those that match, their numbers), and the up to 63 emails at the end that are in no chunk yet and are read: two to three milliseconds. It would take answers as ranges of messages.',
  warmUps: 3,
  rows: rows(),
  async prepare(bench) {
    await fillBig(bench)
    await settle(bench.server)
  },
  async run(bench) {
    const client = await select(bench.server, big.account, big.mailbox)
    const isFirst = bench.repetition < 0
    for (const [kind, { search, once }] of Object.entries(kinds)) {
      const ask = () => client.drain(`UID SEARCH ${typeof search === 'string' ? search : search(asked++)}`)
      // Whoever serves this connection may not have been asked before; each first time in a thread of Restante is as the first time ever.
      if (!isFirst) await askUntilWarm(ask)
      await bench.time(isFirst && once ? `first${kind}` : `search${kind}`, 1, ask)
    }
    if (isFirst) await prepareMarks(bench, client)
    await client.logout()
  },
}

function rows(): Record<string, Row> {
  const found: Record<string, Row> = {}
  for (const [kind, { search, title = String(search), target, once }] of Object.entries(kinds)) {
    if (once) found[`first${kind}`] = { title: `${title}, first time`, unit: 'ms', target, single: true }
    found[`search${kind}`] = { title, unit: 'ms', target }
  }
  return found
}

/** Asks so often that more would change nothing, where it does not take long. */
async function askUntilWarm(ask: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + warmUpMs
  for (let left = warmUpTimes; left > 0; left--) {
    await ask()
    if (performance.now() > until) return
  }
}

/** Marks nine of ten messages as read, so that UNSEEN has something to tell apart. */
async function prepareMarks(bench: Bench, client: ImapClient): Promise<void> {
  const ranges: string[] = []
  for (let uid = 1; uid <= bench.count(big.messages); uid += 100) ranges.push(`${uid}:${uid + 89}`)
  await client.run(`UID STORE ${ranges.join(',')} +FLAGS.SILENT (\\Seen)`)
}
