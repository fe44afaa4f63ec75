// What an account must hold after a crash: everything acknowledged, and of the command under way either all or nothing.
import { createHash } from 'node:crypto'
import type { ImapClient } from '../../bench/imap-client.ts'

/** One message as the model knows it. */
export interface ModelMessage {
  /** SHA-256 of all its bytes. */
  readonly hash: string
  readonly flags: ReadonlySet<string>
}

/** One mailbox as the server showed it or as the model wants it. */
export interface ModelMailbox {
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModSeq: bigint
  readonly messages: ReadonlyMap<number, ModelMessage>
}

/** What a command changes, by mailbox. UIDs of what it adds are not known beforehand. */
export interface Change {
  readonly added: readonly { readonly mailbox: string; readonly message: ModelMessage }[]
  readonly removed: readonly { readonly mailbox: string; readonly uid: number }[]
  readonly flagged: readonly {
    readonly mailbox: string
    readonly uid: number
    readonly flags: ReadonlySet<string>
  }[]
}

export function change(part: Partial<Change>): Change {
  return { added: [], removed: [], flagged: [], ...part }
}

/** The mailboxes of one account: the last state that was seen, and what was acknowledged since. */
export class MailModel {
  #mailboxes = new Map<string, ModelMailbox>()
  /** Every UID that was ever seen or acknowledged, with its message's hash: a UID is never given to another message. */
  readonly #known = new Map<string, Map<number, string>>()
  #underWay: Change | undefined
  acknowledged = 0

  mailbox(name: string): ModelMailbox {
    const found = this.#mailboxes.get(name)
    if (found === undefined) throw new Error(`no mailbox ${name}`)
    return found
  }

  /** A command is about to be sent: if the server dies now, all or nothing of it may have happened. */
  begin(planned: Change): void {
    this.#underWay = planned
  }

  /** It was acknowledged. `uids` are those of the added messages, in their order. */
  acknowledge(uids: readonly number[], highestModSeq = 0n): void {
    const planned = this.#underWay
    if (planned === undefined) throw new Error('nothing is under way')
    this.#underWay = undefined
    this.acknowledged++
    for (const { mailbox, uid } of planned.removed) this.#update(mailbox, map => map.delete(uid))
    for (const { mailbox, uid, flags } of planned.flagged) {
      this.#update(mailbox, map => {
        const message = map.get(uid)
        if (message !== undefined) map.set(uid, { ...message, flags })
      })
    }
    for (const [at, { mailbox, message }] of planned.added.entries()) {
      const uid = uids[at]
      if (uid === undefined) throw new Error(`no UID for message ${at} in ${mailbox}`)
      this.#update(mailbox, map => map.set(uid, message))
      this.#learn(mailbox, uid, message.hash)
    }
    if (highestModSeq > 0n) {
      const names = new Set(
        [...planned.added, ...planned.removed, ...planned.flagged].map(({ mailbox }) => mailbox),
      )
      for (const name of names) {
        const before = this.mailbox(name)
        if (highestModSeq > before.highestModSeq) this.#mailboxes.set(name, { ...before, highestModSeq })
      }
    }
  }

  /** The server said that it did nothing. */
  refuse(): void {
    this.#underWay = undefined
  }

  /** Takes what the server shows, as the truth from now on; gives what it must not be. */
  observe(observed: ReadonlyMap<string, ModelMailbox>): string[] {
    const wrong: string[] = []
    for (const [name, seen] of observed) wrong.push(...this.#judgeNumbers(name, seen))
    const nothing = this.#differences(observed, change({}))
    const all = this.#underWay === undefined ? nothing : this.#differences(observed, this.#underWay)
    wrong.push(...(all.length < nothing.length ? all : nothing))
    this.#underWay = undefined
    this.#mailboxes = new Map(observed)
    for (const [name, { messages }] of observed) {
      for (const [uid, { hash }] of messages) this.#learn(name, uid, hash)
    }
    return wrong
  }

  /** UIDVALIDITY stays, UIDs name one message for ever, UIDNEXT and HIGHESTMODSEQ never go back. */
  #judgeNumbers(name: string, seen: ModelMailbox): string[] {
    const before = this.#mailboxes.get(name)
    const known = this.#known.get(name) ?? new Map<number, string>()
    const wrong: string[] = []
    if (before !== undefined) {
      if (seen.uidValidity !== before.uidValidity) wrong.push(`${name}: UIDVALIDITY changed`)
      if (seen.uidNext < before.uidNext)
        wrong.push(`${name}: UIDNEXT went from ${before.uidNext} to ${seen.uidNext}`)
      if (seen.highestModSeq < before.highestModSeq) {
        wrong.push(`${name}: HIGHESTMODSEQ went from ${before.highestModSeq} to ${seen.highestModSeq}`)
      }
    }
    for (const [uid, { hash }] of seen.messages) {
      const earlier = known.get(uid)
      if (earlier !== undefined && earlier !== hash) wrong.push(`${name}: UID ${uid} is another message now`)
      if (uid >= seen.uidNext) wrong.push(`${name}: UID ${uid} is not below UIDNEXT ${seen.uidNext}`)
    }
    return wrong
  }

  /** How `observed` differs from this model with `planned` done. */
  #differences(observed: ReadonlyMap<string, ModelMailbox>, planned: Change): string[] {
    const wrong: string[] = []
    for (const [name, before] of this.#mailboxes) {
      const seen = observed.get(name)
      if (seen === undefined) {
        wrong.push(`${name} is gone`)
        continue
      }
      const wanted = new Map(before.messages)
      for (const { uid } of planned.removed.filter(({ mailbox }) => mailbox === name)) wanted.delete(uid)
      for (const { uid, flags } of planned.flagged.filter(({ mailbox }) => mailbox === name)) {
        const message = wanted.get(uid)
        if (message !== undefined) wanted.set(uid, { ...message, flags })
      }
      for (const [uid, message] of wanted) {
        const now = seen.messages.get(uid)
        if (now === undefined) wrong.push(`${name}: acknowledged UID ${uid} is lost`)
        else if (describe(now) !== describe(message)) {
          wrong.push(`${name}: UID ${uid} is ${describe(now)} instead of ${describe(message)}`)
        }
      }
      const added = [...seen.messages].filter(([uid]) => !wanted.has(uid))
      const expected = planned.added
        .filter(({ mailbox }) => mailbox === name)
        .map(({ message }) => describe(message))
      for (const [uid, message] of added) {
        const at = expected.indexOf(describe(message))
        if (at < 0) wrong.push(`${name}: UID ${uid} (${describe(message)}) came from nowhere`)
        else expected.splice(at, 1)
        if (uid < before.uidNext)
          wrong.push(`${name}: UID ${uid} was given though ${before.uidNext} was next`)
      }
      for (const missing of expected) wrong.push(`${name}: ${missing} is lost`)
    }
    return wrong
  }

  #update(name: string, edit: (messages: Map<number, ModelMessage>) => void): void {
    const before = this.mailbox(name)
    const messages = new Map(before.messages)
    edit(messages)
    this.#mailboxes.set(name, { ...before, messages })
  }

  #learn(name: string, uid: number, hash: string): void {
    const known = this.#known.get(name) ?? new Map<number, string>()
    this.#known.set(name, known)
    known.set(uid, hash)
    const before = this.#mailboxes.get(name)
    if (before !== undefined && uid >= before.uidNext)
      this.#mailboxes.set(name, { ...before, uidNext: uid + 1 })
  }
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function describe({ hash, flags }: ModelMessage): string {
  return `${hash.slice(0, 10)} (${[...flags].toSorted().join(' ')})`
}

