// What the mailboxes of one account hold, by what the commands mean; held against the store after each step.
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { systemFlags, systemMask } from '../../../src/store/flags.ts'
import type { MailboxSnapshot } from '../../../src/store/mailbox-snapshot.ts'
import { listMailboxes } from '../../../src/store/read/mailboxes.ts'
import type { Store } from '../../../src/store/store.ts'
import { flagsKey, violation } from './belief.ts'
import { valuesOf } from '../../store/snapshot-values.ts'

export interface Message {
  /** Undefined where it came about among commands that ran at once. */
  subject: string | undefined
  flags: Set<string>
}

export class Box {
  name: string
  readonly id: MailboxId
  readonly uidValidity: number
  /** Mailboxes are empty when they are taken up, or were made by one of the commands that ran at once. */
  uidNext = 1
  readonly messages = new Map<number, Message>()
  modSeq = 0
  readonly modSeqs = new Map<number, number>()
  /** UIDs whose modSeq may have changed since it was read. */
  readonly touched = new Set<number>()

  constructor(name: string, snapshot: MailboxSnapshot) {
    this.name = name
    this.id = snapshot.mailbox
    this.uidValidity = snapshot.uidValidity
  }

  add(subject: string | undefined, flags: Iterable<string>): number {
    this.messages.set(this.uidNext, { subject, flags: new Set(flags) })
    this.touched.add(this.uidNext)
    return this.uidNext++
  }

  flagsOf(uid: number): string {
    return flagsKey(this.messages.get(uid)?.flags ?? [])
  }
}

export class Truth {
  readonly boxes = new Map<string, Box>()
  readonly #store: Store
  readonly #account: AccountId

  constructor(store: Store, account: AccountId) {
    this.#store = store
    this.#account = account
  }

  box(name: string): Box {
    const box = this.boxes.get(name)
    if (!box) throw new Error(`the model has no ${name}`)
    return box
  }

  byValidity(uidValidity: number): Box | undefined {
    return [...this.boxes.values()].find(box => box.uidValidity === uidValidity)
  }

  /** Takes up mailboxes that are new, and names that have changed; the rest must be known. */
  async adoptNames(): Promise<void> {
    const rows = await listMailboxes(this.#store.reader, this.#account)
    const known = new Map([...this.boxes.values()].map(box => [box.id, box]))
    this.boxes.clear()
    for (const { id, name } of rows) {
      const box = known.get(id) ?? new Box(name, await this.#store.snapshot(this.#account, id))
      box.name = name
      this.boxes.set(name, box)
    }
  }

  /** Holds the store against the model: what commands mean is what has happened. */
  async compare(): Promise<void> {
    for (const box of this.boxes.values()) {
      const snapshot = await this.#store.snapshot(this.#account, box.id)
      this.#judgeNumbers(box, snapshot)
      const uids = valuesOf(snapshot.uids, snapshot.count)
      const wanted = [...box.messages.keys()]
      if (uids.join() !== wanted.join())
        violation(`${box.name} holds the UIDs ${uids.join(' ')}, and should hold ${wanted.join(' ')}`)
      if (snapshot.uidNext !== box.uidNext)
        violation(`${box.name}: UIDNEXT ${snapshot.uidNext}, not ${box.uidNext}`)
      for (const [position, uid] of uids.entries()) {
        const flags = flagsOf(snapshot, position)
        if (flags !== box.flagsOf(uid))
          violation(`${box.name}: UID ${uid} has the flags (${flags}), and should have (${box.flagsOf(uid)})`)
      }
    }
  }

  /** Takes the store for the truth, after commands that ran at once. */
  async adopt(): Promise<void> {
    await this.adoptNames()
    for (const box of this.boxes.values()) {
      const snapshot = await this.#store.snapshot(this.#account, box.id)
      this.#judgeNumbers(box, snapshot)
      const before = new Map(box.messages)
      box.messages.clear()
      for (let position = 0; position < snapshot.count; position++) {
        const uid = snapshot.uids.at(position)
        if (uid < box.uidNext && !before.has(uid)) violation(`${box.name}: UID ${uid} has come back`)
        const flags = new Set(flagsOf(snapshot, position).split(' ').filter(Boolean))
        box.messages.set(uid, { subject: before.get(uid)?.subject, flags })
      }
      if (snapshot.uidNext < box.uidNext) violation(`${box.name}: UIDNEXT went back to ${snapshot.uidNext}`)
      box.uidNext = snapshot.uidNext
    }
  }

  #judgeNumbers(box: Box, snapshot: MailboxSnapshot): void {
    if (snapshot.uidValidity !== box.uidValidity) violation(`${box.name}: UIDVALIDITY changed`)
    if (snapshot.modSeq < box.modSeq) violation(`${box.name}: HIGHESTMODSEQ went back from ${box.modSeq}`)
    box.modSeq = snapshot.modSeq
    box.touched.clear()
    for (let position = 0; position < snapshot.count; position++) {
      const uid = snapshot.uids.at(position)
      const modSeq = snapshot.modSeqs.at(position)
      if (modSeq < (box.modSeqs.get(uid) ?? 0)) violation(`${box.name}: the modSeq of UID ${uid} went back`)
      if (modSeq > snapshot.modSeq) violation(`${box.name}: UID ${uid} has a modSeq over HIGHESTMODSEQ`)
      box.modSeqs.set(uid, modSeq)
    }
  }
}

function flagsOf(snapshot: MailboxSnapshot, position: number): string {
  const flags = snapshot.flags.at(position)
  const system = Object.entries(systemFlags).flatMap(([name, bit]) =>
    (flags & systemMask & bit) !== 0 ? [name] : [],
  )
  return flagsKey([...system, ...snapshot.keywordsOf(flags)])
}
