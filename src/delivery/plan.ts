// Works out what a message means for the store: which mailboxes get it and what of it goes into the queue. RFC 5321 §3.9; RFC 3461 §5.2.7.
import { assertNever } from '../base/assert.ts'
import type { AccountId } from '../base/ids.ts'
import { fieldValues } from '../message/header.ts'
import { type EmailSummary, summarizeInSteps } from '../message/summary.ts'
import { asciiDomain, formatMailbox, parseMailbox } from '../smtp/mailbox.ts'
import { SmtpRefusal, type SmtpReply } from '../smtp/reply.ts'
import { encodeXtext } from '../smtp/xtext.ts'
import type { AcceptMessage } from '../store/mutations/accept-message.ts'
import type { Delivery } from '../store/mutations/deliver-messages.ts'
import type { NewQueueMessage, NewQueueRecipient } from '../store/queue-message.ts'
import type { DeliveryContext } from './context.ts'
import { fileLetter } from './filing.ts'
import type { Addressee, Letter } from './letter.ts'
import { transportNeeds } from './transport-needs.ts'

/** What one addressee comes to. */
export interface Share {
  /** Indexes of deliveries, each with the account's own address. */
  readonly deliveries: readonly { readonly index: number; readonly address: string }[]
  readonly isQueued: boolean
  /** Why it comes to nothing, if so. */
  readonly refusal: SmtpReply | undefined
}

export interface Plan {
  readonly args: AcceptMessage
  /** One for each addressee, in their order. */
  readonly shares: readonly Share[]
}

export async function planDelivery(
  context: DeliveryContext,
  letter: Letter,
  addressees: readonly Addressee[],
): Promise<Plan> {
  const planner = new Planner(context, letter)
  const shares: Share[] = []
  for (const addressee of addressees) shares.push(await planner.add(addressee))
  return { args: planner.args(), shares }
}

class Planner {
  readonly #context: DeliveryContext
  readonly #letter: Letter
  readonly #deliveries: Delivery[] = []
  /** Indexes of deliveries by account and mailbox: several addresses of one account bring one copy. */
  readonly #planned = new Map<string, number>()
  readonly #forwards: NewQueueMessage[] = []
  readonly #relayed: NewQueueRecipient[] = []
  #email: Promise<EmailSummary> | undefined
  #deliveredTo: ReadonlySet<string> | undefined
  #envelope: Omit<NewQueueMessage, 'prefix' | 'recipients'> | undefined

  constructor(context: DeliveryContext, letter: Letter) {
    this.#context = context
    this.#letter = letter
  }

