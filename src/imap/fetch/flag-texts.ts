// The text of FLAGS, made once for each distinct value in a command.
import { systemMask } from '../../store/flags.ts'
import type { Encoder } from '../encoder.ts'
import { formatFlags } from '../flags.ts'
import type { MailboxView } from '../mailbox-view.ts'

export class FlagTexts {
  readonly #view: MailboxView
  readonly #out: Encoder
  readonly #showsRecent: boolean
  readonly #texts = new Map<number, Buffer>()
  #lastKey = -1
  #lastText: Buffer = Buffer.alloc(0)

  /** `showsRecent` for IMAP4rev1 sessions (RFC 9051 appendix E). */
  constructor(view: MailboxView, out: Encoder, showsRecent: boolean) {
    this.#view = view
    this.#out = out
    this.#showsRecent = showsRecent
  }

  /** `FLAGS (…)`. Writes an untagged FLAGS when a keyword is new to the client, so ask before a response is begun. */
  of(flags: number, uid: number): Buffer {
    const isRecent = this.#showsRecent && this.#view.isRecent(uid)
    const key = flags * 2 + (isRecent ? 1 : 0)
    if (key === this.#lastKey) return this.#lastText
    this.#lastKey = key
    this.#lastText = this.#texts.get(key) ?? this.#make(key, flags, isRecent)
    return this.#lastText
  }

  #make(key: number, flags: number, isRecent: boolean): Buffer {
    this.#view.announceKeywords(flags, this.#out)
    const names = formatFlags(flags & systemMask, this.#view.snapshot.keywordsOf(flags), isRecent)
    const text = Buffer.from(`FLAGS (${names})`, 'latin1')
    this.#texts.set(key, text)
    return text
  }
}
