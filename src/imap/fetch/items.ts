// The table of FETCH items, and the macros. RFC 9051 §6.4.5.
import { limits } from '../../base/limits.ts'
import type { ParseContext } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import type { FetchItem, FetchItemDefinition } from './fetch-item.ts'
import { annotation } from './items/annotation.ts'
import { binary, binaryPeek, binarySize } from './items/binary.ts'
import { body, bodyPeek } from './items/body.ts'
import { bodyStructure } from './items/bodystructure.ts'
import { emailId } from './items/emailid.ts'
import { envelope } from './items/envelope.ts'
import { flags } from './items/flags.ts'
import { gmailItems } from './items/gmail.ts'
import { internalDate } from './items/internaldate.ts'
import { modSeq } from './items/modseq.ts'
import { preview } from './items/preview.ts'
import { rfc822Size } from './items/rfc822-size.ts'
import { rfc822, rfc822Header, rfc822Text } from './items/rfc822.ts'
import { saveDate } from './items/savedate.ts'
import { threadId } from './items/threadid.ts'
import { uid } from './items/uid.ts'

export const fetchItems: readonly FetchItemDefinition[] = [
  annotation,
  binary,
  binaryPeek,
  binarySize,
  body,
  bodyPeek,
  bodyStructure,
  emailId,
  envelope,
  flags,
  ...gmailItems,
  internalDate,
  modSeq,
  preview,
  rfc822,
  rfc822Header,
  rfc822Size,
  rfc822Text,
  saveDate,
  threadId,
  uid,
]

const byName = new Map(fetchItems.map(item => [item.name, item]))

/** Stand by themselves only. */
const macros = new Map<string, readonly FetchItemDefinition[]>([
  ['ALL', [flags, internalDate, rfc822Size, envelope]],
  ['FAST', [flags, internalDate, rfc822Size]],
  ['FULL', [flags, internalDate, rfc822Size, envelope, body]],
])

/** Reads a macro, an item, or a list of items. Items that are asked for twice are given once. */
export function parseFetchItems(parser: Parser, context: ParseContext): readonly FetchItem[] {
  const items = new Map<string, FetchItem>()
  const add = (item: FetchItem) => {
    const known = items.get(item.label)
    // BODY[] and BODY.PEEK[] answer by one name; the first of them keeps its place, and \Seen is set if either says so.
    if (known === undefined) items.set(item.label, item)
    else if (item.setsSeen && !known.setsSeen) items.set(item.label, { ...known, setsSeen: true })
    if (items.size > limits.imap.fetchItems) throw bad('that are too many items for one FETCH', 'TOOBIG')
  }
  if (!parser.isListNext) {
    const name = parser.itemName()
    const macro = macros.get(name)
    if (macro) for (const item of macro) add(item.parse(parser, context))
    else add(parseItem(name, parser, context))
  } else {
    parser.list(() => add(parseItem(parser.itemName(), parser, context)))
    if (items.size === 0) throw bad('the list of items is empty')
  }
  return [...items.values()]
}

function parseItem(name: string, parser: Parser, context: ParseContext): FetchItem {
  const definition = byName.get(name)
  if (!definition) throw bad('there is no such FETCH item')
  return definition.parse(parser, context)
}
