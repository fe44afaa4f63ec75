// EHLO. RFC 5321 §4.1.1.1, §4.1.4.
import { SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { command } from '../command.ts'
import { announce } from '../extensions.ts'

export const ehlo = command({
  name: 'EHLO',
  services: ['smtp', 'submission'],
  states: ['connected', 'idle', 'mail', 'chunking'],
  parse: parseClientName,
  run(session, helo) {
    session.greet({ helo, protocol: 'esmtp' })
    return { code: 250, text: [session.context.hostname, ...announce(session)] }
  },
})

/**
 * The name of the client. RFC 5321 §4.1.4 forbids refusing mail because the name is wrong, and many are (underscores, bare addresses): any word goes,
 * and `receivedField` writes only what is in the grammar.
 */
export function parseClientName(text: string): string {
  const name = text.trim()
  if (name === '') throw new SmtpSyntaxError('Say who you are')
  if (Buffer.byteLength(name) > 255) throw new SmtpSyntaxError('The name is too long')
  return name
}
