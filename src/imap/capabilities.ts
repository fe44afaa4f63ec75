// What the server says it can do. RFC 9051 §6.1.1. A test holds this table against the commands and items that are registered.
import { mechanisms } from '../account/authenticate.ts'
import type { ImapContext, Session } from './session.ts'

/** When a capability is announced. */
type Announced = 'always' | 'notAuthenticated' | 'authenticated'

export interface Capability {
  readonly name: string | ((session: Session) => readonly string[])
  /** How `docs/imap.md` calls it where the name depends on the session. */
  readonly title?: string
  readonly rfc: string
  readonly from: Announced
  /** Commands that exist because of it. */
  readonly commands?: readonly string[]
  /** Whether this server announces it, where that depends on more than the state. See `kindOf` for what it may depend on. */
  readonly isOn?: (session: Session) => boolean
  /** Whether ENABLE takes it (RFC 5161). */
  readonly enable?: true
}

export const capabilities: readonly Capability[] = [
  { name: 'IMAP4rev1', rfc: '3501', from: 'always', commands: ['LSUB', 'CHECK'] },
  { name: 'IMAP4rev2', rfc: '9051', from: 'always', enable: true },
  {
    name: 'STARTTLS',
    rfc: '9051',
    from: 'notAuthenticated',
    commands: ['STARTTLS'],
    isOn: session => !session.connection.secure && session.context.tls !== undefined,
  },
  { name: 'LOGINDISABLED', rfc: '9051', from: 'notAuthenticated', isOn: isLoginDisabled },
  {
    title: 'AUTH=',
    name: session => mechanisms(session.context.login, session.peer).map(name => `AUTH=${name}`),
    rfc: '9051',
    from: 'notAuthenticated',
    commands: ['AUTHENTICATE'],
  },
  { name: 'SASL-IR', rfc: '4959', from: 'always' },
  { name: 'LITERAL+', rfc: '7888', from: 'always' },
  { name: 'ENABLE', rfc: '5161', from: 'always', commands: ['ENABLE'] },
  { name: 'ID', rfc: '2971', from: 'always', commands: ['ID'] },
  { name: 'NAMESPACE', rfc: '2342', from: 'authenticated', commands: ['NAMESPACE'] },
  { name: 'UNSELECT', rfc: '3691', from: 'authenticated', commands: ['UNSELECT'] },
  { name: 'CHILDREN', rfc: '3348', from: 'authenticated' },
  { name: 'IDLE', rfc: '2177', from: 'authenticated', commands: ['IDLE'] },
  { name: 'UIDPLUS', rfc: '4315', from: 'authenticated', commands: ['UID EXPUNGE'] },
  { name: 'MOVE', rfc: '6851', from: 'authenticated', commands: ['MOVE', 'UID MOVE'] },
  { name: 'MULTIAPPEND', rfc: '3502', from: 'authenticated' },
  {
    title: 'APPENDLIMIT=',
    name: session => [`APPENDLIMIT=${session.context.config.imap.messageBytes}`],
    rfc: '7889',
    from: 'authenticated',
  },
  { name: 'CONDSTORE', rfc: '7162', from: 'authenticated', isOn: hasQuickFlags, enable: true },
  { name: 'QRESYNC', rfc: '7162', from: 'authenticated', isOn: hasQuickFlags, enable: true },
  { name: 'ESEARCH', rfc: '4731', from: 'authenticated' },
  { name: 'SEARCHRES', rfc: '5182', from: 'authenticated' },
  { name: 'SEARCH=FUZZY', rfc: '6203', from: 'authenticated' },
  { name: 'SORT', rfc: '5256', from: 'authenticated', commands: ['SORT', 'UID SORT'] },
  { name: 'SORT=DISPLAY', rfc: '5957', from: 'authenticated' },
  { name: 'ESORT', rfc: '5267', from: 'authenticated' },
  {
    name: 'THREAD=ORDEREDSUBJECT',
    rfc: '5256',
    from: 'authenticated',
    commands: ['THREAD', 'UID THREAD'],
  },
  { name: 'THREAD=REFERENCES', rfc: '5256', from: 'authenticated' },
  { name: 'THREAD=REFS', rfc: 'vendor', from: 'authenticated' },
  { name: 'PARTIAL', rfc: '9394', from: 'authenticated' },
  { name: 'CONTEXT=SEARCH', rfc: '5267', from: 'authenticated', commands: ['CANCELUPDATE'] },
  { name: 'CONTEXT=SORT', rfc: '5267', from: 'authenticated' },
  { name: 'MULTISEARCH', rfc: '7377', from: 'authenticated', commands: ['ESEARCH'] },
  { name: 'FILTERS', rfc: '5466', from: 'authenticated' },
  { name: 'WITHIN', rfc: '5032', from: 'authenticated' },
  { name: 'LIST-EXTENDED', rfc: '5258', from: 'authenticated' },
  { name: 'LIST-STATUS', rfc: '5819', from: 'authenticated' },
  { name: 'STATUS=SIZE', rfc: '8438', from: 'authenticated' },
  { name: 'SPECIAL-USE', rfc: '6154', from: 'authenticated' },
  { name: 'CREATE-SPECIAL-USE', rfc: '6154', from: 'authenticated' },
  {
    name: 'CONVERT',
    rfc: '5259',
    from: 'authenticated',
    commands: ['CONVERT', 'UID CONVERT', 'CONVERSIONS'],
  },
  { name: 'SAVEDATE', rfc: '8514', from: 'authenticated' },
  { name: 'OBJECTID', rfc: '8474', from: 'authenticated' },
  { name: 'BINARY', rfc: '3516', from: 'authenticated' },
  { name: 'UTF8=ACCEPT', rfc: '6855', from: 'authenticated', enable: true },
  { name: 'CATENATE', rfc: '4469', from: 'authenticated' },
  { name: 'URL-PARTIAL', rfc: '5550', from: 'authenticated' },
  { name: 'REPLACE', rfc: '8508', from: 'authenticated', commands: ['REPLACE', 'UID REPLACE'] },
  { name: 'INPROGRESS', rfc: '9585', from: 'authenticated' },
  { name: 'URLAUTH', rfc: '4467', from: 'authenticated', commands: ['GENURLAUTH', 'RESETKEY', 'URLFETCH'] },
  { name: 'URLAUTH=BINARY', rfc: '5524', from: 'authenticated' },
  { name: 'QUOTA', rfc: '9208', from: 'authenticated', commands: ['GETQUOTA', 'GETQUOTAROOT'] },
  { name: 'QUOTA=RES-STORAGE', rfc: '9208', from: 'authenticated' },
  { name: 'QUOTA=RES-MESSAGE', rfc: '9208', from: 'authenticated' },
  { name: 'QUOTA=RES-MAILBOX', rfc: '9208', from: 'authenticated' },
  { name: 'QUOTA=RES-ANNOTATION-STORAGE', rfc: '9208', from: 'authenticated' },
  {
    name: 'QUOTASET',
    rfc: '9208',
    from: 'authenticated',
    commands: ['SETQUOTA'],
    isOn: session => session.identity.isAdmin,
  },
  {
    name: 'METADATA',
    rfc: '5464',
    from: 'authenticated',
    commands: ['GETMETADATA', 'SETMETADATA'],
    enable: true,
  },
  { name: 'METADATA-SERVER', rfc: '5464', from: 'authenticated', enable: true },
  {
    name: 'ACL',
    rfc: '4314',
    from: 'authenticated',
    commands: ['SETACL', 'DELETEACL', 'GETACL', 'LISTRIGHTS', 'MYRIGHTS'],
  },
  { name: 'RIGHTS=texkn', rfc: '4314', from: 'authenticated' },
  { name: 'LIST-MYRIGHTS', rfc: '8440', from: 'authenticated' },
  { name: 'LIST-METADATA', rfc: '9590', from: 'authenticated' },
  { name: 'ANNOTATE-EXPERIMENT-1', rfc: '5257', from: 'authenticated' },
  { name: 'NOTIFY', rfc: '5465', from: 'authenticated', commands: ['NOTIFY'] },
  {
    name: 'JMAPACCESS',
    rfc: '9698',
    from: 'authenticated',
    commands: ['GETJMAPACCESS'],
    isOn: session => session.context.config.imap.jmapUrl !== undefined,
  },
  { name: 'UIDONLY', rfc: '9586', from: 'authenticated', enable: true },
  { name: 'UIDBATCHES', rfc: '10022', from: 'authenticated', commands: ['UIDBATCHES'] },
  {
    title: 'MESSAGELIMIT=',
    name: session => [`MESSAGELIMIT=${session.context.config.imap.messageLimit}`],
    rfc: '9738',
    from: 'authenticated',
    isOn: session => session.context.config.imap.messageLimit !== null,
  },
  {
    title: 'SAVELIMIT=',
    name: session => [`SAVELIMIT=${session.context.config.imap.saveLimit}`],
    rfc: '9738',
    from: 'authenticated',
    isOn: ({ context: { config } }) => config.imap.messageLimit === null && config.imap.saveLimit !== null,
  },
  { name: 'I18NLEVEL=1', rfc: '5255', from: 'authenticated' },
  { name: 'I18NLEVEL=2', rfc: '5255', from: 'authenticated', commands: ['COMPARATOR'] },
  { name: 'LANGUAGE', rfc: '5255', from: 'always', commands: ['LANGUAGE'] },
  {
    name: 'X-GM-EXT-1',
    rfc: 'vendor',
    from: 'authenticated',
    isOn: session => session.context.config.imap.gmail,
  },
  { name: 'XLIST', rfc: 'vendor', from: 'authenticated', commands: ['XLIST'] },
  { name: 'PREVIEW', rfc: '8970', from: 'authenticated' },
  { name: 'COMPRESS=DEFLATE', rfc: '4978', from: 'authenticated', commands: ['COMPRESS'] },
  { name: 'UNAUTHENTICATE', rfc: '8437', from: 'authenticated', commands: ['UNAUTHENTICATE'] },
]

