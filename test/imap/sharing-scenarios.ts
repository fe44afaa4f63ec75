// For each command that needs rights: how a guest uses a mailbox with it, and how its answer says that he may not.
import type { Answer } from './client.ts'

/** Names as they stand in a command. */
export interface ScenarioNames {
  /** The mailbox that is named, or selected; it has a message. */
  readonly from: string
  /** Where messages or mailboxes go. */
  readonly to: string
  /** Below `to`, a name that is not there. */
  readonly below: string
  /** Who rights are given to. */
  readonly grantee: string
  /** `imap://user@host/…` of the message in `from`, for GENURLAUTH. */
  readonly url: string
}

export interface Scenario {
  readonly text: (names: ScenarioNames) => string
  /** A guest who may not is told NO unless this says otherwise. */
  readonly isRefused?: (answer: Answer) => boolean
}

const letter = 'Subject: from a guest\r\n\r\nhello\r\n'
const literal = `{${letter.length}+}\r\n${letter}`

function isNo({ tagged }: Answer): boolean {
  return /^NO \[(?:NOPERM|NONEXISTENT|TRYCREATE)\]/.test(tagged)
}

/** Lists and searches leave out what they may not show. */
function isSilent({ tagged, untagged }: Answer): boolean {
  return tagged.startsWith('OK') && !untagged.some(line => /^\* (?:LIST|XLIST|ESEARCH|STATUS) /.test(line))
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  APPEND: { text: ({ to }) => `APPEND ${to} ${literal}` },
  COPY: { text: ({ to }) => `COPY 1 ${to}` },
  CREATE: { text: ({ below }) => `CREATE ${below}` },
  DELETE: { text: ({ from }) => `DELETE ${from}` },
  DELETEACL: { text: ({ from, grantee }) => `DELETEACL ${from} ${grantee}` },
  ESEARCH: { text: ({ from }) => `ESEARCH IN (mailboxes ${from}) RETURN (COUNT) ALL`, isRefused: isSilent },
  EXAMINE: { text: ({ from }) => `EXAMINE ${from}` },
  EXPUNGE: { text: () => 'EXPUNGE' },
  GENURLAUTH: { text: ({ url }) => `GENURLAUTH "${url}" INTERNAL` },
  GETACL: { text: ({ from }) => `GETACL ${from}` },
  GETMETADATA: { text: ({ from }) => `GETMETADATA ${from} /shared/comment` },
  GETQUOTAROOT: { text: ({ from }) => `GETQUOTAROOT ${from}` },
  LIST: { text: ({ from }) => `LIST "" ${from}`, isRefused: isSilent },
  LISTRIGHTS: { text: ({ from, grantee }) => `LISTRIGHTS ${from} ${grantee}` },
  // A name is shown when it is subscribed, and as one that is not there when it may not be seen.
  LSUB: {
    text: ({ from }) => `LSUB "" ${from}`,
    isRefused: ({ untagged }) => untagged.some(line => line.includes('\\NonExistent')),
  },
  MOVE: { text: ({ to }) => `MOVE 1 ${to}` },
  MYRIGHTS: { text: ({ from }) => `MYRIGHTS ${from}` },
  NOTIFY: {
    text: ({ from }) => `NOTIFY SET STATUS (mailboxes ${from} (MessageNew MessageExpunge))`,
    isRefused: ({ untagged }) => !untagged.some(line => line.startsWith('* STATUS ')),
  },
  RENAME: { text: ({ from, below }) => `RENAME ${from} ${below}` },
  REPLACE: { text: ({ to }) => `REPLACE 1 ${to} ${literal}` },
  RESETKEY: { text: ({ from }) => `RESETKEY ${from}` },
  SELECT: { text: ({ from }) => `SELECT ${from}` },
  SETACL: { text: ({ from, grantee }) => `SETACL ${from} ${grantee} lr` },
  SETMETADATA: { text: ({ from }) => `SETMETADATA ${from} (/shared/comment "x")` },
  STATUS: { text: ({ from }) => `STATUS ${from} (MESSAGES)` },
  STORE: { text: () => 'STORE 1 ANNOTATION (/comment (value.priv "mine"))' },
  'STORE ANNOTATION': { text: () => 'STORE 1 ANNOTATION (/comment (value.shared "ours"))' },
  'STORE FLAGS': { text: () => 'STORE 1 +FLAGS (\\Seen)' },
  XLIST: { text: ({ from }) => `XLIST "" ${from}`, isRefused: isSilent },
}

export function isRefused(name: string, answer: Answer): boolean {
  return (scenarios[name]?.isRefused ?? isNo)(answer)
}
