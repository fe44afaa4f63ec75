// What a change of the store means to who listens: messages that were stored, messages that wait to go out.
import type { AccountId, MailboxId } from '../base/ids.ts'
import type { EmailSummary } from '../message/summary.ts'
import type { AcceptMessage } from '../store/mutations/accept-message.ts'
import type { AppendMessages } from '../store/mutations/append-messages.ts'
import type { Delivered, DeliverMessages } from '../store/mutations/deliver-messages.ts'
import type { EnqueueMessages } from '../store/mutations/enqueue-messages.ts'
import type { MutationName, MutationResult } from '../store/mutations.ts'
import type { Reader } from '../store/store.ts'
import type { Emitter } from './events.ts'

export class StoreEvents {
  readonly #reader: Reader
  readonly #emitter: Emitter
  readonly #onError: (error: unknown) => void
  /** Events are told in the order of the commits, though names have to be looked up. */
  #tail: Promise<void> = Promise.resolve()

  constructor(reader: Reader, emitter: Emitter, onError: (error: unknown) => void) {
    this.#reader = reader
    this.#emitter = emitter
    this.#onError = onError
  }

  /** Tells what a mutation did. */
  after(name: MutationName, args: unknown, result: unknown): void {
    switch (name) {
      case 'appendMessages': {
        const { account, mailbox, messages } = args as AppendMessages
        const { uids } = result as MutationResult<'appendMessages'>
        for (const [index, uid] of uids.entries()) this.#stored(account, mailbox, uid, messages[index]?.email)
        return
      }
      case 'deliverMessages':
        this.#delivered(args as DeliverMessages, result as readonly Delivered[])
        return
      case 'acceptMessage': {
        const { deliveries, queued } = result as MutationResult<'acceptMessage'>
        this.#delivered(args as AcceptMessage, deliveries)
        this.#queued(args as AcceptMessage, queued)
        return
      }
      case 'enqueueMessages':
        this.#queued(args as EnqueueMessages, result as readonly number[])
        return
      default:
        return
    }
  }

  /** Resolves when all events so far are told. */
  settled(): Promise<void> {
    return this.#tail
  }

  #delivered({ deliveries }: DeliverMessages, results: readonly Delivered[]): void {
    for (const [index, result] of results.entries()) {
      const delivery = deliveries[index]
      if (delivery && result.kind === 'stored')
        this.#stored(delivery.account, result.mailbox, result.uid, delivery.email)
    }
  }

  #queued({ messages }: EnqueueMessages, ids: readonly number[]): void {
    for (const [index, id] of ids.entries()) {
      const message = messages[index]
      if (!message) continue
      const recipients = message.recipients.map(({ address }) => address)
      this.#emitter.emit('queued', { id, mailFrom: message.mailFrom, recipients })
    }
  }

  #stored(account: AccountId, mailbox: MailboxId, uid: number, email: EmailSummary | undefined): void {
    if (!email || !this.#emitter.has('delivered')) return
    this.#tail = this.#tail.then(() => this.#tellStored(account, mailbox, uid, email)).catch(this.#onError)
  }

  async #tellStored(account: AccountId, mailbox: MailboxId, uid: number, email: EmailSummary): Promise<void> {
    const row = await this.#reader.get<{ address: string; name: string }>(
      'SELECT a.address, b.name FROM account a JOIN mailbox b ON b.account = a.id WHERE a.id = ? AND b.id = ?',
      account,
      mailbox,
    )
    if (!row) return
    const { subject, from } = email
    this.#emitter.emit('delivered', {
      account: row.address,
      mailbox: row.name,
      uid,
      subject,
      from: from.address,
    })
  }
}
