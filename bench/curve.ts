// What does the size of a mailbox cost? Opens, flags, searches and expunges in mailboxes of 1,000 to 1,000,000 messages.
import { big, fill, login, restartToRest, select, settle } from './mailboxes.ts'
import { rareWord, smallMessage } from './messages.ts'
import type { Bench, Question, Row } from './question.ts'

interface Size {
  readonly messages: number
  readonly account: number
  readonly mailbox: string
  /** Dovecot would take minutes to fill it. */
  readonly onlyRestante?: boolean
}

const sizes: readonly Size[] = [
  { messages: 1000, account: 190, mailbox: 'curve' },
  { messages: 10_000, account: 191, mailbox: 'curve' },
  { ...big },
  { messages: 1_000_000, account: 192, mailbox: 'curve', onlyRestante: true },
]

/** Messages that are fetched or expunged where the size of the mailbox should not matter. */
const few = 100
/** Sessions before one that counts as warm. */
const before = 60
/** How long the indexer may take for the largest; it works while the mailbox is filled. */
const indexedMs = 600_000

/** What is measured in each. */
const works = {
  Cold: { title: 'SELECT after a restart' },
  Open: { title: 'SELECT, warm' },
  Few: { title: `FETCH FLAGS of the last ${few}` },
  All: { title: 'FETCH FLAGS of all' },
  Unseen: { title: 'SEARCH UNSEEN' },
  Text: { title: 'SEARCH TEXT of a word that one message in 1,600 has' },
  Expunge: { title: `UID STORE \\Deleted and EXPUNGE of ${few}` },
} as const

export const curveQuestion: Question = {
  name: 'curve',
  title: 'The same in mailboxes of 1,000 to 1,000,000 messages (the largest in Restante only)',
  boundBy:
    'A SELECT after a restart reads the header of the packed snapshot, and where something has changed since, a summary of each 1,024 messages; FETCH FLAGS of all writes a line for each message, SEARCH UNSEEN looks at the flags of each: these grow with the messages that are asked about, and SEARCH TEXT with those that it finds. The others ask about a hundred messages, and are to cost the same everywhere.',
  repetitions: 2,
  rows: rows(),
  async prepare(bench) {
    for (const { messages, account, mailbox } of sizesFor(bench)) {
      const count = bench.count(messages)
      const workers = count > big.messages ? 4 : 1
      await fill(bench.server, account, mailbox, count, smallMessage, workers)
    }
    await settle(bench.server, indexedMs)
  },
  async run(bench) {
    for (const size of sizesFor(bench)) {
      // What it does by itself after a start is no part of the question.
      await restartToRest(bench.server)
      await measureSize(bench, size)
    }
  },
}

function rows(): Record<string, Row> {
  const found: Record<string, Row> = {}
  for (const [name, { title }] of Object.entries(works)) {
    for (const { messages } of sizes) {
      found[`${name}${messages}`] = { title: `${title}: ${messages.toLocaleString('en-US')}`, unit: 'ms' }
    }
  }
  return found
}

function sizesFor({ server, isSmall }: Bench): readonly Size[] {
  const isTooMuch = isSmall || server.name === 'Dovecot'
  return sizes.filter(({ onlyRestante }) => !(isTooMuch && onlyRestante === true))
}

async function measureSize(bench: Bench, { messages, account, mailbox }: Size): Promise<void> {
  const count = bench.count(messages)
  const first = await login(bench.server, account)
  await bench.time(`Cold${messages}`, 1, () => first.drain(`SELECT ${mailbox}`))
  await first.logout()
  // Connections go to any thread, and each has its own picture of the mailbox.
  for (let left = before; left > 0; left--) await (await select(bench.server, account, mailbox)).logout()
  const client = await login(bench.server, account)
  await bench.time(`Open${messages}`, 1, () => client.drain(`SELECT ${mailbox}`))
  const work = async (name: keyof typeof works, command: string) => {
    for (let left = 3; left > 0; left--) await client.drain(command)
    await bench.time(`${name}${messages}`, 1, () => client.drain(command))
  }
  await work('Few', `FETCH ${Math.max(1, count - few)}:* (UID FLAGS)`)
  await work('All', 'FETCH 1:* (UID FLAGS)')
  await work('Unseen', 'UID SEARCH UNSEEN')
  await work('Text', `UID SEARCH TEXT "${rareWord(777)}"`)
  // As many come as go, so that the next repetition finds the same number.
  await client.append(
    mailbox,
    Array.from({ length: Math.min(few, count) }, (_, at) => smallMessage(2_000_000 + at)),
  )
  await client.drain('NOOP')
  await bench.time(`Expunge${messages}`, 1, async () => {
    await client.drain(`STORE ${Math.max(1, count - few + 1)}:${count} +FLAGS.SILENT (\\Deleted)`)
    await client.drain('EXPUNGE')
  })
  await client.logout()
}
