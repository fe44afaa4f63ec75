// Takes over a message for its recipients: mailboxes here, the queue for elsewhere, one transaction. RFC 5321 §4.2.5, §4.4, §6.1; RFC 2033 §4.2.
//
// Invariants:
// - An addressee whose outcome is 'accepted' is never lost: stored, queued, or its sender is told, all committed before this settles.
// - An addressee whose outcome is 'refused' left nothing behind: who asked answers for it, to the client or with `takeOver`.
import { formatMailbox } from '../smtp/mailbox.ts'
import type { SmtpReply } from '../smtp/reply.ts'
import type { AcceptMessage } from '../store/mutations/accept-message.ts'
import type { Delivered } from '../store/mutations/deliver-messages.ts'
import type { DeliveryContext } from './context.ts'
import type { Addressee, Letter, Outcome } from './letter.ts'
import { localRetry, planDelivery, queueEnvelope, type Share } from './plan.ts'
import { joinArgs, planReport, wantsReport } from './report.ts'
import type { ReportAction, ReportEntry, ReportSource } from './report-message.ts'
import { storeRefusal } from './store-refusal.ts'

/** An addressee, or one account behind it, that the message did not reach. */
export interface Refused {
  readonly addressee: Addressee
  /** Where it would be tried again; the addressee itself by default. */
  readonly address?: string
  readonly reply: SmtpReply
}

/** One outcome for each addressee, in order. Throws `StoreError` when nothing could be committed. */
export async function deliver(
  context: DeliveryContext,
  letter: Letter,
  addressees: readonly Addressee[],
): Promise<readonly Outcome[]> {
  const { args, shares } = await planDelivery(context, letter, addressees)
  const isEmpty = args.deliveries.length === 0 && args.messages.length === 0
  const results = isEmpty ? [] : (await context.store.mutate('acceptMessage', args)).deliveries
  const outcomes: Outcome[] = []
  const lost: Refused[] = []
  const reached: Addressee[] = []
  const expanded: Addressee[] = []
  for (const [index, addressee] of addressees.entries()) {
    const share = shares[index] as Share
    const failed = failuresOf(addressee, share, results)
    const isReached = share.isQueued || failed.length < share.deliveries.length
    if (!isReached) {
      outcomes.push({ kind: 'refused', reply: share.refusal ?? (failed[0] as Refused).reply })
      continue
    }
    outcomes.push({ kind: 'accepted' })
    lost.push(...failed)
    const isAlias = share.deliveries.length + (share.isQueued ? 1 : 0) > 1
    if (addressee.resolved.kind === 'accounts') (isAlias ? expanded : reached).push(addressee)
  }
  countOutcomes(context, results)
  if (lost.length > 0) await takeOver(context, letter, lost)
  await confirm(context, letter, 'delivered', reached)
  await confirm(context, letter, 'expanded', expanded)
  return outcomes
}

/**
 * Becomes responsible for what was refused after all: tries again later what is temporary, tells the sender of the rest. For SMTP, where one answer
 * stands for all recipients (RFC 5321 §4.2.5).
 */
export async function takeOver(
  context: DeliveryContext,
  letter: Letter,
  refused: readonly Refused[],
): Promise<void> {
  const later = refused.filter(({ reply }) => reply.code < 500)
  const never = refused.filter(({ reply }) => reply.code >= 500)
  const args = joinArgs(retries(context, letter, later), await failures(context, letter, never))
  if (args.deliveries.length > 0 || args.messages.length > 0)
    await context.store.mutate('acceptMessage', args)
}

function failuresOf(addressee: Addressee, share: Share, results: readonly Delivered[]): Refused[] {
  const failed: Refused[] = []
  for (const { index, address } of share.deliveries) {
    const result = results[index]
    if (result?.kind === 'failed') failed.push({ addressee, address, reply: storeRefusal(result.code).reply })
  }
  return failed
}

function retries(context: DeliveryContext, letter: Letter, refused: readonly Refused[]): AcceptMessage {
  if (refused.length === 0) return { deliveries: [], messages: [] }
  const recipients = refused.map(({ addressee, address }) =>
    localRetry(
      context,
      address ?? formatMailbox(addressee.recipient),
      addressee.notify === undefined ? null : addressee.notify.join(','),
      addressee.originalRecipient ?? null,
    ),
  )
  // The trace fields are in the body; only its Return-Path is written anew at the end.
  return { deliveries: [], messages: [{ ...queueEnvelope(context, letter), prefix: '', recipients }] }
}

async function failures(
  context: DeliveryContext,
  letter: Letter,
  refused: readonly Refused[],
): Promise<AcceptMessage> {
  const entries = refused
    .filter(({ addressee }) => wantsReport('failed', addressee.notify))
    .map(
      ({ addressee, reply }): ReportEntry => ({
        ...entryOf(addressee),
        status: reply.status ?? '5.0.0',
        diagnostic: `${reply.code} ${reply.status ?? ''} ${typeof reply.text === 'string' ? reply.text : reply.text.join(' ')}`,
      }),
    )
  return planReport(context, letter.id, 'failed', sourceOf(context, letter), entries)
}

async function confirm(
  context: DeliveryContext,
  letter: Letter,
  action: ReportAction,
  addressees: readonly Addressee[],
): Promise<void> {
  const entries = addressees
    .filter(({ notify }) => wantsReport(action, notify))
    .map((addressee): ReportEntry => ({ ...entryOf(addressee), status: '2.1.5' }))
  if (entries.length === 0) return
  const args = await planReport(context, letter.id, action, sourceOf(context, letter), entries)
  if (args.deliveries.length > 0 || args.messages.length > 0)
    await context.store.mutate('acceptMessage', args)
}

function entryOf({ recipient, originalRecipient }: Addressee) {
  return { address: formatMailbox(recipient), originalRecipient }
}

function sourceOf({ clock }: DeliveryContext, letter: Letter): ReportSource {
  return {
    mailFrom: letter.mailFrom === undefined ? '' : formatMailbox(letter.mailFrom),
    envelopeId: letter.envelopeId,
    arrivedAt: clock.now(),
    original: letter.bytes.subarray(letter.returnPathBytes),
    ret: letter.ret,
  }
}

function countOutcomes({ metrics }: DeliveryContext, results: readonly Delivered[]): void {
  for (const { kind } of results) metrics.count('deliveries_total', { outcome: kind })
}
