// What happens in a server, for who embeds it.

export interface MailServerEvents {
  /** A message was stored: by SMTP, LMTP, APPEND or import. */
  delivered: {
    readonly account: string
    readonly mailbox: string
    readonly uid: number
    readonly subject: string
    readonly from: string
  }
  /** A message waits to be sent elsewhere. */
  queued: { readonly id: number; readonly mailFrom: string; readonly recipients: readonly string[] }
  /** Somebody logged in. */
  loggedIn: { readonly account: string; readonly protocol: string; readonly mechanism: string }
  /** Somebody tried; `account` is undefined for a name that is no account's. */
  loginRefused: {
    readonly account: string | undefined
    readonly protocol: string
    readonly mechanism: string
  }
  /** The server has closed. */
  closed: Record<string, never>
}

export type MailServerEvent = keyof MailServerEvents

type Listener<Name extends MailServerEvent> = (event: MailServerEvents[Name]) => void

/** Listeners by event. A listener that throws is reported and stops nobody. */
export class Emitter {
  readonly #listeners = new Map<MailServerEvent, Set<(event: never) => void>>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Calls `listener` until the function it returns is called. */
  on<Name extends MailServerEvent>(name: Name, listener: Listener<Name>): () => void {
    let listeners = this.#listeners.get(name)
    if (!listeners) this.#listeners.set(name, (listeners = new Set()))
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  emit<Name extends MailServerEvent>(name: Name, event: MailServerEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as Listener<Name>)(event)
      } catch (error) {
        this.#onError(error)
      }
    }
  }

  /** Whether anybody listens: some events cost a look-up. */
  has(name: MailServerEvent): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }
}