/** Reads whole mailboxes over IMAP: numbers, flags and the hash of every body. Unselects at the end. */
export async function readMailboxes(
  client: ImapClient,
  names: readonly string[],
): Promise<Map<string, ModelMailbox>> {
  const found = new Map<string, ModelMailbox>()
  for (const name of names) {
    const selected = (await client.run(`SELECT ${name} (CONDSTORE)`)).bytes.toString('latin1')
    const number = (code: string) => new RegExp(`\\[${code} (\\d+)\\]`).exec(selected)?.[1] ?? '0'
    const messages = new Map<number, ModelMessage>()
    if (!/^\* 0 EXISTS/m.test(selected)) {
      const { bytes } = await client.run('UID FETCH 1:* (UID FLAGS BODY.PEEK[])')
      for (const { uid, flags, body } of parseFetches(bytes)) messages.set(uid, { hash: hashOf(body), flags })
    }
    found.set(name, {
      uidValidity: Number(number('UIDVALIDITY')),
      uidNext: Number(number('UIDNEXT')),
      highestModSeq: BigInt(number('HIGHESTMODSEQ')),
      messages,
    })
  }
  await client.run('UNSELECT')
  return found
}

interface Fetched {
  readonly uid: number
  readonly flags: ReadonlySet<string>
  readonly body: Buffer
}

/** Reads answers to FETCH (UID FLAGS BODY.PEEK[]), whatever the order of the items; \Recent is left out. */
export function parseFetches(bytes: Buffer): Fetched[] {
  const found: Fetched[] = []
  for (let at = 0; at < bytes.length; ) {
    const open = bytes.indexOf(' {', at)
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) break
    let head = bytes.toString('latin1', at, lineEnd)
    const literal = /BODY\[\] ~?\{(\d+)\}$/.exec(head)
    if (!/^\* \d+ FETCH /.test(head) || (literal === null && open >= 0 && open < lineEnd)) {
      at = lineEnd + 2
      continue
    }
    let body: Buffer = Buffer.alloc(0)
    at = lineEnd + 2
    if (literal !== null) {
      body = bytes.subarray(at, at + Number(literal[1]))
      at += body.length
      const end = bytes.indexOf('\r\n', at)
      head += bytes.toString('latin1', at, end)
      at = end + 2
    }
    const uid = Number(/UID (\d+)/.exec(head)?.[1])
    const flags = (/FLAGS \(([^)]*)\)/.exec(head)?.[1] ?? '')
      .split(' ')
      .filter(flag => flag !== '' && flag !== '\\Recent')
    found.push({ uid, flags: new Set(flags), body })
  }
  return found
}
