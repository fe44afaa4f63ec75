// How long do COPY, MOVE and EXPUNGE of 10,000 messages take?
import { fill, select } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Question } from './question.ts'

const account = 163

export const copyQuestion: Question = {
  name: 'copy',
  title: 'COPY, MOVE and EXPUNGE of 10,000 messages',
  boundBy:
    'Dovecot: hard links and unlinks. Restante: 10,000 narrow rows in one transaction (CPU of the writer).',
  shortfall:
    'EXPUNGE lies at its goal, at 2.9 to 3.2 times from run to run; most of it are the rows that the writer takes out and the tombstones that it puts in their place.',
  warmUps: 4,
  rows: {
    copy: { title: 'UID COPY 1:*', unit: 'ms', target: 4 },
    move: { title: 'UID MOVE 1:*', unit: 'ms', target: 4 },
    expunge: { title: 'EXPUNGE', unit: 'ms', target: 3 },
  },
  async prepare(bench) {
    await fill(bench.server, account, 'source', bench.count(10_000), smallMessage)
  },
  async run(bench) {
    const client = await select(bench.server, account, 'source')
    await client.run('CREATE copied')
    await client.run('CREATE moved')
    await bench.time('copy', 1, () => client.run('UID COPY 1:* copied'))
    await client.run('SELECT copied')
    await bench.time('move', 1, () => client.run('UID MOVE 1:* moved'))
    const selected = await client.run('SELECT moved')
    if (!selected.bytes.includes(`* ${bench.count(10_000)} EXISTS`)) throw new Error('messages are missing')
    await client.run('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
    await bench.time('expunge', 1, () => client.run('EXPUNGE'))
    await client.run('UNSELECT')
    await client.run('DELETE copied')
    await client.run('DELETE moved')
    await client.logout()
  },
}
