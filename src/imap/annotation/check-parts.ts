// Whether the parts are there that annotations are about. RFC 5257 §3.2.1.
import type { AccountId, EmailId } from '../../base/ids.ts'
import { findPart, type PartNode, unpackParts } from '../../message/sections.ts'
import type { MessageAnnotation } from '../../store/message-annotations.ts'
import { bad } from '../error.ts'
import { maxEmailRows, readEmailRows } from '../fetch/email-rows.ts'
import type { Session } from '../session.ts'
import { partOfEntry } from './annotation-list.ts'

/** Throws BAD where a message has no such part. */
export function checkParts(annotations: readonly MessageAnnotation[], root: PartNode): void {
  for (const path of partsOf(annotations)) if (!findPart(root, path)) throw bad('a message has no such part')
}

/** The same for stored emails. */
export async function checkPartsOfEmails(
  { store }: Session,
  account: AccountId,
  annotations: readonly MessageAnnotation[],
  emails: readonly EmailId[],
): Promise<void> {
  if (partsOf(annotations).length === 0) return
  for (let from = 0; from < emails.length; from += maxEmailRows) {
    const ids = emails.slice(from, from + maxEmailRows)
    const rows = await readEmailRows(store.reader, account, ids, new Set(['parts']))
    for (const { parts } of rows.values()) checkParts(annotations, unpackParts(parts))
  }
}

function partsOf(annotations: readonly MessageAnnotation[]): readonly (readonly number[])[] {
  return annotations.flatMap(({ entry }) => {
    const path = partOfEntry(entry)
    return path ? [path] : []
  })
}
