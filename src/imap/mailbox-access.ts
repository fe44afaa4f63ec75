// From the names that a client says to mailboxes, their owners and what may be done with them: the one way there. RFC 2342; RFC 4314.
//
// A name in the namespaces of others is looked up in one read, whatever comes of it, and who may not see the mailbox is answered as if it was not
// there (RFC 4314 §6).
import type { AccountId, MailboxId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import type {
  GuestMutationArgs,
  GuestMutationName,
  GuestMutationResult,
} from '../store/mutations/as-guest.ts'
import { canonicalMailboxName, parentNames } from '../store/mailbox-name.ts'
import type { AccountKind } from '../store/read/account.ts'
import { findNearest, findShared, listShared, type SharedMailbox } from '../store/read/acl.ts'
import { findMailbox, listMailboxes, type Mailbox } from '../store/read/mailboxes.ts'
import { allRights, type Rights, rightBits } from '../store/rights.ts'
import type { MutationArgs } from '../store/mutations.ts'
import type { Store } from '../store/store.ts'
import { type CommandRights, rightsFor } from './command-rights.ts'
import { type ImapError, no } from './error.ts'

/** Who looks: a session, or whom an authorised URL speaks for. */
export interface Viewer {
  readonly store: Store
  readonly account: AccountId
  /** What the viewer may do with the account's own mailboxes: all of it, unless this says otherwise. */
  readonly ownRights?: Rights | undefined
}

/** A mailbox by its owner and its id, which is unique in his account only. */
export interface MailboxKey {
  readonly account: AccountId
  readonly id: MailboxId
}

/** A mailbox under the name that the viewer has for it, with the counts that are his. */
export interface VisibleMailbox extends Mailbox, MailboxKey {
  /** As its owner calls it. */
  readonly ownName: string
  /** What the viewer may do with it. */
  readonly rights: Rights
}

/** Where a mailbox of a name would be made. */
export interface MailboxPlace {
  readonly account: AccountId
  readonly ownName: string
  /** In another's account: the nearest mailbox above, where the viewer may make some. */
  readonly parent?: (MailboxKey & { readonly name: string }) | undefined
}

interface Namespace {
  readonly prefix: string
  readonly kind: AccountKind
}

/** Behind the prefix comes the address of the owner, then his name for the mailbox. */
export const otherUsers: Namespace = { prefix: 'Other Users/', kind: 'person' }
export const sharedNamespace: Namespace = { prefix: 'Shared/', kind: 'shared' }

/** The mailbox that the viewer means by `name`, whatever he may do with it. One of his own of that very name comes first. */
export async function findVisible(viewer: Viewer, name: string): Promise<VisibleMailbox | undefined> {
  const { store, account } = viewer
  const own = await findMailbox(store.reader, account, name)
  if (own) return asOwn(viewer, own)
  const foreign = splitForeign(name)
  if (!foreign) return undefined
  const { address, namespace, ownName } = foreign
  const shared = await findShared(store.reader, account, { address, kind: namespace.kind }, ownName)
  return shared && asShared(shared)
}

/** The parts of a name in the namespaces of others; undefined for any other. An address has one '@' and no '/' behind it. */
function splitForeign(
  name: string,
): { readonly namespace: Namespace; readonly address: string; readonly ownName: string } | undefined {
  const namespace = [otherUsers, sharedNamespace].find(({ prefix }) => name.startsWith(prefix))
  if (!namespace) return undefined
  const rest = name.slice(namespace.prefix.length)
  const slash = rest.indexOf('/', rest.indexOf('@'))
  const end = slash < 0 ? rest.length : slash
  return { namespace, address: rest.slice(0, end), ownName: canonicalMailboxName(rest.slice(end + 1)) }
}

/** A mailbox as its owner sees it. */
export function asOwn({ account, ownRights = allRights }: Viewer, mailbox: Mailbox): VisibleMailbox {
  return { ...mailbox, account, ownName: mailbox.name, rights: ownRights }
}

function asShared({ ownerAddress, ownerKind, ...mailbox }: SharedMailbox): VisibleMailbox {
  const { prefix } = ownerKind === 'shared' ? sharedNamespace : otherUsers
  return { ...mailbox, ownName: mailbox.name, name: `${prefix}${ownerAddress}/${mailbox.name}` }
}

/** Whether the viewer may do with a mailbox what a row of the table asks for. */
export function mayUse({ rights }: VisibleMailbox, needed: CommandRights): boolean {
  return has(rights, needed.mailbox, needed.oneOf)
}

/** Throws NO [NOPERM] where the session may not do with the selected mailbox what a row of the table asks for. */
export function checkSelected(rights: Rights, needed: CommandRights): void {
  if (!has(rights, needed.selected, needed.selectedOneOf)) throw notPermitted()
}

function has(rights: Rights, all: Rights = 0, oneOf: Rights = allRights): boolean {
  return (rights & all) === all && (rights & oneOf) !== 0
}

/** The mailbox that a command names. Throws NO [NONEXISTENT], and NO [NOPERM] where the viewer may see it but not use it so. */
export async function getVisible(
  viewer: Viewer,
  name: string,
  command: Parameters<typeof rightsFor>[0],
): Promise<VisibleMailbox> {
  const mailbox = await findVisible(viewer, name)
  const missing = () => no('NONEXISTENT', 'There is no such mailbox')
  return permit(mailbox, mailbox !== undefined && mayUse(mailbox, rightsFor(command)), missing)
}

/** The mailbox that messages are to go to. Throws NO [TRYCREATE] (RFC 9051 §6.3.12), and NO [NOPERM] like `getVisible`. */
export async function getTarget(
  viewer: Viewer,
  name: string,
  command: Parameters<typeof rightsFor>[0],
): Promise<VisibleMailbox> {
  const mailbox = await findVisible(viewer, name)
  const mayInsert = mailbox !== undefined && has(mailbox.rights, rightsFor(command).target)
  return permit(mailbox, mayInsert, () => no('TRYCREATE', 'There is no such mailbox'))
}

function permit(
  mailbox: VisibleMailbox | undefined,
  isAllowed: boolean,
  missing: () => ImapError,
): VisibleMailbox {
  if (mailbox && isAllowed) return mailbox
  if (mailbox && mailbox.rights & rightBits.l) throw notPermitted()
  throw missing()
}

export function notPermitted(): ImapError {
  return no('NOPERM', 'You have no right to do that with this mailbox')
}

/** All mailboxes, own and others', with which the viewer may do what a row of the table asks for, by name. */
export async function listVisible(
  viewer: Viewer,
  needed: CommandRights = rightsFor('LIST'),
): Promise<readonly VisibleMailbox[]> {
  const { store, account } = viewer
  const own = (await listMailboxes(store.reader, account)).map(mailbox => asOwn(viewer, mailbox))
  const shared = await listShared(store.reader, account)
  if (shared.length === 0) return own
  const names = new Set(own.map(({ name }) => name))
  const others = shared.map(asShared).filter(mailbox => mayUse(mailbox, needed) && !names.has(mailbox.name))
  return [...own, ...others].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where a mailbox that is to be called `name` belongs. Throws NO [NOPERM], the same whatever is or is not there. */
export async function getPlace(
  { store, account, ownRights = allRights }: Viewer,
  name: string,
  command: Parameters<typeof rightsFor>[0],
): Promise<MailboxPlace> {
  const foreign = splitForeign(name)
  if (!foreign) {
    if (!has(ownRights, rightsFor(command).parent)) throw notPermitted()
    return { account, ownName: name }
  }
  const { address, namespace, ownName } = foreign
  const parents = parentNames(ownName).slice(-limits.mailbox.depth)
  const nearest = await findNearest(store.reader, account, { address, kind: namespace.kind }, parents)
  if (!nearest || !has(nearest.rights, rightsFor(command).parent)) throw notPermitted()
  return { account: nearest.account, ownName, parent: nearest }
}

/** Whether a name is one of the namespaces of others. */
export function isForeignName(name: string): boolean {
  return splitForeign(name) !== undefined
}

export function keyOf({ account, id }: MailboxKey): string {
  return `${account}/${id}`
}

export function isSameMailbox(one: MailboxKey, other: MailboxKey): boolean {
  return one.id === other.id && one.account === other.account
}

/** A mailbox with rights that somebody needs there. */
export interface MailboxNeed {
  readonly mailbox: MailboxKey
  readonly rights: Rights
  /** What its owner must still call it, for a change that goes by names. */
  readonly name?: string | undefined
}

/** Changes something about a mailbox; another's only if `rights` are there in that very transaction. */
export async function mutateMailbox<Name extends GuestMutationName>(
  { store, account }: Viewer,
  needs: readonly MailboxNeed[],
  name: Name,
  args: GuestMutationArgs<Name>,
): Promise<GuestMutationResult<Name>> {
  const foreign = needs.filter(({ mailbox }) => mailbox.account !== account)
  const result =
    foreign.length === 0
      ? await store.mutate(name, args as never)
      : await store.mutate('asGuest', {
          guest: account,
          needs: foreign.map(({ mailbox, ...need }) => ({
            account: mailbox.account,
            mailbox: mailbox.id,
            ...need,
          })),
          call: { name, args } as MutationArgs<'asGuest'>['call'],
        })
  return result as GuestMutationResult<Name>
}
