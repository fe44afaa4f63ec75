// Tells a client of what happens in mailboxes that it has not selected. RFC 5465.
//
// Nothing is queued: what the client was told of last is compared with what is there. A hint of the store says when to look; a lost one is made
// good by the next command.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { findModSeq } from '../../store/read/annotations.ts'
import { listChangedMailboxes, listDeletedMailboxes } from '../../store/read/changed-mailboxes.ts'
import { anyone } from '../../store/read/acl.ts'
import { listSubscriptions } from '../../store/read/mailboxes.ts'
import { attributesOf } from '../commands/list.ts'
import { writeStatus } from '../commands/status.ts'
import { rightsFor } from '../command-rights.ts'
import {
  asOwn,
  findVisible,
  isSameMailbox,
  keyOf,
  listVisible,
  type MailboxKey,
  mayUse,
  type VisibleMailbox,
} from '../mailbox-access.ts'
import { MailboxTree } from '../mailbox-tree.ts'
import { serverAccount } from '../metadata.ts'
import { MetadataNews } from '../metadata-news.ts'
import type { Session } from '../session.ts'
import {
  type EventGroup,
  groupsOf,
  type MailboxEvent,
  notifyNothing,
  type NotifySpec,
} from './notify-spec.ts'

interface News {
  readonly changed: readonly VisibleMailbox[]
  /** Keys. */
  readonly deleted: readonly string[]
}

const nothingNew: News = { changed: [], deleted: [] }

export class Notifications {
  readonly #session: Session
  #spec: NotifySpec
  /** By `keyOf`. */
  readonly #mailboxes = new Map<string, VisibleMailbox>()
  #subscribed: ReadonlySet<string> = new Set()
  /** How far the client has been told, by account: his own, and those whose mailboxes he sees. */
  readonly #told = new Map<AccountId, ModSeq>()
  /** Names that this session has itself made, deleted, renamed or subscribed since the last look (§5: they are not told). */
  readonly #ownNames = new Set<string>()
  /** UIDs that this session has itself put into mailboxes: no FETCH for those (§5.2). */
  readonly #ownMessages = new Map<string, Set<number>>()
  #unwatch: (() => void)[] = []

  private constructor(session: Session, spec: NotifySpec) {
    this.#session = session
    this.#spec = spec
  }

