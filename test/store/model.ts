// A store as one would write it without thinking of speed: what the real one is held against.

export interface ModelMessage {
  readonly text: string
  readonly flags: ReadonlySet<string>
  readonly modSeq: number
  readonly email: number
}

export interface ModelMailbox {
  readonly id: number
  readonly uidValidity: number
  name: string
  uidNext: number
  readonly messages: Map<number, ModelMessage>
}

/** Flags of a message as a sorted line. */
export function flagLine(flags: ReadonlySet<string>): string {
  return [...flags].sort().join(' ')
}

/** One account. Each method is one mutation; the modSeq is the one that the real store answered. */
export class ModelAccount {
  readonly mailboxes: ModelMailbox[] = []

  find(name: string): ModelMailbox | undefined {
    return this.mailboxes.find(mailbox => mailbox.name === name)
  }

  get names(): string[] {
    return this.mailboxes.map(mailbox => mailbox.name).sort()
  }

  append(
    mailbox: ModelMailbox,
    text: string,
    flags: ReadonlySet<string>,
    modSeq: number,
    email: number,
  ): number {
    const uid = mailbox.uidNext++
    mailbox.messages.set(uid, { text, flags, modSeq, email })
    return uid
  }

  /** The UIDs that change, and those that `unchangedSince` refuses. */
  store(
    mailbox: ModelMailbox,
    wanted: (uid: number) => boolean,
    mode: 'add' | 'remove' | 'replace',
    flags: ReadonlySet<string>,
    unchangedSince: number | undefined,
  ): { changed: Map<number, ReadonlySet<string>>; unmodified: number[] } {
    const changed = new Map<number, ReadonlySet<string>>()
    const unmodified: number[] = []
    for (const [uid, message] of mailbox.messages) {
      if (!wanted(uid)) continue
      if (unchangedSince !== undefined && message.modSeq > unchangedSince) {
        unmodified.push(uid)
        continue
      }
      let after: Set<string>
      if (mode === 'replace') after = new Set(flags)
      else if (mode === 'add') after = new Set([...message.flags, ...flags])
      else after = new Set([...message.flags].filter(flag => !flags.has(flag)))
      if (flagLine(after) !== flagLine(message.flags)) changed.set(uid, after)
    }
    return { changed, unmodified: unmodified.sort((a, b) => a - b) }
  }

  copy(
    from: ModelMailbox,
    wanted: (uid: number) => boolean,
    to: ModelMailbox,
    modSeq: number,
  ): [number, number][] {
    const sources = [...from.messages.keys()].filter(wanted).sort((a, b) => a - b)
    return sources.map(uid => {
      const message = from.messages.get(uid)
      if (!message) throw new Error('a message went away')
      const target = to.uidNext++
      to.messages.set(target, { ...message, modSeq })
      return [uid, target]
    })
  }

  expunge(mailbox: ModelMailbox, wanted: (uid: number) => boolean, onlyDeleted: boolean): number[] {
    const gone = [...mailbox.messages]
      .filter(([uid, message]) => wanted(uid) && (!onlyDeleted || message.flags.has('\\Deleted')))
      .map(([uid]) => uid)
      .sort((a, b) => a - b)
    for (const uid of gone) mailbox.messages.delete(uid)
    return gone
  }
}
