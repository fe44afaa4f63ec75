// Tells a client that annotations of the selected mailbox's messages have changed. RFC 5257 §4.4; RFC 5465 §5.1.
import type { ModSeq } from '../../base/ids.ts'
import { listChangedMessageAnnotations } from '../../store/read/message-annotations.ts'
import type { Session } from '../session.ts'
import { syncStyle } from '../sync-style.ts'

export class AnnotationNews {
  /** SELECT (ANNOTATE). */
  readonly isAsked: boolean
  #told: ModSeq
  /** modSeqs of this session's own changes since then. */
  #own: Set<number> | undefined

  constructor(isAsked: boolean, modSeq: ModSeq) {
    this.isAsked = isAsked
    this.#told = modSeq
  }

  /** Marks a change of this session: others are told of it. */
  silence(modSeq: ModSeq): void {
    ;(this.#own ??= new Set()).add(modSeq)
  }

  /** Names of entries that changed, without values; nothing unless `isWanted`. After the view's `sync`. */
  async tell(session: Session, isWanted: boolean, withUid: boolean): Promise<void> {
    const { view, out, account, store } = session
    const until = view.snapshot.modSeq
    if (until === this.#told) return
    const after = this.#told
    this.#told = until
    const own = this.#own
    this.#own = undefined
    if (!isWanted) return
    const { account: owner, id } = view.mailbox
    const changed = await listChangedMessageAnnotations(store.reader, owner, id, account, after, until)
    const entries = new Map<number, string[]>()
    for (const { uid, entry, modSeq } of changed) {
      if (own?.has(modSeq) || view.numberOf(uid) === 0) continue
      const known = entries.get(uid)
      if (known) known.push(entry)
      else entries.set(uid, [entry])
    }
    const style = syncStyle(session)
    for (const [uid, names] of entries) {
      const position = view.snapshot.positionOf(uid)
      if (position < 0) continue
      if (style.uidOnly) out.ascii(`* ${uid} UIDFETCH (`)
      else out.ascii(`* ${view.numberOf(uid)} FETCH (${style.vanished || withUid ? `UID ${uid} ` : ''}`)
      out.ascii('ANNOTATION (')
      for (const [at, name] of names.entries()) {
        if (at > 0) out.byte(0x20)
        out.astring(name)
      }
      out.byte(0x29)
      if (style.modSeq) out.ascii(` MODSEQ (${view.snapshot.modSeqs.at(position)})`)
      out.byte(0x29).crlf()
    }
  }
}
