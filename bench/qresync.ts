// How long does a client that comes back take to learn what has changed in 100,000 messages?
import type { ImapClient } from './imap-client.ts'
import { big, fillBig, login } from './mailboxes.ts'
import type { Bench, Question } from './question.ts'

const changes = 100

export const qresyncQuestion: Question = {
  name: 'qresync',
  title: `What has changed in 100,000 messages: the flags of ${changes} of them (RFC 7162)`,
  boundBy:
    'Dovecot: its index is searched for the modSeq. Restante: the changes it remembers, or a pass over the modSeqs in memory.',
  rows: {
    select: { title: 'SELECT (QRESYNC …)', unit: 'ms', target: 3 },
    changedSince: { title: 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE …)', unit: 'ms', target: 3 },
  },
  prepare: fillBig,
  async run(bench) {
    const writer = await login(bench.server, big.account)
    const before = await openBig(writer)
    await changeFlags(writer, bench)
    await writer.logout()
    for (let left = 5; left > 0; left--) {
      const client = await login(bench.server, big.account)
      await client.run('ENABLE QRESYNC')
      const { uidValidity, modSeq } = before
      let bytes = 0
      await bench.time('select', 1, async () => {
        bytes = await client.drain(`SELECT ${big.mailbox} (QRESYNC (${uidValidity} ${modSeq}))`)
      })
      assertTold(bytes)
      await bench.time('changedSince', 1, async () => {
        bytes = await client.drain(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq})`)
      })
      assertTold(bytes)
      await client.logout()
    }
  },
}

interface Seen {
  readonly uidValidity: string
  readonly modSeq: string
}

/** Selects the big mailbox; what a client remembers of it. */
async function openBig(client: ImapClient): Promise<Seen> {
  const { bytes } = await client.run(`SELECT ${big.mailbox} (CONDSTORE)`)
  const text = bytes.toString('latin1')
  const uidValidity = /UIDVALIDITY (\d+)/.exec(text)?.[1]
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(text)?.[1]
  if (uidValidity === undefined || modSeq === undefined)
    throw new Error('SELECT without UIDVALIDITY or HIGHESTMODSEQ')
  return { uidValidity, modSeq }
}

/** Changes \Flagged of messages all over the mailbox, this way and that in turns. */
async function changeFlags(client: ImapClient, { count, repetition }: Bench): Promise<void> {
  const step = Math.floor(count(big.messages) / changes)
  const uids = Array.from({ length: changes }, (_, index) => 1 + index * step)
  await client.run(`UID STORE ${uids.join(',')} ${repetition % 2 === 0 ? '-' : '+'}FLAGS.SILENT (\\Flagged)`)
}

/** Each change is a line of its own. */
function assertTold(bytes: number): void {
  if (bytes < changes * 30 || bytes > changes * 120)
    throw new Error(`${bytes} bytes tell of ${changes} changes`)
}
