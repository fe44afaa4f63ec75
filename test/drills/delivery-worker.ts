// A connection that delivers by LMTP or SMTP into its own account's INBOX, and keeps what was acknowledged.
import { ImapClient } from '../../bench/imap-client.ts'
import type { Random } from '../../bench/random.ts'
import { password, type Server, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { withoutTrace } from '../e2e/mail.ts'
import { drillMessage, idOf } from './drill-message.ts'
import { parseFetches } from './mail-model.ts'

/** Messages beyond which the oldest are expunged after a look, which makes work for compaction. */
const crowded = 300

export class DeliveryWorker {
  readonly account: number
  readonly #protocol: 'EHLO' | 'LHLO'
  readonly #random: Random
  /** What was acknowledged and is not expunged, by its number. */
  #ledger = new Map<string, Buffer>()
  #underWay: { readonly id: string; readonly message: Buffer } | undefined
  /** Which message each UID named. */
  readonly #known = new Map<number, string>()
  #uidNext = 1
  #highestModSeq = 0n
  #count = 0
  acknowledged = 0

  constructor(account: number, protocol: 'EHLO' | 'LHLO', random: Random) {
    this.account = account
    this.#protocol = protocol
    this.#random = random
  }

  /** Works until the connection breaks, which is thrown. */
  async work(server: Server): Promise<never> {
    const port = this.#protocol === 'LHLO' ? server.ports.lmtp : server.ports.smtp
    if (port === undefined) throw new Error('no SMTP here')
    const client = await SmtpClient.connect({ port }, this.#protocol)
    for (;;) {
      const id = `${this.account}-${++this.#count}-${this.#random.below(1e9)}`
      const message = drillMessage(id, this.#random)
      this.#underWay = { id, message }
      const [reply] = await client.send('sender@example.net', [user(this.account)], dotStuff(message))
      if (reply?.code !== 250) throw new Error(`delivery was refused: ${reply?.code} ${reply?.text}`)
      this.#ledger.set(id, message)
      this.#underWay = undefined
      this.acknowledged++
    }
  }

  /** Reads the INBOX; gives what is wrong with it. Then expunges the oldest where there are many. */
  async observe(server: Server): Promise<string[]> {
    const client = await ImapClient.login({ port: server.ports.imap }, user(this.account), password)
    const selected = (await client.run('SELECT INBOX (CONDSTORE)')).bytes.toString('latin1')
    const wrong = this.#judgeNumbers(selected)
    const isEmpty = /^\* 0 EXISTS/m.test(selected)
    const fetched = isEmpty
      ? []
      : parseFetches((await client.run('UID FETCH 1:* (UID FLAGS BODY.PEEK[])')).bytes)
    wrong.push(...this.#judge(fetched))
    if (fetched.length > crowded) {
      const old = fetched.slice(0, fetched.length - crowded / 3)
      const last = old.at(-1)?.uid ?? 0
      await client.run(`UID STORE 1:${last} +FLAGS.SILENT (\\Deleted)`)
      await client.run('EXPUNGE')
      for (const { body } of old) this.#ledger.delete(idOf(body))
    }
    await client.logout()
    return wrong
  }

  #judgeNumbers(selected: string): string[] {
    const wrong: string[] = []
    const uidNext = Number(/\[UIDNEXT (\d+)\]/.exec(selected)?.[1])
    const modSeq = BigInt(/\[HIGHESTMODSEQ (\d+)\]/.exec(selected)?.[1] ?? 0)
    if (uidNext < this.#uidNext) wrong.push(`UIDNEXT went from ${this.#uidNext} to ${uidNext}`)
    if (modSeq < this.#highestModSeq)
      wrong.push(`HIGHESTMODSEQ went from ${this.#highestModSeq} to ${modSeq}`)
    this.#uidNext = uidNext
    this.#highestModSeq = modSeq
    return wrong.map(text => `${user(this.account)}: ${text}`)
  }

  #judge(fetched: ReturnType<typeof parseFetches>): string[] {
    const wrong: string[] = []
    const seen = new Set<string>()
    for (const { uid, body } of fetched) {
      const id = idOf(body)
      const sent = this.#ledger.get(id) ?? (this.#underWay?.id === id ? this.#underWay.message : undefined)
      if (sent === undefined) {
        wrong.push(`UID ${uid} (${id}) came from nowhere`)
        this.#ledger.set(id, body) // told once; from now on it is to stay
      } else if (withoutTrace(body, sent) === undefined) wrong.push(`UID ${uid} (${id}) is not what was sent`)
      else this.#ledger.set(id, sent) // what was under way when the server died, and arrived, is to stay
      if (seen.has(id)) wrong.push(`${id} is there twice`)
      seen.add(id)
      const earlier = this.#known.get(uid)
      if (earlier !== undefined && earlier !== id) wrong.push(`UID ${uid} was ${earlier} and is ${id}`)
      this.#known.set(uid, id)
    }
    for (const id of this.#ledger.keys()) if (!seen.has(id)) wrong.push(`acknowledged ${id} is lost`)
    this.#ledger = new Map([...this.#ledger].filter(([id]) => seen.has(id)))
    this.#underWay = undefined
    return wrong.map(text => `${user(this.account)}: ${text}`)
  }
}
