// Fuzzes an IMAP server from several connections at once: right, nearly right and wrong commands of the whole table, in all states and with all that
// can be enabled. From time to time a witness looks whether all is well, and tidies up.
import { Random } from '../../../bench/random.ts'
import { FuzzClient, type Judge } from './fuzz-client.ts'
import { type Input, makeInput } from './input.ts'

export interface FuzzOptions {
  readonly port: number
  readonly seed: number
  /** Inputs in all. */
  readonly count: number
  /** Connections at once. */
  readonly connections: number
  readonly judge: Judge
  /** Called about every 10,000 inputs, when all is tidy and nobody is connected. */
  readonly onQuiet?: (inputs: number) => Promise<void>
  /** Makes each input something else: a deliberate fault. */
  readonly spoil?: (input: Input) => Input
}

export interface FuzzFigures {
  inputs: number
  sessions: number
  /** Times that each command was said, as far as the input still held its name. */
  readonly commands: Map<string, number>
  readonly answers: { OK: number; NO: number; BAD: number }
}

const round = 10_000
const input = (text: string): Input => ({ text, command: text.split(' ')[0] as string, isBare: false })
const noop = input('NOOP')

/** How sessions begin, after log-in. */
const beginnings: readonly (readonly string[])[] = [
  [],
  ['SELECT INBOX'],
  ['SELECT INBOX'],
  ['SELECT INBOX (CONDSTORE)'],
  ['ENABLE QRESYNC', 'SELECT INBOX'],
  ['ENABLE IMAP4rev2', 'SELECT INBOX'],
  ['ENABLE UTF8=ACCEPT QRESYNC', 'EXAMINE INBOX'],
  ['ENABLE UIDONLY', 'SELECT INBOX'],
  [
    'ENABLE QRESYNC METADATA METADATA-SERVER',
    'SELECT INBOX',
    'NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge MailboxName))',
  ],
  [
    'LANGUAGE de',
    'SELECT INBOX',
    'UID SEARCH RETURN (ALL UPDATE) UNSEEN',
    'SORT RETURN (UPDATE COUNT) (REVERSE DATE) UTF-8 ALL',
  ],
]

export async function runFuzz(options: FuzzOptions): Promise<FuzzFigures> {
  const { count, connections, seed, onQuiet } = options
  const figures: FuzzFigures = {
    inputs: 0,
    sessions: 0,
    commands: new Map(),
    answers: { OK: 0, NO: 0, BAD: 0 },
  }
  const randoms = Array.from({ length: connections }, (_, at) => new Random(seed + at))
  while (figures.inputs < count) {
    const end = Math.min(count, figures.inputs + round)
    await tidy(options)
    await Promise.all(randoms.map(random => fuzzUntil(options, figures, random, end)))
    await tidy(options)
    await onQuiet?.(figures.inputs)
  }
  return figures
}

/** One connection after another, until there were enough inputs. */
async function fuzzUntil(
  options: FuzzOptions,
  figures: FuzzFigures,
  random: Random,
  end: number,
): Promise<void> {
  while (figures.inputs < end) {
    figures.sessions++
    const client = await FuzzClient.connect(options.port, options.judge)
    try {
      const isStranger = random.chance(0.05)
      if (!isStranger) {
        await client.say(['LOGIN alice@example.test secret', ...random.pick(beginnings)].map(input), random)
      }
      for (
        let batches = 1 + random.below(40);
        batches > 0 && !client.isEnded && figures.inputs < end;
        batches--
      ) {
        await client.say(makeBatch(random, figures, options), random)
        if (client.isEnded || random.chance(0.7)) continue
        // Somebody may have left the mailbox, or have logged out.
        if (/BAD .*log in first/.test(await client.command('SELECT INBOX')) && !isStranger)
          await client.command('LOGIN alice@example.test secret')
      }
      if (client.isEnded) continue
      if (random.chance(0.3))
        client.destroy(
          random.pick([
            '',
            'f0 APPEND INBOX {10',
            'f0 APPEND INBOX {100+}\r\nabc',
            'f0 UID FETCH 1:* BODY.PEEK[]\r\n',
          ]),
        )
      else await client.say([input('LOGOUT')], random)
    } finally {
      client.destroy()
      figures.answers.OK += client.words.OK
      figures.answers.NO += client.words.NO
      figures.answers.BAD += client.words.BAD
    }
  }
}

function makeBatch(random: Random, figures: FuzzFigures, { spoil }: FuzzOptions): Input[] {
  const batch: Input[] = []
  for (let left = 1 + random.below(20); left > 0; left--) {
    const made = makeInput(random)
    batch.push(spoil ? spoil(made) : made)
    figures.inputs++
    figures.commands.set(made.command, (figures.commands.get(made.command) ?? 0) + 1)
    // Ten bad commands in a row end a session.
    if (batch.length % 6 === 0) batch.push(noop)
  }
  batch.push(noop)
  return batch
}

/** A session of good commands that finds all in order, and makes the account as small as it was. */
async function tidy({ port, judge }: FuzzOptions): Promise<void> {
  const names: string[] = []
  const client = await FuzzClient.connect(port, judge)
  client.onUntagged = line => {
    const name = /^\* (?:LIST|LSUB) \([^)]*\) "\/" (?:"((?:[^"\\]|\\.)*)"|(\S+))$/s.exec(line)
    if (name) names.push(name[1] ?? `${name[2]}`)
  }
  const must = async (text: string) => {
    const answer = await client.command(text)
    if (!/^\S+ OK /.test(answer))
      judge.violation(`the witness said ${text.slice(0, 200)} and heard ${answer}`)
  }
  await must('LOGIN alice@example.test secret')
  await must('LIST "" "*"')
  await must('SELECT INBOX')
  await must('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
  await must('CLOSE')
  // The deepest first.
  for (const name of names.sort((a, b) => b.split('/').length - a.split('/').length)) {
    if (name !== 'INBOX') await client.command(`DELETE "${name}"`)
  }
  names.length = 0
  await must('LSUB "" "*"')
  for (const name of names) await client.command(`UNSUBSCRIBE "${name}"`)
  for (const name of ['Drafts', 'a', 'a/b']) await client.command(`CREATE ${name}`)
  await must('RESETKEY')
  for (let left = 6; left > 0; left--) {
    await must(
      `APPEND INBOX (\\Seen k1) {59+}\r\nFrom: a@example.test\r\nSubject: hello ${left}\r\n\r\nbody of one\r\n\r\n`,
    )
  }
  await must('LOGOUT')
  client.destroy()
}
