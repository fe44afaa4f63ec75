// Identifiers and changes of access control lists. RFC 4314 §2, §3.
//
// Identifiers are accounts, by any name that they log in with, and "anyone"; a "-" in front takes rights away. The owner has all rights of his
// mailboxes, always: he is shown in the list and can't be changed.
import { limits } from '../base/limits.ts'
import type { AccountId } from '../base/ids.ts'
import { prepareName } from '../sasl/prepare.ts'
import { findAccount, findAccountByAddress } from '../store/read/account.ts'
import { anyone } from '../store/read/acl.ts'
import { allRights, parseRights, type Rights } from '../store/rights.ts'
import type { ParseContext } from './command.ts'
import { mailboxName } from './commands/arguments.ts'
import { bad, no } from './error.ts'
import type { Parser } from './input/parser.ts'
import { sharedNamespace, type VisibleMailbox } from './mailbox-access.ts'
import type { Session } from './session.ts'

export interface Identifier {
  /** As the client wrote it, prepared (RFC 4314 §3). */
  readonly text: string
  /** The text without the "-". */
  readonly name: string
  readonly isNegative: boolean
}

export interface RightsChange {
  readonly mode: 'replace' | 'add' | 'remove'
  readonly rights: Rights
}

/** ` mailbox identifier`, with which DELETEACL, LISTRIGHTS and SETACL begin. */
export function parseSubject(
  parser: Parser,
  context: ParseContext,
): { readonly name: string; readonly identifier: Identifier } {
  parser.sp()
  const name = mailboxName(parser, context)
  parser.sp()
  return { name, identifier: parseIdentifier(parser) }
}

/** Throws BAD for what SASLprep does not take. */
function parseIdentifier(parser: Parser): Identifier {
  const raw = parser.astring()
  const text = raw.length > limits.acl.identifierBytes ? undefined : prepareName(raw)
  const isNegative = text?.startsWith('-') === true
  const name = isNegative ? text?.slice(1) : text
  if (text === undefined || name === undefined || name === '') throw bad('that is no identifier')
  return { text, name, isNegative }
}

/** `+lr`, `-lr` or `lr`. Throws BAD for what is no right. */
export function parseChange(parser: Parser): RightsChange {
  const text = parser.astring()
  const sign = text[0]
  const mode = sign === '+' ? 'add' : sign === '-' ? 'remove' : 'replace'
  const letters = mode === 'replace' ? text : text.slice(1)
  if (/[A-Z]/.test(letters)) throw bad('rights are lower-case letters')
  const rights = parseRights(letters)
  if (rights === undefined) throw bad('there is no such right')
  return { mode, rights }
}

/** Whom an identifier means. Throws NO for nobody. */
export async function getGrantee(session: Session, { name }: Identifier): Promise<AccountId> {
  if (name.toLowerCase() === 'anyone') return anyone
  const { store, context } = session
  const address = context.login.addressOf(name)
  const account = address === undefined ? undefined : await findAccountByAddress(store.reader, address)
  if (!account) throw no('CANNOT', 'There is nobody of that name')
  return account.id
}

/** What an identifier may be given besides what it has anyway. */
export function grantable(
  session: Session,
  mailbox: VisibleMailbox,
  grantee: AccountId,
  { isNegative }: Identifier,
): { readonly always: Rights; readonly optional: Rights } {
  if (grantee === mailbox.account)
    return isNegative ? { always: 0, optional: 0 } : { always: allRights, optional: 0 }
  // A mailbox for anyone is in everybody's list, so not everybody makes one.
  const isForAnyone = grantee === anyone && !isNegative
  return { always: 0, optional: isForAnyone && !mayShareWithAnyone(session, mailbox) ? 0 : allRights }
}

function mayShareWithAnyone({ identity, context }: Session, { account, name }: VisibleMailbox): boolean {
  if (context.config.imap.shareWithAnyone || identity.isAdmin || identity.actingAdmin !== undefined)
    return true
  return account !== identity.account && name.startsWith(sharedNamespace.prefix)
}

/** What the owner of a mailbox is called. */
export async function ownerAddress(session: Session, { account }: VisibleMailbox): Promise<string> {
  const { identity, store } = session
  if (account === identity.account) return identity.address
  return (await findAccount(store.reader, account))?.address ?? ''
}
