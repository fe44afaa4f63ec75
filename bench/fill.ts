// How fast does a mailbox of 100,000 small messages fill by MULTIAPPEND?
import { big, login } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Question } from './question.ts'

const group = 100

export const fillQuestion: Question = {
  name: 'fill',
  title: 'Fill 100,000 small messages by MULTIAPPEND, 100 to a command',
  boundBy:
    'Dovecot: a file created, synced and renamed for each message. Restante: one transaction for each command, then its metadata (CPU).',
  shortfall:
    'One client that waits: the protocol thread takes in 100 messages (two thirds of it their summary), then the writer stores them (half as much for their rows as the protocol thread takes for all, a sixth for bodies and syncs), while the indexer takes as much again on a processor that the client would use. All of it is 160 us of CPU a message, where eight times as fast would leave 100 for two processors. It would take summaries made by several threads, two indexes of email fewer, and text that is indexed once it is asked for.',
  repetitions: 0,
  rows: { fill: { title: 'messages', unit: 'per second', target: 8, single: true } },
  async run(bench) {
    const count = bench.count(big.messages)
    const client = await login(bench.server, big.account)
    await client.run(`CREATE ${big.mailbox}`)
    const groups: Buffer[][] = []
    for (let from = 0; from < count; from += group) {
      groups.push(Array.from({ length: Math.min(group, count - from) }, (_, at) => smallMessage(from + at)))
    }
    await bench.time('fill', count, async () => {
      for (const messages of groups) await client.append(big.mailbox, messages)
    })
    await client.logout()
  },
}
