// What a client believes that hears what the server tells it about the selected mailbox, and what it may not be told. RFC 9051 §7.5; RFC 7162; RFC 9586.

/** Something the server may not say, or that is not so. */
export class Violation extends Error {}

export function violation(text: string): never {
  throw new Violation(text)
}

export interface Entry {
  /** 0: not told yet. */
  uid: number
  /** As `flagsKey` writes them; undefined: not told yet. */
  flags: string | undefined
  modSeq: number
  /** With which the flags were told; 0 where they are the client's own doing. */
  flagsModSeq: number
}

/** A search that is kept up to date (RFC 5267). */
export interface Context {
  readonly isUid: boolean
  readonly criterion: string
  /** By number: the messages; by UID: the UIDs, of which some may not have been heard otherwise. */
  readonly members: Set<Entry | number>
  /** Messages vanished of which it is not clear which they were: what is told of it by numbers can't be judged any more. */
  isUnsure: boolean
}

/** What was switched on. */
export interface Switches {
  condstore: boolean
  qresync: boolean
  uidOnly: boolean
  rev2: boolean
}

/** What the client remembers of a mailbox that it has left. */
export interface Cache {
  readonly uidValidity: number
  readonly modSeq: number
  /** The client names no known UIDs, and so hears of all. */
  readonly isWhole: boolean
  readonly entries: Map<number, { flags: string; modSeq: number }>
}

/** What the present moment allows. */
export interface Moment {
  readonly mayExpunge: boolean
  /** A UID FETCH with VANISHED, or SELECT with QRESYNC. */
  readonly mayTellEarlier: boolean
}

export function flagsKey(flags: Iterable<string>): string {
  return [...flags]
    .filter(flag => flag.toLowerCase() !== '\\recent')
    .toSorted()
    .join(' ')
}

export function parseSet(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [first = 0, last = first] = part.split(':').map(Number)
    const from = Math.min(first, last)
    return Array.from({ length: Math.abs(last - first) + 1 }, (_, at) => from + at)
  })
}

export class Belief {
  readonly name: string
  readonly isReadOnly: boolean
  readonly switches: Switches
  entries: Entry[] = []
  uidValidity = 0
  /** What the client may resynchronise from (RFC 7162 §6). */
  modSeq = 0
  saved = new Set<Entry>()
  readonly contexts = new Map<string, Context>()
  /** The search that was cancelled last: what was on its way may still be heard. */
  cancelled: string | undefined
  /** A search with UPDATE whose answer is awaited. */
  updating: { readonly tag: string; readonly isUid: boolean; readonly criterion: string } | undefined
  /** While SELECT is answered. */
  #isOpening = true
  /** What resynchronising starts from. */
  readonly #cache: Cache | undefined
  readonly #vanishedEarlier = new Set<number>()
  readonly #resynced = new Map<number, { flags: string; modSeq: number }>()
  // Since the last tagged answer (RFC 7162 §6).
  #codeModSeq: number | undefined
  #itemModSeq = 0
  /** What ceased to be a result since then. */
  readonly #removed = new Set<Entry>()

  constructor(name: string, isReadOnly: boolean, switches: Switches, cache: Cache | undefined) {
    this.name = name
    this.isReadOnly = isReadOnly
    this.switches = switches
    this.#cache = cache
  }

  get count(): number {
    return this.entries.length
  }

  get isAllKnown(): boolean {
    return this.entries.every(({ uid, flags }) => uid > 0 && flags !== undefined)
  }

  find(uid: number): Entry | undefined {
    return this.entries.find(entry => entry.uid === uid)
  }

