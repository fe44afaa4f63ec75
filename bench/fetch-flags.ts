// How long does FETCH FLAGS of 100,000 messages take?
import { big, fillBig, select } from './mailboxes.ts'
import type { Question } from './question.ts'

export const fetchFlagsQuestion: Question = {
  name: 'fetch-flags',
  title: 'UID FETCH 1:* (FLAGS) of 100,000 messages, warm',
  boundBy: 'Both: CPU that writes 3 MB of text from memory.',
  warmUps: 4,
  rows: { flags: { title: 'UID FETCH 1:* (FLAGS)', unit: 'ms', target: 2.5 } },
  prepare: fillBig,
  async run(bench) {
    const client = await select(bench.server, big.account, big.mailbox)
    const answer = await client.run('UID FETCH 1:* (FLAGS)')
    let lines = 0
    for (let at = answer.bytes.indexOf('\r\n* '); at >= 0; at = answer.bytes.indexOf('\r\n* ', at + 2))
      lines++
    if (lines + 1 !== bench.count(big.messages)) throw new Error(`${lines + 1} FETCH answers`)
    for (let left = 3; left > 0; left--) {
      await bench.time('flags', 1, () => client.drain('UID FETCH 1:* (FLAGS)'))
    }
    await client.logout()
  },
}
