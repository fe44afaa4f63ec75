// SETMETADATA. RFC 5464 §4.3.
import { StoreError } from '../../store/error.ts'
import { command } from '../command.ts'
import { rightsFor } from '../command-rights.ts'
import { bad, no } from '../error.ts'
import { mutateMailbox } from '../mailbox-access.ts'
import { annotationChange, parseValue, parseWholeEntry } from '../metadata.ts'
import { checkFilter } from '../search/filters.ts'
import { mailboxName } from './arguments.ts'

export const setMetadata = command({
  name: 'SETMETADATA',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    const name = mailboxName(parser, context)
    parser.sp()
    const entries = parser.list(() => {
      const entry = parseWholeEntry(parser)
      parser.sp()
      const value = parseValue(parser)
      return { entry, value: value && Buffer.from(value) }
    })
    if (entries.length === 0) throw bad('name at least one entry')
    return { name, entries, context }
  },
  async run(session, { name, entries, context }) {
    if (name === '') for (const { entry, value } of entries) checkFilter(entry, value, context)
    const change = await annotationChange(session, name, entries)
    const { account, mailbox: id } = change
    const needs =
      id === undefined ? [] : [{ mailbox: { account, id }, rights: rightsFor('SETMETADATA').mailbox ?? 0 }]
    try {
      const { modSeq } = await mutateMailbox(session, needs, 'setAnnotations', change)
      session.metadataNews?.silence(change.account, modSeq)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'too-many')
        throw no('METADATA TOOMANY', 'There are too many annotations here')
      throw error
    }
  },
})
