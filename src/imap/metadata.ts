// Annotations of mailboxes and of the server. RFC 5464.
//
// A mailbox's entries, /private and /shared, are kept with its owner. The server's /private entries are the account's own; its /shared ones are of
// account 0, for all to read and for administrators to write. /shared/admin comes from the configuration.
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { type Annotation, listAnnotations } from '../store/read/annotations.ts'
import type { MutationArgs } from '../store/mutations.ts'
import { bad, no } from './error.ts'
import type { Parser } from './input/parser.ts'
import { getVisible, type VisibleMailbox } from './mailbox-access.ts'
import type { Session } from './session.ts'

/** Who owns the server's own /shared annotations. */
export const serverAccount = 0 as AccountId

const adminEntry = '/shared/admin'

/** Reads the name of an entry to read. Throws BAD (RFC 5464 §3.2). */
export function parseEntry(parser: Parser): string {
  const entry = parser.astring()
  const isPlain = /^\/(?:private|shared)(?:\/[^/]+)*$/i.test(entry) && /^[\x20-\x7e]*$/.test(entry)
  if (!isPlain || /[*%]/.test(entry) || entry.length > limits.annotation.entryBytes)
    throw bad('entries are called /private/NAME or /shared/NAME')
  return entry
}

/** Reads the name of an entry to set: it has two components at least, four below vendor. */
export function parseWholeEntry(parser: Parser): string {
  const entry = parseEntry(parser)
  const components = entry.split('/').length - 1
  const isVendor = /^\/[^/]+\/vendor(?:\/|$)/i.test(entry)
  if (components < (isVendor ? 4 : 2)) throw bad('the name of the entry is too short')
  return entry
}

/** A string, a literal8, or NIL. */
export function parseValue(parser: Parser): Buffer | null {
  if (parser.takeKeyword('NIL')) return null
  if (!parser.isLiteralNext) return parser.stringBytes()
  const literal = parser.literal()
  if (literal.kind === 'staged') throw bad('a literal is not for this place')
  if (!literal.binary && literal.bytes.includes(0)) throw bad('a literal holds NUL; use a literal8')
  return literal.bytes
}

/** All annotations of the mailbox of that name, or of the server where it is ''. Throws NO. */
export async function readAnnotations(session: Session, name: string): Promise<readonly Annotation[]> {
  const { store, account } = session
  if (name !== '') {
    return readMailboxAnnotations(session, await getVisible(session, name, 'GETMETADATA'))
  }
  const own = await listAnnotations(store.reader, account, undefined)
  const shared = await listAnnotations(store.reader, serverAccount, undefined)
  const { adminContact } = session.context.config.imap
  const contact = adminContact === undefined ? [] : [{ entry: adminEntry, value: Buffer.from(adminContact) }]
  return [...own, ...contact, ...shared]
}

/** What the session may see of a mailbox's annotations: of another's the shared ones. */
export async function readMailboxAnnotations(
  { store, account }: Session,
  mailbox: VisibleMailbox,
): Promise<readonly Annotation[]> {
  const all = await listAnnotations(store.reader, mailbox.account, mailbox.id)
  return mailbox.account === account ? all : all.filter(({ entry }) => isShared(entry))
}

/** The change as the store takes it. Throws NO where the client may not make it. */
export async function annotationChange(
  session: Session,
  name: string,
  entries: MutationArgs<'setAnnotations'>['entries'],
): Promise<MutationArgs<'setAnnotations'>> {
  const { account, identity } = session
  for (const { value } of entries) {
    // RFC 5464 §4.3.
    if (value && value.length > limits.annotation.valueBytes)
      throw no(`METADATA MAXSIZE ${limits.annotation.valueBytes}`, 'That value is too large')
  }
  if (name !== '') {
    const mailbox = await getVisible(session, name, 'SETMETADATA')
    // RFC 5464 §4.3: private entries of others' mailboxes are not kept.
    if (mailbox.account !== account && !entries.every(({ entry }) => isShared(entry)))
      throw no('METADATA NOPRIVATE', 'Private entries are for your own mailboxes')
    return { account: mailbox.account, mailbox: mailbox.id, entries }
  }
  const shared = entries.filter(({ entry }) => isShared(entry))
  if (shared.length === 0) return { account, entries }
  if (!identity.isAdmin) throw no('NOPERM', 'Administrators set what all share')
  if (shared.length < entries.length)
    throw no('CANNOT', "Set the server's private and shared entries by themselves")
  if (shared.some(({ entry }) => entry.toLowerCase() === adminEntry))
    throw no('CANNOT', `${adminEntry} is set in the configuration`)
  return { account: serverAccount, entries }
}

/** Whether an entry is for all who use the mailbox. */
export function isShared(entry: string): boolean {
  return entry.toLowerCase().startsWith('/shared/')
}

export interface MetadataQuery {
  readonly entries: readonly string[]
  readonly depth: '0' | '1' | 'INFINITY'
}

/** What a query names, with null for an entry that is asked for by its own name and is not there. */
export function selectAnnotations(
  all: readonly Annotation[],
  { entries, depth }: MetadataQuery,
): readonly { readonly entry: string; readonly value: Uint8Array | null }[] {
  const chosen = new Map<string, { entry: string; value: Uint8Array | null }>()
  for (const wanted of entries) {
    const folded = wanted.toLowerCase()
    if (depth === '0' && !chosen.has(folded)) chosen.set(folded, { entry: wanted, value: null })
    for (const { entry, value } of all) {
      const name = entry.toLowerCase()
      if (isWithin(name, folded, depth)) chosen.set(name, { entry, value })
    }
  }
  return [...chosen.values()]
}

/** RFC 5464 §4.2.2. */
function isWithin(name: string, wanted: string, depth: MetadataQuery['depth']): boolean {
  if (name === wanted) return true
  if (depth === '0' || !name.startsWith(`${wanted}/`)) return false
  return depth === 'INFINITY' || !name.includes('/', wanted.length + 1)
}

/** `* METADATA mailbox (entry value …)`; nothing where there is nothing to say. */
export function writeAnnotations(
  session: Session,
  name: string,
  values: ReturnType<typeof selectAnnotations>,
): void {
  if (values.length === 0) return
  const { out } = session
  out.ascii('* METADATA ')
  session.writeMailbox(name)
  out.ascii(' (')
  for (const [index, { entry, value }] of values.entries()) {
    if (index > 0) out.byte(0x20)
    out.astring(entry).byte(0x20)
    if (value?.includes(0)) out.literal(value, true)
    else out.nstring(value)
  }
  out.line(')')
}
