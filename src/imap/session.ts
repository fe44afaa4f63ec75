// One client's connection: who he is, what he has selected, what he has switched on. RFC 9051 §3.
import type { Ascending } from '../base/ascending.ts'
import type { Clock } from '../base/clock.ts'
import type { AccountId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import type { Identity } from '../account/identity.ts'
import type { Login } from '../account/login.ts'
import { type LoginPeer, loginPeer } from '../account/login-peer.ts'
import type { Connection } from '../net/connection.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { PiecePool } from '../net/piece-pool.ts'
import { ObservedStore } from '../store/observed-store.ts'
import { allRights, type Rights, rightsOf } from '../store/rights.ts'
import type { RowsAhead } from './fetch/rows-ahead.ts'
import type { OrderCache } from './sort/order-cache.ts'
import type { Store } from '../store/store.ts'
import type { ImapConfig } from './config.ts'
import type { ImageConverter } from './convert/image-converter.ts'
import { Encoder } from './encoder.ts'
import { bad, readersOnly } from './error.ts'
import { encodeMailboxName } from './mailbox-name.ts'
import { type Language, translate } from './language/translate.ts'
import type { MailboxView } from './mailbox-view.ts'
import type { MetadataNews } from './metadata-news.ts'
import type { Notifications } from './notify/notifications.ts'
import { type Collation, defaultCollation } from './search/collation.ts'

/** What IMAP needs of the program around it. */
export interface ImapContext {
  readonly store: Store
  readonly login: Login
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly config: {
    readonly imap: ImapConfig
    /** What accounts without a quota of their own may hold. */
    readonly quota?:
      | { readonly bytes?: number | null | undefined; readonly messages?: number | null | undefined }
      | undefined
  }
  readonly hostname: string
  /** What SORT and THREAD have worked out. */
  readonly orders: OrderCache
  /** One for each thread. */
  readonly pieces: PiecePool
  readonly ascending: Ascending
  readonly rowsAhead: RowsAhead
  /** For CONVERT (RFC 5259); undefined where images are not converted. */
  readonly images?: ImageConverter | undefined
  /** For STARTTLS; undefined where there is no certificate. */
  readonly tls: TlsProvider | undefined
}

export type State =
  | { readonly kind: 'notAuthenticated' }
  | { readonly kind: 'authenticated'; readonly identity: Identity }
  | { readonly kind: 'selected'; readonly identity: Identity; readonly view: MailboxView }
  | { readonly kind: 'logout' }

/** Extensions that change how the server talks once they are on: by ENABLE, or for CONDSTORE by use. */
export type Switch =
  | 'IMAP4REV2'
  | 'CONDSTORE'
  | 'QRESYNC'
  | 'UTF8=ACCEPT'
  | 'METADATA'
  | 'METADATA-SERVER'
  | 'UIDONLY'

const readersRights = rightsOf('lr')

export class Session {
  readonly connection: Connection
  readonly context: ImapContext
  readonly out: Encoder
  /** Few clients switch anything on. */
  #switches: Set<Switch> | undefined
  state: State = { kind: 'notAuthenticated' }
  /** COMPRESS is on (RFC 4978). */
  isCompressed = false
  /** Since METADATA or METADATA-SERVER was enabled. */
  metadataNews: MetadataNews | undefined
  /** What people read comes in it (RFC 5255 §3). */
  language: Language = 'i-default'
  /** How SEARCH compares texts (RFC 5255 §4.7). */
  comparator: Collation = defaultCollation
  /** Since log-in: ends what is counted and watched of the session. */
  leave: (() => void) | undefined
  /** A line is begun and not yet ended: nothing else may be written in between. */
  isMidLine = false
  /** Since NOTIFY was used (RFC 5465). */
  notifications: Notifications | undefined

  constructor(connection: Connection, context: ImapContext) {
    this.connection = connection
    this.context = context
    this.out = new Encoder(connection, context.pieces)
  }

  /** Back to the state before log-in, with all that extensions have switched on (RFC 8437 §4.1). No mailbox is selected any more. */
  forget(): void {
    this.state = { kind: 'notAuthenticated' }
    this.leave?.()
    this.leave = undefined
    this.switchOff()
    this.metadataNews = undefined
    this.notifications?.stop()
    this.notifications = undefined
    this.comparator = defaultCollation
    this.language = 'i-default'
  }

  get peer(): LoginPeer {
    return loginPeer('imap', this.connection)
  }

  get store(): Store {
    return this.#isAnonymous ? readOnly(this.context.store) : this.context.store
  }

  /** What the session may do with the mailboxes of its account; who is not known reads (RFC 4505). */
  get ownRights(): Rights {
    return this.#isAnonymous ? readersRights : allRights
  }

  get #isAnonymous(): boolean {
    const { state } = this
    return (
      (state.kind === 'authenticated' || state.kind === 'selected') && state.identity.isAnonymous === true
    )
  }

  /** Who is logged in. Throws BAD before log-in. */
  get identity(): Identity {
    if (this.state.kind === 'authenticated' || this.state.kind === 'selected') return this.state.identity
    throw bad('log in first')
  }

  get account(): AccountId {
    return this.identity.account
  }

  /** The selected mailbox. Throws BAD when there is none. */
  get view(): MailboxView {
    if (this.state.kind === 'selected') return this.state.view
    throw bad('select a mailbox first')
  }

  has(name: Switch): boolean {
    return this.#switches?.has(name) === true
  }

  switchOn(name: Switch): void {
    ;(this.#switches ??= new Set()).add(name)
  }

  /** All of them. */
  switchOff(): void {
    this.#switches = undefined
  }

  /** Names of mailboxes go out as UTF-8 rather than modified UTF-7 (RFC 9051 appendix A; RFC 6855 §3). */
  get usesUtf8Names(): boolean {
    return this.has('IMAP4REV2') || this.has('UTF8=ACCEPT')
  }

  /** Writes a status response, tagged or with `*`; `text` is English and goes out in the client's language (RFC 5255 §3.1). */
  respond(tag: string, status: 'OK' | 'NO' | 'BAD' | 'BYE', code: string | undefined, text: string): void {
    this.out.ascii(`${tag} ${status} `)
    if (code !== undefined) this.out.ascii(`[${code}] `)
    this.out.text(translate(text, this.language, status === 'BAD')).crlf()
  }

  /** Why the session has to end, where it was asked to. */
  get farewell(): string {
    return this.connection.stopReason === 'account'
      ? 'Your account or its password has changed; log in again'
      : 'The server is going down; come back in a minute'
  }

  /** Writes an untagged OK. */
  say(code: string | undefined, text: string): void {
    this.respond('*', 'OK', code, text)
  }

  /** Writes the name of a mailbox in the encoding this client has asked for. */
  writeMailbox(name: string): void {
    const isUtf8 = this.usesUtf8Names
    this.out.astring(encodeMailboxName(name, isUtf8), isUtf8)
  }
}

/** RFC 4505 §5: who has not said who he is changes nothing, whatever command he finds. */
function readOnly(store: Store): Store {
  return new ObservedStore(store, {
    before() {
      throw readersOnly()
    },
    after() {},
  })
}
