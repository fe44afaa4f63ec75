// Mends the header of a submitted message. RFC 6409 §8; RFC 5322 §3.6; RFC 5321 §4.4 (no Return-Path from an originating system).
import { fieldsOf } from '../message/header.ts'
import { formatMailbox } from '../smtp/mailbox.ts'
import { formatDate } from '../smtp/trace.ts'
import type { Session } from './session.ts'

/** Fields that do not travel: who they name must not be seen by others (RFC 5322 §3.6.3), or they are not the sender's to write. */
const removed = new Set(['bcc', 'resent-bcc', 'return-path'])

/** `header` with its blank line, if it has one; the same with what is missing, without what must not be there, and with a blank line. */
export function fixHeader(session: Session, header: Buffer): Buffer {
  const text = header.toString('latin1')
  const kept: string[] = []
  const names = new Set<string>()
  let end = 0
  for (const { name, start, end: fieldEnd } of fieldsOf(text)) {
    // A line that is no field ends the header: the sender forgot the blank line.
    if (name === '') break
    names.add(name)
    end = fieldEnd
    if (!removed.has(name)) kept.push(text.slice(start, fieldEnd))
  }
  const rest = text.slice(end)
  // RFC 6409 §8.2, §8.3.
  const added = missingFields(session).flatMap(([name, value]) =>
    names.has(name.toLowerCase()) ? [] : [`${name}: ${value}\r\n`],
  )
  return Buffer.concat([
    Buffer.from(added.join('')),
    Buffer.from(kept.join(''), 'latin1'),
    Buffer.from(rest.startsWith('\r\n') ? rest : `\r\n${rest}`, 'latin1'),
  ])
}

function missingFields(session: Session): readonly (readonly [string, string])[] {
  const { context, state, identity } = session
  const now = context.clock.now()
  const id =
    state.state === 'mail' || state.state === 'chunking' ? state.transaction.id : session.connection.id
  const from =
    state.state === 'mail' || state.state === 'chunking'
      ? (identity?.address ?? (state.transaction.mailFrom && formatMailbox(state.transaction.mailFrom)))
      : undefined
  return [
    ['Date', formatDate(now)],
    ['Message-ID', `<${id}.${now.toString(36)}@${context.hostname}>`],
    ['From', `<${from ?? `postmaster@${context.hostname}`}>`],
  ]
}
