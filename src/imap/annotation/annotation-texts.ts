// Values of annotations as texts, for SEARCH and SORT. RFC 5257 §4.8, §4.9.
import { decodeCharset } from '../../message/charset.ts'
import { listMessageAnnotations } from '../../store/read/message-annotations.ts'
import { compilePattern } from '../list-pattern.ts'
import type { MailboxIdentity } from '../mailbox-view.ts'
import { isLikeUtf8 } from '../search/strings.ts'
import type { Session } from '../session.ts'

/** Which values are meant. */
export interface AnnotationQuery {
  /** May have wildcards. */
  readonly entry: string
  /** Undefined: both the private and the shared. */
  readonly isShared: boolean | undefined
  /** UTF-8 by default. */
  readonly charset?: string | undefined
}

/** Calls `take` for each value that the session sees of messages from `first` to `last`, by UID. */
export async function readAnnotationTexts(
  { store, account }: Session,
  mailbox: MailboxIdentity,
  { entry, isShared, charset }: AnnotationQuery,
  [first, last]: readonly [first: number, last: number],
  take: (uid: number, text: string) => void,
): Promise<void> {
  const fits = compilePattern([entry])
  const found = await listMessageAnnotations(store.reader, mailbox.account, mailbox.id, account, [
    first,
    last,
  ])
  for (const { uid, entry: name, owner, value } of found) {
    if (isShared !== undefined && isShared !== (owner === 0)) continue
    if (!fits(name)) continue
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
    take(uid, charset === undefined || isLikeUtf8(charset) ? bytes.toString() : decodeCharset(bytes, charset))
  }
}
