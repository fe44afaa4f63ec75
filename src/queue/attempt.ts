// One attempt at one message for one domain: sends it or delivers it here, writes down what came of it, reports. RFC 5321 §4.5.4.1, §6.1; RFC 3461 §5.2; RFC 3464.
//
// Invariants:
// - What an attempt came to and the reports that follow from it are one transaction. A crash before it repeats the attempt: a message may come twice, it is never lost.
// - Nothing is reported about a report (its sender is null).
import { resolveRecipient } from '../account/resolve-recipient.ts'
import { deliver } from '../delivery/deliver.ts'
import type { Addressee, Letter } from '../delivery/letter.ts'
import { joinArgs, planReport, wantsReport } from '../delivery/report.ts'
import type { ReportAction, ReportEntry, ReportSource } from '../delivery/report-message.ts'
import { parseMailbox } from '../smtp/mailbox.ts'
import type { NotifyEvent } from '../smtp/parameters.ts'
import { returnPathField } from '../smtp/trace.ts'
import type { OutgoingMessage, Verdict } from '../smtpclient/outgoing.ts'
import type { Sender } from '../smtpclient/sender.ts'
import type { AcceptMessage } from '../store/mutations/accept-message.ts'
import { serverAccount } from '../store/mutations/enqueue-messages.ts'
import type { QueueJob } from '../store/mutations/lease-queue.ts'
import type { AttemptResult } from '../store/mutations/record-attempt.ts'
import type { QueueMessage, QueueRecipient } from '../store/queue-message.ts'
import { findQueueMessage } from '../store/read/queue.ts'
import type { QueueContext } from './context.ts'
import { retryDelayMs } from './schedule.ts'

/** What became of one recipient. */
interface Tried {
  readonly recipient: QueueRecipient
  readonly verdict: Verdict
  readonly result: AttemptResult
  /** Reported already by local delivery. */
  readonly isReported: boolean
}

/** Bytes that are read of the body at a time. */
const pieceBytes = 256 * 1024

/** Throws `StoreError` when the store fails: the lease then runs out and the job comes again. */
export async function attempt(
  context: QueueContext,
  sender: Sender,
  lease: string,
  job: QueueJob,
): Promise<void> {
  const message = await findQueueMessage(context.store.reader, job.message)
  if (!message) return
  const wanted = new Set(job.recipients)
  const recipients = message.recipients.filter(({ id, state }) => wanted.has(id) && state === 'waiting')
  if (recipients.length === 0) return
  const local = await resolveLocal(context, recipients)
  const remote = recipients.filter(recipient => !local.some(({ id }) => id === recipient.id))
  const tried = [
    ...(await deliverHere(context, message, local)),
    ...(await sendAway(context, sender, job.domain, message, remote)),
  ]
  await record(context, lease, message, tried)
}

type LocalRecipient = QueueRecipient & { readonly addressee: Addressee }

/** Recipients that are ours: a forward that leads back here, a domain that has become ours, a mailbox that was full. */
async function resolveLocal(
  { store, directory }: QueueContext,
  recipients: readonly QueueRecipient[],
): Promise<readonly LocalRecipient[]> {
  const local: LocalRecipient[] = []
  for (const recipient of recipients) {
    const resolved = await resolveRecipient(store.reader, recipient.address, directory.config.addressing)
    if (resolved.kind === 'relay' && recipient.domain !== '') continue
    const notify = parseNotify(recipient.notify)
    const addressee: Addressee = {
      recipient: parseMailbox(recipient.address),
      resolved: resolved.kind === 'relay' ? { kind: 'unknown' } : resolved,
      ...(notify && { notify }),
      ...(recipient.originalRecipient !== null && { originalRecipient: recipient.originalRecipient }),
    }
    local.push({ ...recipient, addressee })
  }
  return local
}