  /** Watches from now on. With `withStatus` says first where the mailboxes are whose messages are watched (§3.1). */
  static async start(session: Session, spec: NotifySpec, withStatus: boolean): Promise<Notifications> {
    const notifications = new Notifications(session, spec)
    const { store, account, connection } = session
    const { groups } = spec
    if (spec.selected || groups.length > 0) await notifications.#follow(account)
    // What is shared with all may be of an account that nothing was seen of before.
    if (notifications.#seesOthers) await notifications.#follow(anyone)
    if (groups.some(({ mailboxEvents }) => mailboxEvents.has('ServerMetadataChange')))
      notifications.#unwatch.push(store.watch(serverAccount, () => connection.wake()))
    if (groups.some(group => hasMetadata(group))) session.metadataNews ??= await MetadataNews.start(session)
    for (const mailbox of await listVisible(session, rightsFor('NOTIFY'))) {
      if (mailbox.account !== account) {
        if (!notifications.#seesOthers) continue
        await notifications.#follow(mailbox.account)
      }
      notifications.#mailboxes.set(keyOf(mailbox), mailbox)
    }
    notifications.#subscribed = new Set(await listSubscriptions(store.reader, account))
    await notifications.#tellNoAccess()
    if (withStatus) await notifications.#tellStart()
    return notifications
  }

  /** Ends it: hints wake nobody any more. */
  stop(): void {
    for (const unwatch of this.#unwatch) unwatch()
    this.#unwatch = []
  }

  get selected(): NotifySpec['selected'] {
    return this.#spec.selected
  }

  /** This session has done something with these names. */
  ignoreName(...names: readonly string[]): void {
    if (this.#spec.groups.length > 0) for (const name of names) this.#ownNames.add(name)
  }

  /** This session has put these messages into a mailbox. Only of the selected one are new messages shown. */
  ignoreMessages(mailbox: MailboxKey, uids: Iterable<number>): void {
    if (!this.#isSelected(mailbox) || !this.#spec.selected || this.#spec.selected.items.length === 0) return
    const own = this.#ownMessages.get(keyOf(mailbox))
    if (own) for (const uid of uids) own.add(uid)
    else this.#ownMessages.set(keyOf(mailbox), new Set(uids))
  }

  /** Whether a message that is new in the selected mailbox came from this session; asked once. */
  isOwn(mailbox: MailboxKey, uid: number): boolean {
    return this.#ownMessages.get(keyOf(mailbox))?.delete(uid) ?? false
  }

  /** Whether changes of an entry are told; of a mailbox, or of the server where the name is null. */
  wantsMetadata(name: string | null): boolean {
    if (name === null)
      return this.#spec.groups.some(({ mailboxEvents }) => mailboxEvents.has('ServerMetadataChange'))
    return this.#wants(name, 'MailboxMetadataChange')
  }

  /** Tells what has happened since the last time. */
  async tell(): Promise<void> {
    const { store, account, out } = this.#session
    if (this.#spec.groups.length === 0) return
    const news = await this.#findNews()
    if (!news) return
    const before = this.#mailboxes
    const { changed, deleted } = news
    const subscribed = new Set(await listSubscriptions(store.reader, account))
    if (changed.length + deleted.length > limits.imap.notifications) {
      this.#overflow()
      return
    }
    const subscribedBefore = this.#subscribed
    this.#subscribed = subscribed
    const isTangled = await this.#tellNames(before, changed, deleted, subscribedBefore)
    for (const mailbox of changed) {
      const known = before.get(keyOf(mailbox))
      const isNew = known === undefined || (isTangled && known.name !== mailbox.name)
      await this.#tellMessages(isNew ? undefined : known, mailbox, isTangled)
    }
    for (const mailbox of changed) before.set(keyOf(mailbox), mailbox)
    for (const key of deleted) before.delete(key)
    this.#ownNames.clear()
    await out.drain()
  }

  /** What has changed since the client was last told, in accounts that have changed; undefined where none has. */
  async #findNews(): Promise<News | undefined> {
    const { store, account } = this.#session
    const told = this.#told.get(account) ?? (0 as ModSeq)
    let hasOthers = false
    let hasOwn = false
    for (const [owner, before] of this.#told) {
      const reached = await findModSeq(store.reader, owner)
      if (reached === before) continue
      this.#told.set(owner, reached)
      if (owner === account) hasOwn = true
      else hasOthers = true
    }
    if (!hasOwn && !hasOthers) return undefined
    const own = hasOwn ? await listChangedMailboxes(store.reader, account, told) : []
    const gone = hasOwn ? await listDeletedMailboxes(store.reader, account, told) : []
    // A change of what others let this account do is a change of its own, too.
    const others = this.#seesOthers ? await this.#compareOthers() : nothingNew
    return {
      changed: [...own.map(mailbox => asOwn(this.#session, mailbox)), ...others.changed],
      deleted: [...gone.map(({ mailbox }) => keyOf({ account, id: mailbox })), ...others.deleted],
    }
  }

  /** Others' mailboxes as they are, beside what the client knows of them. */
  async #compareOthers(): Promise<News> {
    const { account } = this.#session
    const changed: VisibleMailbox[] = []
    const present = new Set<string>()
    for (const mailbox of await listVisible(this.#session, rightsFor('NOTIFY'))) {
      if (mailbox.account === account) continue
      const key = keyOf(mailbox)
      present.add(key)
      await this.#follow(mailbox.account)
      const known = this.#mailboxes.get(key)
      if (known?.modSeq !== mailbox.modSeq || known.name !== mailbox.name) changed.push(mailbox)
    }
    const deleted: string[] = []
    for (const [key, mailbox] of this.#mailboxes)
      if (mailbox.account !== account && !present.has(key)) deleted.push(key)
    return { changed, deleted }
  }

  /** Whether any group can be about mailboxes of others. */
  get #seesOthers(): boolean {
    return this.#spec.groups.some(({ filter }) => filter.kind !== 'personal')
  }

  /** Listens to an account from now on. */
  async #follow(owner: AccountId): Promise<void> {
    const { store, connection } = this.#session
    if (this.#told.has(owner)) return
    this.#told.set(owner, 0 as ModSeq)
    this.#unwatch.push(store.watch(owner, () => connection.wake()))
    this.#told.set(owner, await findModSeq(store.reader, owner))
  }

  /** §3.1: mailboxes that are named, may be listed and not be read. */
  async #tellNoAccess(): Promise<void> {
    const { out } = this.#session
    const named = new Set<string>()
    for (const { filter } of this.#spec.groups)
      if (filter.kind === 'mailboxes') for (const name of filter.names) named.add(name)
    for (const name of named) {
      const mailbox = await findVisible(this.#session, name)
      if (!mailbox || !mayUse(mailbox, rightsFor('LIST')) || mayUse(mailbox, rightsFor('NOTIFY'))) continue
      out.ascii('* LIST (\\NoAccess) "/" ')
      this.#session.writeMailbox(mailbox.name)
      out.crlf()
    }
  }

  /** §5.8. */
  #overflow(): void {
    this.#session.say('NOTIFICATIONOVERFLOW', 'Too much has happened: notifications are off now')
    this.#spec = notifyNothing
    this.stop()
  }

  readonly #isSubscribed = (name: string): boolean => this.#subscribed.has(name)

  #wants(name: string, event: MailboxEvent): boolean {
    return groupsOf(this.#spec, name, this.#isSubscribed).some(({ mailboxEvents }) =>
      mailboxEvents.has(event),
    )
  }

  // Messages

  /** §3.1: STATUS of each mailbox but the selected one. */
  async #tellStart(): Promise<void> {
    for (const mailbox of this.#mailboxes.values()) {
      if (this.#isSelected(mailbox)) continue
      const groups = groupsOf(this.#spec, mailbox.name, this.#isSubscribed)
      const items: string[] = []
      if (groups.some(({ messages }) => messages)) items.push('MESSAGES', 'UIDNEXT', 'UIDVALIDITY')
      if (groups.some(({ flags, annotations }) => flags || annotations)) items.push('HIGHESTMODSEQ')
      if (items.length > 0) await writeStatus(this.#session, mailbox, items)
    }
  }

  /** `before` is undefined for a mailbox that the client does not know by this name, or where `isTangled` not for sure. */
  async #tellMessages(
    before: VisibleMailbox | undefined,
    now: VisibleMailbox,
    isTangled: boolean,
  ): Promise<void> {
    if (this.#isSelected(now)) return
    const groups = groupsOf(this.#spec, now.name, this.#isSubscribed)
    const wantsMessages = groups.some(({ messages }) => messages)
    if (!before) {
      // §5.1: another UIDVALIDITY under a name that the client may know.
      if (wantsMessages && (now.uidNext > 1 || isTangled))
        await writeStatus(this.#session, now, ['UIDNEXT', 'MESSAGES', 'UIDVALIDITY'])
      return
    }
    const hasModSeq = this.#session.has('CONDSTORE')
    const items = new Set<string>()
    if (wantsMessages && (now.uidNext !== before.uidNext || now.total !== before.total)) {
      // §5.2, §5.3.
      items.add('UIDNEXT').add('MESSAGES')
      if (hasModSeq) items.add('HIGHESTMODSEQ')
    }
    if (groups.some(({ flags }) => flags)) {
      // §5.1.
      if (now.unseen !== before.unseen) items.add('UIDVALIDITY').add('UNSEEN')
      if (hasModSeq) items.add('HIGHESTMODSEQ').add('UIDVALIDITY')
    }
    if (hasModSeq && groups.some(({ annotations }) => annotations))
      items.add('HIGHESTMODSEQ').add('UIDVALIDITY')
    if (items.size > 0) await writeStatus(this.#session, now, [...items])
  }

  #isSelected(mailbox: MailboxKey): boolean {
    const { state } = this.#session
    return state.kind === 'selected' && isSameMailbox(state.view.mailbox, mailbox)
  }

  // Names

  /**
   * Tells of names; says whether they were tangled: where a name that was given up or renamed is now another mailbox's, or a renamed one has
   * others below it, which would seem to move along, the order of events can't be told by renames, so all of these names are told as they are now.
   */
  async #tellNames(
    before: ReadonlyMap<string, VisibleMailbox>,
    changed: readonly VisibleMailbox[],
    deleted: readonly string[],
    subscribedBefore: ReadonlySet<string>,
  ): Promise<boolean> {
    const affected = new Map<string, { readonly oldName: string | undefined }>()
    const add = (name: string, event: MailboxEvent, oldName?: string) => {
      const isWanted = this.#wants(name, event) || (oldName !== undefined && this.#wants(oldName, event))
      if (!isWanted || this.#ownNames.has(name)) return
      affected.set(name, { oldName: oldName ?? affected.get(name)?.oldName })
    }
    const { gone, renamed, created } = changesOfNames(before, changed, deleted)
    const oldNames = new Set(renamed.map(({ oldName }) => oldName))
    const left = new Set([...gone, ...oldNames])
    const isTangled = [...created, ...renamed.map(({ name }) => name)].some(
      name => left.has(name) || superiorsOf(name).some(superior => oldNames.has(superior)),
    )
    const addWithParent = (name: string) => {
      add(name, 'MailboxName')
      const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')))
      // §5.4: the parent's \HasChildren may have changed. What this session has done itself it knows.
      if (parent !== '' && !this.#ownNames.has(name) && (isTangled || !left.has(parent)))
        add(parent, 'MailboxName')
    }
    for (const name of gone) addWithParent(name)
    for (const one of renamed) {
      if (isTangled) {
        add(one.oldName, 'MailboxName')
        add(one.name, 'MailboxName')
        // §5.4: those below move along, and nothing is said of them.
      } else if (!renamed.some(above => isBelow(one, above))) add(one.name, 'MailboxName', one.oldName)
    }
    for (const name of created) addWithParent(name)
    for (const name of this.#subscribed) if (!subscribedBefore.has(name)) add(name, 'SubscriptionChange')
    for (const name of subscribedBefore) if (!this.#subscribed.has(name)) add(name, 'SubscriptionChange')
    if (affected.size > 0) await this.#writeNames(affected)
    return isTangled
  }

  async #writeNames(affected: ReadonlyMap<string, { readonly oldName: string | undefined }>): Promise<void> {
    const { out } = this.#session
    const tree = new MailboxTree(await listVisible(this.#session), [...this.#subscribed])
    const nodes = new Map(tree.nodes.map(node => [node.name, node]))
    for (const [name, { oldName }] of affected) {
      const node = nodes.get(name)
      const attributes = node ? attributesOf(node) : ['\\NonExistent']
      if (this.#subscribed.has(name)) attributes.push('\\Subscribed')
      out.ascii(`* LIST (${attributes.join(' ')}) "/" `)
      this.#session.writeMailbox(name)
      if (oldName !== undefined) {
        out.ascii(' ("OLDNAME" (')
        this.#session.writeMailbox(oldName)
        out.ascii('))')
      }
      out.crlf()
    }
  }
}

function hasMetadata({ mailboxEvents }: EventGroup): boolean {
  return mailboxEvents.has('MailboxMetadataChange') || mailboxEvents.has('ServerMetadataChange')
}

interface Renamed {
  readonly oldName: string
  readonly name: string
}

interface NameChanges {
  readonly gone: readonly string[]
  /** The deepest of the old names first: those that left a mailbox before it moved must be told before. */
  readonly renamed: readonly Renamed[]
  readonly created: readonly string[]
}

/** What became of the names that the client knows. */
function changesOfNames(
  before: ReadonlyMap<string, VisibleMailbox>,
  changed: readonly VisibleMailbox[],
  deleted: readonly string[],
): NameChanges {
  const renamed: Renamed[] = []
  const created: string[] = []
  for (const mailbox of changed) {
    const { name } = mailbox
    const oldName = before.get(keyOf(mailbox))?.name
    if (oldName === undefined) created.push(name)
    else if (oldName !== name) renamed.push({ oldName, name })
  }
  return {
    // A mailbox may have been renamed before it was deleted: the client knows the name that it had.
    gone: deleted.flatMap(key => before.get(key)?.name ?? []),
    renamed: renamed.sort((a, b) => depthOf(b.oldName) - depthOf(a.oldName)),
    created,
  }
}

/** The names above: `a` and `a/b` of `a/b/c`. */
function superiorsOf(name: string): readonly string[] {
  return Array.from(name.matchAll(/\//g), ({ index }) => name.slice(0, index))
}

function depthOf(name: string): number {
  return name.split('/').length
}

function isBelow(one: Renamed, above: Renamed): boolean {
  return (
    one.oldName.startsWith(`${above.oldName}/`) &&
    one.name === above.name + one.oldName.slice(above.oldName.length)
  )
}
