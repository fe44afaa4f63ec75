// X-GM-MSGID, X-GM-THRID and X-GM-LABELS. X-GM-EXT-1, from knowledge of it.
import { systemMask } from '../../../store/flags.ts'
import type { Encoder } from '../../encoder.ts'
import { flagLabels, labelOf } from '../../gmail/labels.ts'
import { gmailId } from '../../object-id.ts'
import type { Session } from '../../session.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'
import type { FetchedMessage } from '../fetched-message.ts'

const messageId: FetchItem = {
  label: 'X-GM-MSGID',
  write(message, out) {
    out.ascii('X-GM-MSGID ').ascii(gmailId(message.email, message.foreignOwner))
  },
}

const threadId: FetchItem = {
  label: 'X-GM-THRID',
  columns: ['thread'],
  write(message, out) {
    out.ascii('X-GM-THRID ').ascii(gmailId(message.row.thread, message.foreignOwner))
  },
}

export function labelsItem(session: Session): FetchItem {
  return {
    label: 'X-GM-LABELS',
    columns: ['places'],
    write: (message, out) => writeLabels(session, message, out),
  }
}

function writeLabels(session: Session, message: FetchedMessage, out: Encoder): void {
  const { mailbox, snapshot } = session.view
  const flags = message.snapshot.flags.at(message.position)
  const keywords = snapshot.keywordsOf(flags).map(keyword => keyword.toLowerCase())
  out.ascii('X-GM-LABELS (')
  let isFirst = true
  const next = () => {
    if (!isFirst) out.byte(0x20)
    isFirst = false
    return out
  }
  for (const { name, flag } of flagLabels) {
    const isSet =
      typeof flag === 'string' ? keywords.includes(flag.toLowerCase()) : (flags & systemMask & flag) !== 0
    if (isSet) next().string(name)
  }
  // Where else an email of another account lies is not for those who see one of its mailboxes.
  for (const place of mailbox.account === session.account ? message.row.places : []) {
    const label = labelOf(place)
    next()
    if (label.kind === 'use') out.string(label.name)
    else session.writeMailbox(label.name)
  }
  out.byte(0x29)
}

export const gmailItems: readonly FetchItemDefinition[] = [
  { name: 'X-GM-MSGID', parse: () => messageId },
  { name: 'X-GM-THRID', parse: () => threadId },
  { name: 'X-GM-LABELS', parse: (_parser, { session }) => labelsItem(session) },
]
