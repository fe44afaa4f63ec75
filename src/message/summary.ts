// What the store keeps of an email, worked out once when it arrives. RFC 9051 §7.5.2; RFC 5256; RFC 5957; RFC 8970.
import { setImmediate } from 'node:timers/promises'
import type { Address } from './address.ts'
import { writeBodyStructure } from './body-structure.ts'
import { decodeRaw } from './charset.ts'
import { parseDate } from './date.ts'
import { decodeWords } from './encoded-word.ts'
import { messageAddresses, writeEnvelope } from './envelope.ts'
import { unfold } from './header.ts'
import { parseMessageIds, threadReferences } from './message-id.ts'
import { collapseSpace } from './nstring.ts'
import { parseInSteps, parseMessage, type Part } from './part.ts'
import { hasAttachment, makePreview } from './preview.ts'
import { packParts } from './sections.ts'
import { parseBaseSubject } from './subject.ts'

/** How an address field sorts: by its first address, which may be a group (RFC 5256 §3, RFC 5957 §3). Empty strings where there is none. */
export interface AddressKeys {
  /** The local part as it stands: what SORT FROM, TO and CC compare. */
  readonly mailbox: string
  /** The decoded display name, or `mailbox@host` without one: what SORT DISPLAYFROM and DISPLAYTO compare. */
  readonly display: string
  /** `mailbox@host`; empty for a group. */
  readonly address: string
}

/** Plain values and Buffers only, so that it crosses threads as it is. */
export interface EmailSummary {
  readonly sizeBytes: number
  /** Of the top header block, with its blank line. */
  readonly headerBytes: number
  /** The parenthesised ENVELOPE as it goes to the wire. */
  readonly envelope: Buffer
  /** The parenthesised BODYSTRUCTURE with extension data, as it goes to the wire. */
  readonly bodyStructure: Buffer
  /** For `unpackParts`. */
  readonly parts: Buffer
  /** The Date field, in milliseconds since the epoch. */
  readonly sentAt: number | undefined
  /** The zone of the Date field in minutes east of Greenwich; 0 without one. */
  readonly sentZoneMinutes: number
  /** Without angle brackets, normalised; empty when there is none. */
  readonly messageId: string
  /** The ancestors that the message names, oldest first, as `messageId` (RFC 5256 §3). */
  readonly references: readonly string[]
  /** Decoded, on one line. */
  readonly subject: string
  /** RFC 5256 §2.1, in its own case. */
  readonly baseSubject: string
  /** The subject was that of an answer or a forwarded message (RFC 5256 §3, REFERENCES step 5). */
  readonly isReply: boolean
  readonly from: AddressKeys
  readonly to: AddressKeys
  readonly cc: AddressKeys
  /** At most 200 characters of the text (RFC 8970 §3.1). */
  readonly preview: string
  readonly hasAttachment: boolean
}

/** Sums up a message whose line ends are CRLF. Never throws; time linear in what is looked at. */
export function summarize(bytes: Buffer): EmailSummary {
  return summarizeParts(bytes, parseMessage(bytes))
}

/** The same for bytes that do not change meanwhile: others run between the steps of a large message. */
export async function summarizeInSteps(bytes: Buffer): Promise<EmailSummary> {
  const steps = parseInSteps(bytes)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return summarizeParts(bytes, step.value)
    await setImmediate()
  }
}

function summarizeParts(bytes: Buffer, root: Part): EmailSummary {
  const fields = root.message
  if (fields === undefined) throw new Error('a parsed message has no message fields')
  const addresses = messageAddresses(fields)
  const [envelope, bodyStructure, parts] = exactBuffers(
    writeEnvelope(fields, addresses),
    writeBodyStructure(root, true),
    packParts(root),
  )
  const sent = fields.date === undefined ? undefined : parseDate(unfold(fields.date))
  const subject =
    fields.subject === undefined ? '' : collapseSpace(decodeWords(collapseSpace(unfold(fields.subject))))
  const base = parseBaseSubject(subject)
  return {
    sizeBytes: bytes.length,
    headerBytes: root.bodyStart,
    envelope,
    bodyStructure,
    parts,
    sentAt: sent?.epochMs,
    sentZoneMinutes: sent?.zoneMinutes ?? 0,
    messageId: fields.messageId === undefined ? '' : (parseMessageIds(fields.messageId)[0] ?? ''),
    references: threadReferences(fields.references, fields.inReplyTo),
    subject,
    baseSubject: base.text,
    isReply: base.isReply,
    from: addressKeys(addresses.from),
    to: addressKeys(addresses.to),
    cc: addressKeys(addresses.cc),
    preview: makePreview(bytes, root),
    hasAttachment: hasAttachment(root),
  }
}

/** Three views of one allocation of exactly their size: a pooled Buffer would take its whole pool along to another thread. */
function exactBuffers(first: string, second: string, third: string): [Buffer, Buffer, Buffer] {
  const all = Buffer.allocUnsafeSlow(first.length + second.length + third.length)
  const firstEnd = all.write(first, 0, 'latin1')
  const secondEnd = firstEnd + all.write(second, firstEnd, 'latin1')
  all.write(third, secondEnd, 'latin1')
  return [all.subarray(0, firstEnd), all.subarray(firstEnd, secondEnd), all.subarray(secondEnd)]
}

const NO_KEYS: AddressKeys = { mailbox: '', display: '', address: '' }

function addressKeys(list: readonly Address[]): AddressKeys {
  const [first] = list
  if (first === undefined || first.kind === 'groupEnd') return NO_KEYS
  if (first.kind === 'groupStart') {
    // RFC 5957 §3: a group is an address with a mailbox and no host.
    const name = decodeWords(first.name)
    return { mailbox: name, display: name, address: '' }
  }
  // RFC 2047 §5: no encoded words in an address, where they would show another one than mail goes to.
  const mailbox = decodeRaw(first.mailbox ?? '')
  const domain = decodeRaw(first.domain ?? '')
  const address = domain === '' ? mailbox : `${mailbox}@${domain}`
  const name = first.name === undefined ? '' : collapseSpace(decodeWords(collapseSpace(first.name)))
  return { mailbox, display: name === '' ? address : name, address }
}
