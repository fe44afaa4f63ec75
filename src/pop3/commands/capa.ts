// CAPA. RFC 2449 §5, §6; RFC 2595 §4 (STLS); RFC 3206 §6 (AUTH-RESP-CODE); RFC 6856 §2, §3.
import { mechanisms } from '../../account/authenticate.ts'
import { noArguments } from '../arguments.ts'
import { command } from '../command.ts'
import type { Session } from '../session.ts'

interface Capability {
  readonly tag: string
  /** Its arguments; undefined while it is not offered. */
  readonly offer: (session: Session) => string | undefined
}

/** RFC 2449 §5: what is announced before log-in is announced after it too; only STLS is of the state. */
const capabilities: readonly Capability[] = [
  { tag: 'TOP', offer: () => '' },
  { tag: 'UIDL', offer: () => '' },
  // RFC 2449 §6.2: also where it is not available to all; but not where the connection forbids it.
  { tag: 'USER', offer: session => (session.context.login.mayReveal(session.peer) ? '' : undefined) },
  {
    tag: 'SASL',
    offer: session => mechanisms(session.context.login, session.peer).join(' ') || undefined,
  },
  { tag: 'RESP-CODES', offer: () => '' },
  { tag: 'AUTH-RESP-CODE', offer: () => '' },
  { tag: 'PIPELINING', offer: () => '' },
  { tag: 'STLS', offer: session => (isStlsPossible(session) ? '' : undefined) },
  { tag: 'EXPIRE', offer: expire },
  {
    tag: 'LOGIN-DELAY',
    offer: ({ context }) => {
      const seconds = context.config.pop3.loginDelaySeconds
      return seconds > 0 ? String(seconds) : undefined
    },
  },
  { tag: 'UTF8', offer: () => 'USER' },
  { tag: 'LANG', offer: () => '' },
  { tag: 'IMPLEMENTATION', offer: () => 'Restante' },
]

export const capa = command({
  name: 'CAPA',
  state: 'any',
  parse: noArguments,
  run(session) {
    session.ok(texts => texts.capabilities)
    const lines: string[] = []
    for (const { tag, offer } of capabilities) {
      const args = offer(session)
      if (args !== undefined) lines.push(args === '' ? tag : `${tag} ${args}`)
    }
    session.connection.write([...lines, '.', ''].join('\r\n'))
  },
})

/** RFC 2595 §4: announced where it is permitted now. */
function isStlsPossible({ state, connection, context, isUtf8 }: Session): boolean {
  return state.kind === 'authorization' && !connection.secure && context.tls !== undefined && !isUtf8
}

function expire({ context }: Session): string {
  const { deleteAfterRetrieval, expireDays } = context.config.pop3
  if (deleteAfterRetrieval) return '0'
  return expireDays === null ? 'NEVER' : String(expireDays)
}
