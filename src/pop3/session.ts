// The state of one POP3 session and how it answers. RFC 1939 §3.
import type { Login } from '../account/login.ts'
import { loginPeer, type LoginPeer } from '../account/login-peer.ts'
import type { Identity } from '../account/identity.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import type { Connection } from '../net/connection.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { PiecePool } from '../net/piece-pool.ts'
import type { Store } from '../store/store.ts'
import type { Pop3Config } from './config.ts'
import type { ResponseCode, TextOf } from './error.ts'
import { firstLanguage } from './languages.ts'
import type { Language } from './languages/texts.ts'
import type { Maildrop } from './maildrop.ts'
import type { MaildropLocks } from './maildrop-locks.ts'
import { errLine, okLine } from './reply.ts'

export interface Pop3Context {
  readonly store: Store
  readonly login: Login
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly config: { readonly pop3: Pop3Config }
  readonly hostname: string
  /** For STLS; undefined where there is no certificate. */
  readonly tls: TlsProvider | undefined
  /** One per thread, over the table that all threads share. */
  readonly maildropLocks: MaildropLocks
  /** One for each thread. */
  readonly pieces: PiecePool
}

export type State =
  /** `user` is the name that USER gave, for a PASS that comes next. */
  | { readonly kind: 'authorization'; readonly user: Buffer | undefined }
  | {
      readonly kind: 'transaction'
      readonly identity: Identity
      readonly maildrop: Maildrop
      /** Lets others in; settles when they are, and never rejects. */
      release(): Promise<void>
    }
  /** After QUIT, STLS that failed, or a farewell. */
  | { readonly kind: 'ended' }

/** Of a session that begins. */
export const beforeLogin: State = { kind: 'authorization', user: undefined }

export class Session {
  readonly connection: Connection
  readonly context: Pop3Context
  /** The timestamp in the greeting, where APOP is offered. RFC 1939 §7. */
  readonly timestamp: string | undefined
  state: State
  language: Language = firstLanguage
  /** After UTF8. RFC 6856 §2. */
  isUtf8 = false
  /** Whether it is the client's turn: a farewell may go out at once. */
  isWaiting = false

  constructor(connection: Connection, context: Pop3Context, timestamp: string | undefined, state: State) {
    this.connection = connection
    this.context = context
    this.timestamp = timestamp
    this.state = state
  }

  /** Who is at the other end, as far as a log-in cares; changes with STLS. */
  get peer(): LoginPeer {
    return loginPeer('pop3', this.connection)
  }

  /** The maildrop. The dispatcher has checked the state. */
  getMaildrop(): Maildrop {
    if (this.state.kind !== 'transaction') throw new Error('there is no maildrop in this state')
    return this.state.maildrop
  }

  /** The client's next line; see `Connection.readLine`. */
  async nextLine(reading: Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    this.isWaiting = true
    try {
      return await reading
    } finally {
      this.isWaiting = false
    }
  }

  /** A positive answer with a text for people. */
  ok(text: TextOf): void {
    this.connection.write(okLine(text(this.language.texts)))
  }

  /** A positive answer that programs read. */
  okValue(value: string): void {
    this.connection.write(okLine(value))
  }

  /** A negative answer. */
  err(code: ResponseCode | undefined, text: TextOf): void {
    this.connection.write(errLine(code, text(this.language.texts)))
  }
}
