// Connections that have nothing to do, kept a while for the next message to the same domain. RFC 5321 §4.5.4.1.
import type { SmtpClient } from './client.ts'

interface Idle {
  readonly client: SmtpClient
  /** Whether it may be used: settles when its wait has ended. */
  readonly ended: Promise<boolean>
  isTaken: boolean
}

export class ClientPool {
  readonly #idle = new Map<string, Idle[]>()
  readonly #idleMs: number
  #isClosed = false

  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** An idle connection to `key` that still lives, or undefined. */
  async take(key: string): Promise<SmtpClient | undefined> {
    for (;;) {
      const idle = this.#idle.get(key)?.findLast(({ isTaken }) => !isTaken)
      if (!idle) return undefined
      idle.isTaken = true
      idle.client.connection.wake()
      if (await idle.ended) return idle.client
    }
  }

  /** Keeps a connection for later, or ends it. */
  give(key: string, client: SmtpClient): void {
    if (this.#isClosed || !client.isReusable) {
      void client.quit()
      return
    }
    const idle: Idle = { client, isTaken: false, ended: this.#wait(key, client) }
    const others = this.#idle.get(key)
    if (others) others.push(idle)
    else this.#idle.set(key, [idle])
  }

  /** Ends all that are idle, and from now on each that is given. */
  async close(): Promise<void> {
    this.#isClosed = true
    const idle = [...this.#idle.values()].flat()
    for (const { client } of idle) client.connection.wake()
    await Promise.all(idle.map(({ ended }) => ended))
  }

  /** Watches an idle connection: a server that speaks or hangs up now is leaving (421), and it must not be used again. */
  async #wait(key: string, client: SmtpClient): Promise<boolean> {
    client.connection.setDeadline(Infinity)
    const event = await Promise.resolve(client.connection.waitForInput(this.#idleMs)).catch(
      () => 'end' as const,
    )
    const list = this.#idle.get(key) ?? []
    const index = list.findIndex(idle => idle.client === client)
    const [found] = index === -1 ? [] : list.splice(index, 1)
    if (list.length === 0) this.#idle.delete(key)
    if (event === 'woken' && found?.isTaken === true && !this.#isClosed) return true
    await client.quit()
    return false
  }
}
