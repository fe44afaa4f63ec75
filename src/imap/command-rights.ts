// Which rights each command needs. RFC 4314 §4; RFC 5257 §3.4; RFC 5464 §3.3; RFC 5465 §6.5; RFC 6851 §4.4; RFC 7377 §2.2; RFC 8508 §4.
//
// The only place where that is said: `mailbox-access.ts` looks here for every mailbox that a command names, `serve.ts` for the selected one.
// A test goes through every command and every right, and fails for a command without a row.
import { type Rights, rightsOf } from '../store/rights.ts'

export interface CommandRights {
  /** Of the mailbox that the command names: all of these. */
  readonly mailbox?: Rights
  /** And one of these. */
  readonly oneOf?: Rights
  /** Of the mailbox that messages go to. */
  readonly target?: Rights
  /** Of the nearest mailbox above a name that is to be given. */
  readonly parent?: Rights
  /** Of the selected mailbox: all of these. */
  readonly selected?: Rights
  /** Of the selected mailbox: one of these. */
  readonly selectedOneOf?: Rights
}

const none: CommandRights = {}
const read: CommandRights = { mailbox: rightsOf('r') }
const look: CommandRights = { mailbox: rightsOf('l') }
const administer: CommandRights = { mailbox: rightsOf('a') }
/** RFC 5464 §3.3. */
const annotate: CommandRights = { mailbox: rightsOf('l'), oneOf: rightsOf('rswip') }
const noMailbox = [
  'AUTHENTICATE',
  'CANCELUPDATE',
  'CAPABILITY',
  'COMPARATOR',
  'COMPRESS',
  'CONVERSIONS',
  'ENABLE',
  'GETJMAPACCESS',
  'GETQUOTA',
  'ID',
  'IDLE',
  'LANGUAGE',
  'LOGIN',
  'LOGOUT',
  'NAMESPACE',
  'NOOP',
  'SETQUOTA',
  'STARTTLS',
  'UNAUTHENTICATE',
] as const
/** Once a mailbox is selected "r" is there, or the session ends. Flags that may not be changed are left as they are. */
const onSelected = [
  'CHECK',
  'CONVERT',
  'FETCH',
  'SEARCH',
  'SORT',
  'THREAD',
  'UIDBATCHES',
  'UNSELECT',
  // Without "e" it expunges nothing and is OK.
  'CLOSE',
] as const

const rows = {
  APPEND: { target: rightsOf('i') },
  COPY: { target: rightsOf('i') },
  CREATE: { parent: rightsOf('k') },
  DELETE: { mailbox: rightsOf('x') },
  DELETEACL: administer,
  ESEARCH: read,
  EXAMINE: read,
  EXPUNGE: { selected: rightsOf('e') },
  GENURLAUTH: read,
  GETACL: administer,
  GETMETADATA: annotate,
  GETQUOTAROOT: read,
  LIST: look,
  LISTRIGHTS: administer,
  LSUB: look,
  MOVE: { target: rightsOf('i'), selected: rightsOf('te') },
  MYRIGHTS: { oneOf: rightsOf('lrikxa') },
  NOTIFY: { mailbox: rightsOf('lr') },
  RENAME: { mailbox: rightsOf('x'), parent: rightsOf('k') },
  REPLACE: { target: rightsOf('i'), selected: rightsOf('te') },
  RESETKEY: read,
  SELECT: read,
  SETACL: administer,
  SETMETADATA: annotate,
  STATUS: read,
  STORE: { selected: rightsOf('r') },
  // Shared ones; private ones are for whoever reads (RFC 5257 §3.4).
  'STORE ANNOTATION': { selected: rightsOf('n') },
  // "STORE operation SHOULD NOT fail if the user has rights to modify at least one flag".
  'STORE FLAGS': { selectedOneOf: rightsOf('swt') },
  // A name may be subscribed that no mailbox has, so nothing is looked at.
  SUBSCRIBE: none,
  UNSUBSCRIBE: none,
  // Of the mailbox that the URL names, as long as the URL is good: those of who has authorised it.
  URLFETCH: read,
  XLIST: look,
} as const satisfies Record<string, CommandRights>

type Listed = keyof typeof rows

const table = new Map<string, CommandRights>([
  ...Object.entries<CommandRights>(rows),
  ...[...noMailbox, ...onSelected].map(name => [name, none] as const),
])

/** What the command of that name needs (STORE: besides what its items need); undefined for one that has no row. */
export function findCommandRights(name: string): CommandRights | undefined {
  return table.get(name)
}

/** The row of a command whose code names itself. */
export function rightsFor(name: Listed): CommandRights {
  return rows[name]
}