  /** Takes an untagged response in; false when it is of another kind. */
  hear(line: string, moment: Moment): boolean {
    const numbered = /^\* (\d+) (EXISTS|EXPUNGE|FETCH|UIDFETCH|RECENT)\b/.exec(line)
    if (numbered) {
      this.#hearNumbered(Number(numbered[1]), numbered[2] as string, line, moment)
      return true
    }
    const vanished = /^\* VANISHED (\(EARLIER\) )?([\d,:]+)$/.exec(line)
    if (vanished) {
      this.#hearVanished(parseSet(vanished[2] as string), vanished[1] !== undefined, moment)
      return true
    }
    const update = /^\* ESEARCH \(TAG "([^"]+)"\)( UID)?((?: (?:ADDTO|REMOVEFROM) \([^)]*\))+)$/.exec(line)
    if (update) {
      this.#hearUpdate(update[1] as string, update[2] !== undefined, update[3] as string)
      return true
    }
    const result = /^\* ESEARCH \(TAG "([^"]+)"\)(?: UID)?(?: ALL ([\d,:]+))?$/.exec(line)
    if (result && result[1] === this.updating?.tag) this.#beginContext(result[2])
    const code = /^\* OK \[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\]/.exec(line)
    if (code?.[1] === 'UIDVALIDITY') this.uidValidity = Number(code[2])
    if (code?.[1] === 'HIGHESTMODSEQ') this.#codeModSeq = Number(code[2])
    return code !== null
  }

  #hearNumbered(number: number, word: string, line: string, { mayExpunge }: Moment): void {
    const { qresync, uidOnly, rev2 } = this.switches
    if (word === 'RECENT') {
      if (rev2) violation(`RECENT after IMAP4rev2 was enabled: ${line}`)
    } else if (word === 'EXISTS') {
      if (this.#isOpening) this.entries = Array.from({ length: number }, () => unknown())
      else if (number < this.count) violation(`${line} though there were ${this.count}`)
      else while (this.count < number) this.entries.push(unknown())
    } else if (word === 'EXPUNGE') {
      if (qresync || uidOnly) violation(`EXPUNGE in place of VANISHED: ${line}`)
      if (!mayExpunge) violation(`EXPUNGE where message numbers are in use (RFC 9051 §7.5.1): ${line}`)
      if (number < 1 || number > this.count) violation(`${line} of ${this.count}`)
      this.#forget(this.entries[number - 1] as Entry)
    } else if (word === 'FETCH') {
      if (uidOnly) violation(`FETCH after UIDONLY: ${line.slice(0, 100)}`)
      if (number < 1 || number > this.count) violation(`${line.slice(0, 100)} of ${this.count}`)
      this.#hearItems(this.entries[number - 1] as Entry, line)
    } else {
      if (!uidOnly) violation(`UIDFETCH without UIDONLY: ${line.slice(0, 100)}`)
      // Which message it is among all that the client will know is clear when SELECT is answered.
      this.#hearItems(this.#isOpening ? { ...unknown(), uid: number } : this.#byUid(number, line), line)
    }
  }

  #hearItems(entry: Entry, line: string): void {
    // Items stand outside of literals; what is fetched of bodies here holds nothing like them.
    const uid = /[( ]UID (\d+)/.exec(line)?.[1]
    const flags = /[( ]FLAGS \(([^)]*)\)/.exec(line)?.[1]
    const modSeq = /[( ]MODSEQ \((\d+)\)/.exec(line)?.[1]
    if (uid !== undefined) this.#learnUid(entry, Number(uid), line)
    const { condstore, rev2 } = this.switches
    if (flags !== undefined) {
      if (rev2 && flags.includes('\\Recent'))
        violation(`\\Recent after IMAP4rev2 was enabled: ${line.slice(0, 200)}`)
      if (condstore && modSeq === undefined)
        violation(`FLAGS without MODSEQ (RFC 7162 §3.1): ${line.slice(0, 200)}`)
    }
    const key = flags === undefined ? undefined : flagsKey(flags.split(' ').filter(Boolean))
    if (modSeq !== undefined) {
      const value = Number(modSeq)
      if (value < entry.modSeq) violation(`a modSeq goes back from ${entry.modSeq}: ${line.slice(0, 200)}`)
      if (
        value === entry.flagsModSeq &&
        key !== undefined &&
        entry.flags !== undefined &&
        key !== entry.flags
      )
        violation(`flags changed from (${entry.flags}) and the modSeq did not: ${line.slice(0, 200)}`)
      entry.modSeq = value
      this.#itemModSeq = Math.max(this.#itemModSeq, value)
    }
    if (key !== undefined) {
      entry.flags = key
      entry.flagsModSeq = modSeq === undefined ? 0 : Number(modSeq)
    }
    if (this.#isOpening && entry.uid > 0 && entry.flags !== undefined)
      this.#resynced.set(entry.uid, { flags: entry.flags, modSeq: entry.modSeq })
  }

  #learnUid(entry: Entry, uid: number, line: string): void {
    if (entry.uid === uid) return
    if (entry.uid !== 0)
      violation(`message ${this.entries.indexOf(entry) + 1} had UID ${entry.uid}: ${line.slice(0, 200)}`)
    const at = this.entries.indexOf(entry)
    const before = this.entries.slice(0, at).findLast(one => one.uid > 0)
    const after = this.entries.slice(at + 1).find(one => one.uid > 0)
    if ((before && before.uid >= uid) || (after && after.uid <= uid))
      violation(`UIDs do not ascend: ${before?.uid}, then ${line.slice(0, 200)}, then ${after?.uid}`)
    entry.uid = uid
  }

  /** RFC 9586: by UID alone. Where the client knows of messages whose UIDs it has not heard, this is one of them. */
  #byUid(uid: number, line: string): Entry {
    const known = this.find(uid)
    if (known) return known
    const at = this.entries.findIndex(entry => entry.uid === 0)
    if (at < 0) violation(`UID ${uid} is none of the ${this.count} that there are: ${line.slice(0, 200)}`)
    const [entry] = this.entries.splice(at, 1) as [Entry]
    entry.uid = uid
    const next = this.entries.findIndex(one => one.uid === 0 || one.uid > uid)
    this.entries.splice(next < 0 ? this.count : next, 0, entry)
    return entry
  }

  #hearVanished(uids: readonly number[], isEarlier: boolean, { mayExpunge, mayTellEarlier }: Moment): void {
    const { qresync, uidOnly } = this.switches
    if (!qresync && !uidOnly) violation('VANISHED without QRESYNC or UIDONLY')
    if (isEarlier) {
      if (!mayTellEarlier) violation('VANISHED (EARLIER) that nobody asked for')
      for (const uid of uids) {
        if (!this.#isOpening && this.find(uid))
          violation(`VANISHED (EARLIER) of ${uid}, which is still counted`)
        this.#vanishedEarlier.add(uid)
      }
      return
    }
    if (!mayExpunge) violation(`VANISHED where message numbers are in use: ${uids.join(',')}`)
    for (const uid of uids) this.#forget(this.find(uid) ?? this.#unknownFor(uid))
  }

  /** A message whose UID was not told yet and can be `uid`. */
  #unknownFor(uid: number): Entry {
    const next = this.entries.findIndex(entry => entry.uid > uid)
    const until = this.switches.uidOnly || next < 0 ? this.count : next
    const able: Entry[] = []
    for (let at = until - 1; at >= 0; at--) {
      const entry = this.entries[at] as Entry
      if (entry.uid === 0) able.push(entry)
      else if (!this.switches.uidOnly) break
    }
    // Which of them it is shows where it was a result of a search that is kept up to date: REMOVEFROM came before.
    const free = able.filter(entry =>
      [...this.contexts.values()].every(({ members, isUnsure }) => isUnsure || !members.has(entry)),
    )
    const chosen = free.findLast(entry => this.#removed.has(entry)) ?? free[0]
    if (free.length > 1) {
      for (const context of this.contexts.values()) context.isUnsure ||= !context.isUid
      // Nor is it clear whose flags were told by number.
      for (const entry of free) Object.assign(entry, unknown())
    }
    if (chosen) return chosen
    return violation(
      `VANISHED of ${uid}, which the client does not know (${this.entries.map(one => one.uid).join(' ')})`,
    )
  }

  #forget(entry: Entry): void {
    for (const [tag, { members, isUnsure }] of this.contexts) {
      if (isUnsure) continue
      // RFC 5267 §4.3.4: REMOVEFROM comes first, while the numbers still mean what they did.
      if (members.has(entry) || members.has(entry.uid))
        violation(`UID ${entry.uid} was expunged while it was a result of ${tag}`)
    }
    this.entries.splice(this.entries.indexOf(entry), 1)
    this.saved.delete(entry)
  }

  #beginContext(ids: string | undefined): void {
    const { tag, isUid, criterion } = this.updating as { tag: string; isUid: boolean; criterion: string }
    this.updating = undefined
    const members = new Set<Entry | number>()
    for (const id of ids === undefined ? [] : parseSet(ids)) {
      const member = isUid ? id : this.entries[id - 1]
      members.add(member ?? violation(`${tag}: ${id} is no message`))
    }
    this.contexts.set(tag, { isUid, criterion, members, isUnsure: false })
  }

  #hearUpdate(tag: string, isUid: boolean, text: string): void {
    const context = this.contexts.get(tag)
    if (!context && tag === this.cancelled) return undefined
    if (!context) return violation(`news of ${tag}, which is no search that is kept up to date`)
    if (isUid !== context.isUid) violation(`${tag}: UIDs for numbers, or numbers for UIDs`)
    if (context.isUnsure) return undefined
    for (const [, word, list] of text.matchAll(/(ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
      const words = (list as string).split(' ')
      for (let at = 1; at < words.length; at += 2) {
        for (const id of parseSet(words[at] as string)) {
          const member = isUid ? id : this.entries[id - 1]
          if (member === undefined) return violation(`${tag}: ${word} of ${id}, which is no message`)
          const isNew = !context.members.has(member)
          if (isNew !== (word === 'ADDTO'))
            violation(`${tag}: ${word} of ${id}, which is ${isNew ? 'no' : 'a'} result`)
          if (isNew) context.members.add(member)
          else context.members.delete(member)
          if (!isNew && typeof member === 'object') this.#removed.add(member)
        }
      }
    }
  }

  /** A tagged answer has come: RFC 7162 §6 on what the client may resynchronise from. */
  tagged(line: string): void {
    const code = /\[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1]
    const told = code === undefined ? this.#codeModSeq : Number(code)
    if (told !== undefined) this.modSeq = told
    else if (this.switches.condstore) this.modSeq = Math.max(this.modSeq, this.#itemModSeq)
    this.#codeModSeq = undefined
    this.#itemModSeq = 0
    this.#removed.clear()
  }

  /** SELECT was answered: with a cache the client now knows everything (RFC 7162 §3.2.5). */
  opened(): void {
    this.#isOpening = false
    const cache = this.#cache
    if (!cache || cache.uidValidity !== this.uidValidity) return
    const all = new Map(cache.entries)
    for (const uid of this.#vanishedEarlier) all.delete(uid)
    for (const [uid, one] of this.#resynced) {
      const before = all.get(uid)
      if (before && before.modSeq > one.modSeq)
        violation(`UID ${uid}: the modSeq went back from ${before.modSeq} to ${one.modSeq}`)
      all.set(uid, one)
    }
    const uids = [...all.keys()].toSorted((a, b) => a - b)
    // Of messages above the known UIDs that the client named it has to ask by itself.
    if (cache.isWhole ? uids.length !== this.count : uids.length > this.count) {
      violation(
        `after QRESYNC from ${cache.modSeq} the client knows ${uids.length} messages (${uids.join(' ')}), but there are ${this.count}`,
      )
    }
    for (const [at, uid] of uids.entries()) {
      const entry = this.entries[at] as Entry
      if (entry.uid !== 0 && entry.uid !== uid)
        violation(`after QRESYNC message ${at + 1} is UID ${uid} and UID ${entry.uid}`)
      Object.assign(entry, { uid, ...all.get(uid) })
    }
  }

  /** What the client keeps when it leaves; undefined where it does not know enough. */
  toCache(): Cache | undefined {
    if (!this.isAllKnown || this.modSeq === 0 || !this.switches.condstore) return undefined
    return {
      uidValidity: this.uidValidity,
      modSeq: this.modSeq,
      isWhole: true,
      entries: new Map(
        this.entries.map(({ uid, flags, modSeq }) => [uid, { flags: flags as string, modSeq }]),
      ),
    }
  }
}

function unknown(): Entry {
  return { uid: 0, flags: undefined, modSeq: 0, flagsModSeq: 0 }
}
