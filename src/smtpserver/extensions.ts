// The extensions that EHLO and LHLO announce. RFC 5321 §4.1.1.1.
import type { Session } from './session.ts'

export interface Extension {
  readonly keyword: string
  readonly rfc: string
  /** What stands behind the keyword; undefined when it is not offered now. */
  readonly parameters: (session: Session) => string | undefined
}

const always = () => ''

export const extensions: readonly Extension[] = [
  { keyword: 'PIPELINING', rfc: 'RFC 2920', parameters: always },
  {
    keyword: 'SIZE',
    rfc: 'RFC 1870',
    parameters: session => String(session.context.config.smtp.maxMessageBytes),
  },
  { keyword: '8BITMIME', rfc: 'RFC 6152', parameters: always },
  { keyword: 'SMTPUTF8', rfc: 'RFC 6531', parameters: always },
  { keyword: 'CHUNKING', rfc: 'RFC 3030', parameters: always },
  { keyword: 'BINARYMIME', rfc: 'RFC 3030', parameters: always },
  { keyword: 'DSN', rfc: 'RFC 3461', parameters: always },
  { keyword: 'ENHANCEDSTATUSCODES', rfc: 'RFC 2034', parameters: always },
  {
    keyword: 'STARTTLS',
    rfc: 'RFC 3207',
    parameters: ({ context, connection }) => (context.tls && !connection.secure ? '' : undefined),
  },
  {
    keyword: 'AUTH',
    rfc: 'RFC 4954',
    parameters: session => session.offeredMechanisms().join(' ') || undefined,
  },
]

/** The lines of an EHLO reply behind its first. */
export function announce(session: Session): readonly string[] {
  const lines: string[] = []
  for (const { keyword, parameters } of extensions) {
    const text = parameters(session)
    if (text !== undefined) lines.push(text === '' ? keyword : `${keyword} ${text}`)
  }
  return lines
}
