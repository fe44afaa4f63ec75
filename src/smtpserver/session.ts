// One client's session: its state, and what its commands share.
import type { Identity } from '../account/identity.ts'
import { mechanisms } from '../account/authenticate.ts'
import { type LoginPeer, loginPeer } from '../account/login-peer.ts'
import { limits } from '../base/limits.ts'
import type { Connection } from '../net/connection.ts'
import { isInNetworks, parseNetwork, type Network } from '../net/ip.ts'
import { SmtpRefusal } from '../smtp/reply.ts'
import type { SmtpContext, SmtpService } from './context.ts'
import type { Greeting, SessionState } from './state.ts'

export class Session {
  readonly connection: Connection
  readonly context: SmtpContext
  readonly service: SmtpService
  #state: SessionState = { state: 'connected' }
  #isTrusted: boolean | undefined
  #transactions = 0
  /** Failed log-ins, and recipients that do not exist: who collects them is sent away. */
  #authFailures = 0
  #unknownRecipients = 0

  constructor(connection: Connection, context: SmtpContext, service: SmtpService) {
    this.service = service
    this.connection = connection
    this.context = context
  }

  get state(): SessionState {
    return this.#state
  }

  /** Goes over to another state; what a message in progress held is let go. */
  enter(state: SessionState): void {
    const before = this.#state
    if (before.state === 'chunking' && !(state.state === 'chunking' && state.intake === before.intake))
      before.intake?.discard()
    this.#state = state
  }

  /** After HELO, EHLO or LHLO, RFC 5321 §4.1.4: also clears a transaction. */
  greet(greeting: Greeting): void {
    this.enter({ state: 'idle', greeting, identity: this.identity })
  }

  /** Clears the transaction (RSET, the end of a message). */
  reset(): void {
    if (this.#state.state === 'connected') return
    const { greeting, identity } = this.#state
    this.enter({ state: 'idle', greeting, identity })
  }

  get identity(): Identity | undefined {
    return this.#state.state === 'connected' ? undefined : this.#state.identity
  }

  /** Whether the client may send to anywhere without a log-in. */
  get isTrusted(): boolean {
    this.#isTrusted ??= this.isIn(this.context.config.smtp.trustedNetworks)
    return this.#isTrusted
  }

  get mayRelay(): boolean {
    return this.service !== 'lmtp' && (this.identity !== undefined || this.isTrusted)
  }

  /** What becomes of a CR or LF without the other in a message. RFC 6409 §8 lets submission mend it. */
  get lineRule(): 'note' | 'mend' {
    return this.service === 'submission' || this.context.config.smtp.bareNewlines === 'mend' ? 'mend' : 'note'
  }

  isIn(networks: readonly string[]): boolean {
    if (networks.length === 0) return false
    return isInNetworks(
      this.connection.remoteAddress,
      networks.map((text): Network => parseNetwork(text)),
    )
  }

  get loginPeer(): LoginPeer {
    return loginPeer('smtp', this.connection)
  }

  /** SASL mechanisms that may be used now. */
  offeredMechanisms(): readonly string[] {
    const { service, context } = this
    const { config, login } = context
    const isOffered = service === 'submission' || (service === 'smtp' && config.smtp.authOnReceivingPort)
    if (!isOffered || this.identity) return []
    return mechanisms(login, this.loginPeer)
  }

  /** A name for the next transaction. Throws SmtpRefusal 421 past the limit. */
  nextTransaction(): string {
    this.#transactions++
    if (this.#transactions > limits.smtp.transactions)
      throw new SmtpRefusal(421, '4.7.0', 'Too many messages on one connection, come again')
    return `${this.connection.id}.${this.#transactions}`
  }

  /** Throws SmtpRefusal 421 when there were too many. */
  countAuthFailure(): void {
    this.#authFailures++
    if (this.#authFailures >= limits.smtp.authFailures)
      throw new SmtpRefusal(421, '4.7.0', 'Too many failed log-ins')
  }

  /** Throws SmtpRefusal 421 when there were too many: somebody is guessing names. */
  countUnknownRecipient(): void {
    this.#unknownRecipients++
    if (this.#unknownRecipients > limits.smtp.unknownRecipients)
      throw new SmtpRefusal(421, '4.7.0', 'Too many unknown recipients')
  }
}