/** The names to announce in the session's present state, with spaces between. */
export function announcedCapabilities(session: Session): string {
  const kind = kindOf(session)
  if (kind === undefined) return namesOf(session).join(' ')
  let known = texts.get(session.context)
  if (!known) texts.set(session.context, (known = new Map()))
  let text = known.get(kind)
  if (text === undefined) known.set(kind, (text = namesOf(session).join(' ')))
  return text
}

/** Said in each greeting and at each log-in, so kept by the kind of the session. */
const texts = new WeakMap<ImapContext, Map<Kind, string>>()

type Kind = 'administrator' | 'user' | 'loopback' | 'stranger'

/** Sessions of one context and one kind are told the same. With TLS it is the handshake that decides how a client may log in. */
function kindOf({ connection, state }: Session): Kind | undefined {
  if (state.kind === 'authenticated' || state.kind === 'selected')
    return state.identity.isAdmin ? 'administrator' : 'user'
  if (connection.secure) return undefined
  return connection.isLoopback ? 'loopback' : 'stranger'
}

function namesOf(session: Session): readonly string[] {
  const isLoggedIn = session.state.kind === 'authenticated' || session.state.kind === 'selected'
  const names: string[] = []
  for (const { name, from, isOn } of capabilities) {
    if (from === 'notAuthenticated' && isLoggedIn) continue
    if (from === 'authenticated' && !isLoggedIn) continue
    if (isOn && !isOn(session)) continue
    if (typeof name === 'string') names.push(name)
    else names.push(...name(session))
  }
  return names
}

/** Whether LOGIN is refused: the line can be listened to (RFC 9051 §11.7). */
export function isLoginDisabled(session: Session): boolean {
  return !session.context.login.mayReveal(session.peer)
}

function hasQuickFlags(session: Session): boolean {
  return session.context.config.imap.quickFlags
}