async function deliverHere(
  context: QueueContext,
  message: QueueMessage,
  recipients: readonly LocalRecipient[],
): Promise<readonly Tried[]> {
  if (recipients.length === 0) return []
  const letter = await letterOf(context, message)
  const outcomes = await deliver(
    context,
    letter,
    recipients.map(({ addressee }) => addressee),
  )
  return recipients.map((recipient, index) => {
    const outcome = outcomes[index]
    const reply =
      outcome?.kind === 'refused' ? outcome.reply : { code: 250, status: '2.1.5', text: 'delivered here' }
    const verdict: Verdict = {
      kind: reply.code < 300 ? 'delivered' : reply.code < 500 ? 'later' : 'failed',
      code: reply.code,
      status: reply.status ?? '',
      text: typeof reply.text === 'string' ? reply.text : reply.text.join(' '),
      host: '',
    }
    return settle(context, message, recipient, verdict, true)
  })
}

async function sendAway(
  context: QueueContext,
  sender: Sender,
  domain: string,
  message: QueueMessage,
  recipients: readonly QueueRecipient[],
): Promise<readonly Tried[]> {
  if (recipients.length === 0) return []
  const verdicts = await sender.send(
    domain,
    outgoing(context, message),
    recipients.map(({ address, notify, originalRecipient }) => ({
      address,
      notify: notify ?? undefined,
      originalRecipient: originalRecipient ?? undefined,
    })),
  )
  return recipients.map((recipient, index) =>
    settle(context, message, recipient, verdicts[index] as Verdict, false),
  )
}

/** Turns a verdict into what is written down: when it comes again, or that it is given up. */
function settle(
  context: QueueContext,
  message: QueueMessage,
  recipient: QueueRecipient,
  verdict: Verdict,
  isReported: boolean,
): Tried {
  const { clock, config, random = Math.random } = context
  const { host, code, status, text } = verdict
  const reply = { host, code, status, text }
  const base = { recipient: recipient.id, reply }
  const now = clock.now()
  if (verdict.kind !== 'later')
    return {
      recipient,
      verdict,
      result: { ...base, kind: verdict.kind },
      isReported: isReported && verdict.kind === 'delivered',
    }
  if (now >= message.expiresAt)
    return { recipient, verdict, result: { ...base, kind: 'failed' }, isReported: false }
  const dueAt = Math.min(now + retryDelayMs(config.queue, recipient.attempts + 1, random), message.expiresAt)
  const isDelayReported = recipient.isDelayReported || isLate(context, message)
  return { recipient, verdict, result: { ...base, kind: 'later', dueAt, isDelayReported }, isReported: false }
}

function isLate({ clock, config }: QueueContext, message: QueueMessage): boolean {
  const { delayNoticeHours } = config.queue
  return delayNoticeHours !== null && clock.now() - message.createdAt >= delayNoticeHours * 3_600_000
}

async function record(
  context: QueueContext,
  lease: string,
  message: QueueMessage,
  tried: readonly Tried[],
): Promise<void> {
  let current = tried
  while (current.length > 0) {
    const { stale } = await context.store.mutate('recordAttempt', {
      message: message.id,
      lease,
      results: current.map(({ result }) => result),
      ...(await reports(context, message, current)),
    })
    if (stale.length === 0) break
    current = current.filter(({ recipient }) => !stale.includes(recipient.id))
  }
  for (const { recipient, result, verdict } of current) {
    context.metrics.count('queue_attempts_total', { outcome: result.kind })
    context.log.info(
      {
        message: message.id,
        recipient: recipient.id,
        domain: recipient.domain,
        outcome: result.kind,
        host: verdict.host,
        code: verdict.code,
        status: verdict.status,
        text: verdict.text,
      },
      'delivery attempt',
    )
  }
}

