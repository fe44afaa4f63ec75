// How many bytes go to the disk for each byte of mail that is delivered?
import { login, settle, together } from './mailboxes.ts'
import { messageOfSize, realisticMessage, smallMessage } from './messages.ts'
import { writtenBytes } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { user } from './server.ts'
import { dotStuff, SmtpClient } from './smtp-client.ts'

const connections = 16
const firstAccount = 200

export const diskQuestion: Question = {
  name: 'disk',
  title: 'Bytes written to the disk for each byte delivered, until the servers came to rest',
  boundBy:
    'Dovecot: the message, its index and its log, in blocks of 4 KB, but for what the file system itself writes for each new file (not counted for either). Restante: the message in a segment, its rows twice (write-ahead log, then database), the search index.',
  repetitions: 2,
  rows: {
    lmtp10k: { title: `LMTP, 10 KB, ${connections} connections`, unit: 'times' },
    lmtpOne: { title: 'LMTP, 10 KB, 1 connection', unit: 'times' },
    lmtpReal: {
      title: `LMTP, realistic messages (70 KB on average), ${connections} connections`,
      unit: 'times',
    },
    small: { title: 'MULTIAPPEND, 1 KB, 100 to a command', unit: 'times' },
  },
  async run(bench) {
    const first = (bench.repetition + 2) * 100_000 + 50_000_000
    const mail = (count: number, make: (number: number) => Buffer) =>
      Array.from({ length: bench.count(count) }, (_, at) => make(first + at))
    const tenKb = (number: number) => messageOfSize(number, 10_240)
    await amplification(bench, 'lmtp10k', mail(3200, tenKb), messages =>
      deliver(bench, messages, connections),
    )
    const others = mail(300, number => tenKb(number + 20_000))
    await amplification(bench, 'lmtpOne', others, messages => deliver(bench, messages, 1))
    await amplification(bench, 'lmtpReal', mail(400, realisticMessage), messages =>
      deliver(bench, messages, connections),
    )
    await amplification(bench, 'small', mail(10_000, smallMessage), messages => append(bench, messages))
  },
}

async function amplification(
  bench: Bench,
  row: string,
  messages: readonly Buffer[],
  work: (messages: readonly Buffer[]) => Promise<unknown>,
): Promise<void> {
  await settle(bench.server)
  const before = writtenBytes(bench.server.pids)
  await work(messages)
  await settle(bench.server)
  const delivered = messages.reduce((sum, { length }) => sum + length, 0)
  bench.note(row, (writtenBytes(bench.server.pids) - before) / delivered)
}

async function deliver(bench: Bench, messages: readonly Buffer[], count: number): Promise<void> {
  const next = messages.values()
  await together(count, async worker => {
    const client = await SmtpClient.connect({ port: bench.server.ports.lmtp }, 'LHLO')
    for (const message of next) {
      const [reply] = await client.send(
        'sender@example.net',
        [user(firstAccount + worker)],
        dotStuff(message),
      )
      if (reply?.code !== 250) throw new Error(`LMTP: ${reply?.code} ${reply?.text}`)
    }
    await client.quit()
  })
}

async function append(bench: Bench, messages: readonly Buffer[]): Promise<void> {
  const client = await login(bench.server, firstAccount)
  for (let at = 0; at < messages.length; at += 100) await client.append('INBOX', messages.slice(at, at + 100))
  await client.logout()
}
