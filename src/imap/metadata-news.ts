// Tells a client which annotations others have changed, once it has enabled METADATA or METADATA-SERVER. RFC 5464 §4.4.2.
import type { AccountId, ModSeq } from '../base/ids.ts'
import { findModSeq, listChangedAnnotations } from '../store/read/annotations.ts'
import { serverAccount } from './metadata.ts'
import type { Session } from './session.ts'

export class MetadataNews {
  readonly #session: Session
  /** How far the client has been told, by account: its own and the server's. */
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
    for (const owner of [account, serverAccount]) told.set(owner, await findModSeq(store.reader, owner))
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
      for (const { name, entry, modSeq } of changed) {
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

  #write(name: string, entries: readonly string[]): void {
    const { out } = this.#session
    out.ascii('* METADATA ')
    this.#session.writeMailbox(name)
    for (const entry of entries) out.byte(0x20).astring(entry)
    out.crlf()
  }
}
