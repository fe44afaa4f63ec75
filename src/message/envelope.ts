// ENVELOPE for the wire. RFC 9051 §7.5.2 (envelope).
import { parseAddresses, type Address } from './address.ts'
import { limits } from '../base/limits.ts'
import { unfold } from './header.ts'
import { collapseSpace, wireNstring, wireString } from './nstring.ts'
import type { MessageFields } from './part-fields.ts'

/** The address lists of a message, parsed once. */
export interface MessageAddresses {
  readonly from: readonly Address[]
  readonly sender: readonly Address[]
  readonly replyTo: readonly Address[]
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly bcc: readonly Address[]
}

/** Parses all the address fields of a message. Fields of one name are one list. */
export function messageAddresses(fields: MessageFields): MessageAddresses {
  return {
    from: listOf(fields.from),
    sender: listOf(fields.sender),
    replyTo: listOf(fields.replyTo),
    to: listOf(fields.to),
    cc: listOf(fields.cc),
    bcc: listOf(fields.bcc),
  }
}

function listOf(values: readonly string[]): Address[] {
  const [first] = values
  if (first === undefined) return []
  const list = parseAddresses(first)
  for (let index = 1; index < values.length && list.length < limits.message.addresses; index++) {
    for (const address of parseAddresses(values[index] ?? '')) list.push(address)
  }
  return list
}

/** The parenthesised ENVELOPE, as Latin-1 text. */
export function writeEnvelope(fields: MessageFields, addresses: MessageAddresses): string {
  const from = wireAddresses(addresses.from)
  return `(${[
    wireNstring(line(fields.date)),
    fields.subject === undefined ? 'NIL' : wireString(collapseSpace(unfold(fields.subject))),
    from,
    // RFC 9051 §7.5.2: a missing or empty Sender or Reply-To is the From.
    addresses.sender.length === 0 ? from : wireAddresses(addresses.sender),
    addresses.replyTo.length === 0 ? from : wireAddresses(addresses.replyTo),
    wireAddresses(addresses.to),
    wireAddresses(addresses.cc),
    wireAddresses(addresses.bcc),
    wireNstring(line(fields.inReplyTo)),
    wireNstring(line(fields.messageId)),
  ].join(' ')})`
}

function line(value: string | undefined): string | undefined {
  return value === undefined ? undefined : unfold(value)
}

function wireAddresses(list: readonly Address[]): string {
  if (list.length === 0) return 'NIL'
  const out: string[] = ['(']
  for (const address of list) {
    if (address.kind === 'groupStart') out.push(`(NIL NIL ${wireString(address.name)} NIL)`)
    else if (address.kind === 'groupEnd') out.push('(NIL NIL NIL NIL)')
    else {
      const name = address.name === undefined ? 'NIL' : wireString(collapseSpace(address.name))
      // RFC 9051 §7.5.2: NIL as the mailbox or host would mean a group, so what is missing gets a name of its own.
      const mailbox = wireString(address.mailbox ?? 'MISSING_MAILBOX')
      const host = wireString(address.isBroken ? 'SYNTAX_ERROR' : (address.domain ?? 'MISSING_DOMAIN'))
      out.push(`(${name} ${wireNstring(address.route)} ${mailbox} ${host})`)
    }
  }
  out.push(')')
  return out.join('')
}