  args(): AcceptMessage {
    const relayed: readonly NewQueueMessage[] =
      this.#relayed.length === 0 ? [] : [{ ...this.#queued(), prefix: '', recipients: this.#relayed }]
    return { deliveries: this.#deliveries, messages: [...relayed, ...this.#forwards] }
  }

  async add(addressee: Addressee): Promise<Share> {
    const { resolved } = addressee
    switch (resolved.kind) {
      case 'unknown':
        return refused(550, '5.1.1', 'Nobody here has this address')
      case 'relay':
        this.#relayed.push(this.#queueRecipient(addressee, formatMailbox(addressee.recipient)))
        return { deliveries: [], isQueued: true, refusal: undefined }
      case 'forward':
        return this.#forward(addressee, resolved.forwards, [])
      case 'accounts': {
        const deliveries: { index: number; address: string }[] = []
        for (const account of resolved.accounts) {
          for (const { mailbox, flags } of await fileLetter(this.#context, account))
            deliveries.push({
              index: await this.#deliver(account.account, mailbox, flags),
              address: account.address,
            })
        }
        return this.#forward(addressee, resolved.forwards, deliveries)
      }
      default:
        return assertNever(resolved)
    }
  }

  async #deliver(account: AccountId, mailbox: string, flags: Delivery['flags']): Promise<number> {
    const key = `${account} ${mailbox}`
    const known = this.#planned.get(key)
    if (known !== undefined) return known
    const { body, bytes } = this.#letter
    this.#email ??= summarizeInSteps(bytes)
    const email = await this.#email
    const index = this.#deliveries.push({ account, mailbox, body, email, flags }) - 1
    this.#planned.set(key, index)
    return index
  }

  #forward(addressee: Addressee, forwards: readonly string[], deliveries: Share['deliveries']): Share {
    if (forwards.length === 0) return { deliveries, isQueued: false, refusal: undefined }
    const address = formatMailbox(addressee.recipient)
    // RFC 5321 §6.3: a message that has been forwarded from here before is on its way round.
    this.#deliveredTo ??= new Set(
      fieldValues(this.#letter.bytes, 'delivered-to').map(value => value.trim().toLowerCase()),
    )
    if (this.#deliveredTo.has(address.toLowerCase())) {
      const loop = refused(554, '5.4.6', 'This message has been forwarded from here before')
      return deliveries.length === 0 ? loop : { deliveries, isQueued: false, refusal: undefined }
    }
    // RFC 3461 §5.2.7.3 (c): SUCCESS does not go on to several; the alias itself reports.
    const isAlias = forwards.length === 1 && deliveries.length === 0
    const passedOn: Addressee = {
      ...addressee,
      ...(!isAlias && addressee.notify && { notify: addressee.notify.filter(event => event !== 'SUCCESS') }),
      originalRecipient: addressee.originalRecipient ?? `rfc822;${encodeXtext(address)}`,
    }
    this.#forwards.push({
      ...this.#queued(),
      prefix: `Delivered-To: ${address}\r\n`,
      recipients: forwards.map(forward => this.#queueRecipient(passedOn, forward)),
    })
    return { deliveries, isQueued: true, refusal: undefined }
  }

  #queueRecipient({ notify, originalRecipient }: Addressee, address: string): NewQueueRecipient {
    return {
      address,
      domain: asciiDomain(parseMailbox(address).domain),
      notify: notify === undefined ? null : notify.join(','),
      originalRecipient: originalRecipient ?? null,
      dueAt: this.#context.clock.now(),
    }
  }

  #queued(): Omit<NewQueueMessage, 'prefix' | 'recipients'> {
    this.#envelope ??= queueEnvelope(this.#context, this.#letter)
    return this.#envelope
  }
}

/** A recipient here that is tried again after a while: resolved anew then, since it has no domain to route by. */
export function localRetry(
  { clock, config }: DeliveryContext,
  address: string,
  notify: string | null,
  originalRecipient: string | null,
): NewQueueRecipient {
  const dueAt = clock.now() + (config.queue.retryMinutes[0] ?? 1) * 60_000
  return { address, domain: '', notify, originalRecipient, dueAt }
}

/** The envelope under which a letter waits in the queue. */
export function queueEnvelope(
  { clock, config }: DeliveryContext,
  letter: Letter,
): Omit<NewQueueMessage, 'prefix' | 'recipients'> {
  const { is8Bit, hasUtf8Headers } = transportNeeds(letter.bytes)
  return {
    body: letter.body,
    mailFrom: letter.mailFrom === undefined ? '' : formatMailbox(letter.mailFrom),
    skipBytes: letter.returnPathBytes,
    // What the client said is often wrong: the bytes decide, but that it is binary only the client knows.
    bodyType: letter.bodyType === 'BINARYMIME' ? 'BINARYMIME' : is8Bit ? '8BITMIME' : '7BIT',
    smtpUtf8: letter.smtpUtf8 && hasUtf8Headers,
    ret: letter.ret ?? null,
    envelopeId: letter.envelopeId ?? null,
    submitter: letter.submitter ?? null,
    messageId: (fieldValues(letter.bytes, 'message-id')[0] ?? '').slice(0, 998),
    expiresAt: clock.now() + config.queue.expireHours * 3_600_000,
  }
}

function refused(code: number, status: string, text: string): Share {
  return { deliveries: [], isQueued: false, refusal: new SmtpRefusal(code, status, text).reply }
}
