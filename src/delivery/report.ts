// Decides who is told of what, and puts the report on its way. RFC 3461 §5.2; RFC 5321 §6.1 (never a report about a report).
import { resolveRecipient } from '../account/resolve-recipient.ts'
import { isAscii, parseMailbox } from '../smtp/mailbox.ts'
import { returnPathField } from '../smtp/trace.ts'
import type { AcceptMessage, DeliveryRetry } from '../store/mutations/accept-message.ts'
import type { DeliveryContext } from './context.ts'
import type { Letter } from './letter.ts'
import { localRetry, planDelivery, queueEnvelope, type Share } from './plan.ts'
import { composeReport, type ReportAction, type ReportEntry, type ReportSource } from './report-message.ts'

/** Whether the sender wants to hear of this. `notify` is RFC 3461's: undefined when nothing was said, empty for NEVER. */
export function wantsReport(action: ReportAction, notify: readonly string[] | undefined): boolean {
  switch (action) {
    // RFC 3461 §5.2.6.
    case 'failed':
      return notify?.includes('FAILURE') ?? true
    // RFC 3461 §5.2.5.
    case 'delayed':
      return notify?.includes('DELAY') ?? true
    // RFC 3461 §5.2.3, §5.2.2.
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return notify?.includes('SUCCESS') ?? false
  }
}

/** What the store must do to report; nothing for the null sender, or one whose address leads nowhere. */
export async function planReport(
  context: DeliveryContext,
  id: string,
  action: ReportAction,
  source: ReportSource,
  entries: readonly ReportEntry[],
): Promise<AcceptMessage> {
  const nothing: AcceptMessage = { deliveries: [], messages: [] }
  if (entries.length === 0) return nothing
  if (source.mailFrom === '') {
    context.log.info({ id, action, recipients: entries.length }, 'no report: the sender is null')
    return nothing
  }
  const { store, directory, clock, hostname, config, log } = context
  const atMs = clock.now()
  const recipient = parseMailbox(source.mailFrom)
  const resolved = await resolveRecipient(store.reader, source.mailFrom, directory.config.addressing)
  if (resolved.kind === 'unknown') {
    log.info({ id, action }, 'no report: the sender does not exist')
    return nothing
  }
  const returnPath = returnPathField(undefined)
  const report = composeReport(
    { hostname, atMs, id: `${action}.${id}.${atMs.toString(36)}`, returnedBytes: config.queue.returnedBytes },
    action,
    source,
    entries,
  )
  const bytes = Buffer.concat([Buffer.from(returnPath), report])
  const letter: Letter = {
    id: `${action}.${id}`,
    body: store.bodyOf(bytes),
    bytes,
    returnPathBytes: returnPath.length,
    mailFrom: undefined,
    bodyType: '8BITMIME',
    smtpUtf8: !isAscii(source.mailFrom),
    ret: undefined,
    envelopeId: undefined,
    submitter: undefined,
  }
  // RFC 3461 §6.1: a report asks for none itself.
  const { args, shares } = await planDelivery(context, letter, [{ recipient, resolved, notify: [] }])
  context.metrics.count('smtp_reports_total', { action })
  return { ...args, retries: retriesOf(context, letter, shares) }
}

/** A report about a report is never made, so one that a full mailbox does not take waits until it does. */
function retriesOf(
  context: DeliveryContext,
  letter: Letter,
  shares: readonly Share[],
): readonly DeliveryRetry[] {
  const deliveries = shares.flatMap(share => share.deliveries)
  if (deliveries.length === 0) return []
  const envelope = queueEnvelope(context, letter)
  return deliveries.map(({ index, address }) => ({
    delivery: index,
    message: { ...envelope, prefix: '', recipients: [localRetry(context, address, '', null)] },
  }))
}

/** Both of two things in one transaction. */
export function joinArgs(one: AcceptMessage, other: AcceptMessage): AcceptMessage {
  const shift = one.deliveries.length
  return {
    deliveries: [...one.deliveries, ...other.deliveries],
    messages: [...one.messages, ...other.messages],
    retries: [
      ...(one.retries ?? []),
      ...(other.retries ?? []).map(retry => ({ ...retry, delivery: retry.delivery + shift })),
    ],
  }
}