/** The reports that follow, as work for the store. */
async function reports(
  context: QueueContext,
  message: QueueMessage,
  tried: readonly Tried[],
): Promise<AcceptMessage> {
  const groups: readonly (readonly [ReportAction, (one: Tried) => boolean])[] = [
    ['failed', ({ result }) => result.kind === 'failed'],
    [
      'delayed',
      ({ result, recipient }) =>
        result.kind === 'later' && result.isDelayReported && !recipient.isDelayReported,
    ],
    // RFC 3461 §5.2.2: a server without DSN will say nothing, so that it went there is all that can be said.
    [
      'relayed',
      ({ result, verdict, isReported }) =>
        result.kind === 'delivered' && !isReported && verdict.hasDsn !== true,
    ],
  ]
  let args: AcceptMessage = { deliveries: [], messages: [] }
  let source: ReportSource | undefined
  for (const [action, belongs] of groups) {
    const entries = tried
      .filter(one => belongs(one) && wantsReport(action, parseNotify(one.recipient.notify)))
      .map(one => entryOf(context, message, one))
    if (entries.length === 0 || message.mailFrom === '') continue
    source ??= await sourceOf(context, message)
    args = joinArgs(args, await planReport(context, `q${message.id}`, action, source, entries))
  }
  return args
}

function entryOf(
  { clock }: QueueContext,
  message: QueueMessage,
  { recipient, verdict, result }: Tried,
): ReportEntry {
  const isExpired = result.kind === 'failed' && verdict.kind === 'later'
  return {
    address: recipient.address,
    originalRecipient: recipient.originalRecipient ?? undefined,
    // RFC 3463 §3.5: 4.4.7 became final.
    status: isExpired ? '5.4.7' : verdict.kind === 'delivered' ? '2.1.9' : verdict.status,
    remoteHost: verdict.host === '' ? undefined : verdict.host,
    diagnostic: verdict.code === 0 ? verdict.text : `${verdict.code} ${verdict.status} ${verdict.text}`,
    lastAttemptAt: clock.now(),
    ...(result.kind === 'later' && { retryUntil: message.expiresAt }),
  }
}

async function sourceOf(context: QueueContext, message: QueueMessage): Promise<ReportSource> {
  return {
    mailFrom: message.mailFrom,
    envelopeId: message.envelopeId ?? undefined,
    arrivedAt: message.createdAt,
    original: await contentOf(context, message),
    ret: message.ret ?? undefined,
  }
}

/** What is sent: the prefix, and the body behind its Return-Path. */
async function contentOf({ store }: QueueContext, message: QueueMessage): Promise<Buffer> {
  const body = await store.readBody(serverAccount, message.hash, message.skipBytes)
  return message.prefix === '' ? body : Buffer.concat([Buffer.from(message.prefix), body])
}

async function letterOf(context: QueueContext, message: QueueMessage): Promise<Letter> {
  const mailFrom = message.mailFrom === '' ? undefined : parseMailbox(message.mailFrom)
  const returnPath = Buffer.from(returnPathField(mailFrom))
  const bytes = Buffer.concat([returnPath, await contentOf(context, message)])
  return {
    id: `q${message.id}`,
    body: context.store.bodyOf(bytes),
    bytes,
    returnPathBytes: returnPath.length,
    mailFrom,
    bodyType: message.bodyType,
    smtpUtf8: message.smtpUtf8,
    ret: message.ret ?? undefined,
    envelopeId: message.envelopeId ?? undefined,
    submitter: undefined,
  }
}

function outgoing({ store }: QueueContext, message: QueueMessage): OutgoingMessage {
  const { hash, skipBytes, bodyBytes, prefix } = message
  const prefixBytes = Buffer.from(prefix)
  return {
    mailFrom: message.mailFrom,
    bodyType: message.bodyType,
    smtpUtf8: message.smtpUtf8,
    ret: message.ret ?? undefined,
    envelopeId: message.envelopeId ?? undefined,
    sizeBytes: prefixBytes.length + bodyBytes - skipBytes,
    async *read() {
      if (prefixBytes.length > 0) yield prefixBytes
      for (let start = skipBytes; start < bodyBytes; start += pieceBytes)
        yield await store.readBody(serverAccount, hash, start, Math.min(bodyBytes, start + pieceBytes))
    },
  }
}

function parseNotify(notify: string | null): readonly NotifyEvent[] | undefined {
  if (notify === null) return undefined
  return notify.split(',').filter((event): event is NotifyEvent => event !== '')
}
