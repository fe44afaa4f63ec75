// Tells a client which annotations others have changed, once it has enabled METADATA or METADATA-SERVER. RFC 5464 §4.4.2.
import type { AccountId, MailboxId, ModSeq } from '../base/ids.ts'
import { findModSeq, listChangedAnnotations } from '../store/read/annotations.ts'
import { rightsFor } from './command-rights.ts'
import { listVisible } from './mailbox-access.ts'
import { isShared, serverAccount } from './metadata.ts'
import type { Session } from './session.ts'

export class MetadataNews {
  readonly #session: Session
  /** How far the client has been told, by account: its own, the server's, and those of which it saw mailboxes when it began. */
  readonly #told: Map<AccountId, ModSeq>
  /** Changes that this session has made itself. */
  readonly #own = new Set<string>()

  private constructor(session: Session, told: Map<AccountId, ModSeq>) {
    this.#session = session
    this.#told = told
  }

  /** Tells of what changes from now on. */
  static async start(session: Session): Promise<MetadataNews> {
    const { account, store } = session
    const told = new Map<AccountId, ModSeq>()
    const others = (await listVisible(session, rightsFor('GETMETADATA'))).map(mailbox => mailbox.account)
    for (const owner of new Set([account, serverAccount, ...others]))
      told.set(owner, await findModSeq(store.reader, owner))
    return new MetadataNews(session, told)
  }

  /** Leaves out the session's own change (RFC 5464 §4.4: a third party's are told). */
  silence(account: AccountId, modSeq: ModSeq): void {
    this.#own.add(`${account}/${modSeq}`)
  }

  /** Writes `* METADATA "INBOX" /shared/comment` for each mailbox with changes that `wants` takes. */
  async tell(wants: (name: string | null, entry: string) => boolean): Promise<void> {
    const { store } = this.#session
    for (const [account, told] of this.#told) {
      const reached = await findModSeq(store.reader, account)
      if (reached <= told) continue
      const changed = await listChangedAnnotations(store.reader, account, told)
      const entries = new Map<string, string[]>()
      const visible = await this.#namesOf(account, changed.length > 0)
      for (const { mailbox, name: ownName, entry, modSeq } of changed) {
        const name = visible ? visible.get(mailbox) : ownName
        if (name === undefined || (visible && !isShared(entry))) continue
        if (modSeq > reached || this.#own.has(`${account}/${modSeq}`) || !wants(name, entry)) continue
        const known = entries.get(name ?? '')
        if (known) known.push(entry)
        else entries.set(name ?? '', [entry])
      }
      for (const [name, names] of entries) this.#write(name, names)
      this.#told.set(account, reached)
    }
    this.#own.clear()
  }

  /** What the session calls another's mailboxes whose annotations it may see; undefined for its own and the server's, which have one name. */
  async #namesOf(owner: AccountId, isNeeded: boolean): Promise<ReadonlyMap<MailboxId, string> | undefined> {
    if (owner === this.#session.account || owner === serverAccount) return undefined
    const names = new Map<MailboxId, string>()
    if (!isNeeded) return names
    for (const mailbox of await listVisible(this.#session, rightsFor('GETMETADATA')))
      if (mailbox.account === owner) names.set(mailbox.id, mailbox.name)
    return names
  }

  #write(name: string, entries: readonly string[]): void {
    const { out } = this.#session
    out.ascii('* METADATA ')
    this.#session.writeMailbox(name)
    for (const entry of entries) out.byte(0x20).astring(entry)
    out.crlf()
  }
}
