// The grammar of every command as a generator of what a client may say, by RFC 9051 §9 and the RFCs of the extensions: one rule per row of the command
// table. What a rule makes is well-formed; whether it can be done (a mailbox that is not there, a number past the last) is left to chance.
//
// Texts are Latin-1, with literals in their wire form: `{3+}` CRLF `abc`.
import type { Random } from '../../../bench/random.ts'
import { fetchItems } from '../../../src/imap/fetch/items.ts'
import { searchKeys } from '../../../src/imap/search/keys.ts'

/** Makes a command's arguments, with the space before them. */
export type Rule = (random: Random) => string

// Words

const oneOf =
  <T>(...from: readonly T[]) =>
  (random: Random): T =>
    random.pick(from)

const maybe = (random: Random, make: Rule): string => (random.chance(0.5) ? make(random) : '')

function many(random: Random, most: number, make: Rule, between = ' '): string {
  return Array.from({ length: 1 + random.below(most) }, () => make(random)).join(between)
}

const list = (random: Random, most: number, make: Rule): string => `(${many(random, most, make)})`

export const mailboxNames = [
  'INBOX',
  'inbox',
  'Inbox/x',
  'a',
  'a/b',
  'a/b/c',
  'Drafts',
  'two words',
  'quo"ted\\',
  'Entw&APw-rfe',
  '&',
  '&-',
  '&Jjo-',
  '\xc3\xa9t\xc3\xa9',
  'NIL',
  '*',
  'x%y',
  'nowhere',
]

export const literal = (text: string, sign = '+'): string => `{${text.length}${sign}}\r\n${text}`

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

/** Any of the forms that an astring has. */
function astring(random: Random, text: string): string {
  if (/^[\x21-\x7e]+$/.test(text) && !/[(){%*"\\\]]/.test(text) && random.chance(0.6)) return text
  if (random.chance(0.8)) return quoted(text)
  return literal(text, random.chance(0.9) ? '+' : '')
}

const mailbox: Rule = random => astring(random, random.pick(mailboxNames))
/** Where something should usually be there. */
const knownMailbox: Rule = random => (random.chance(0.7) ? 'INBOX' : mailbox(random))
const text: Rule = random =>
  astring(
    random,
    random.pick([
      'x',
      'hello',
      'alice@example.test',
      '',
      'two  words',
      '\xc3\xa9',
      '\xff',
      'a"b\\c',
      'K\xc3\xb6ln',
    ]),
  )
const number: Rule = random =>
  random.chance(0.8) ? String(1 + random.below(12)) : random.pick(['1', '100', '4294967295', '2147483648'])
const size: Rule = random =>
  random.chance(0.1) ? '0' : random.chance(0.9) ? String(random.below(2000)) : '9007199254740991'
const modSeq: Rule = random =>
  random.chance(0.7) ? String(1 + random.below(5000)) : random.pick(['1', '9007199254740991'])

function sequenceSet(random: Random): string {
  if (random.chance(0.1)) return '$'
  return many(
    random,
    3,
    () => {
      const end = () => (random.chance(0.2) ? '*' : number(random))
      return random.chance(0.5) ? `${end()}:${end()}` : end()
    },
    ',',
  )
}

const uidSet: Rule = random =>
  many(random, 3, () => (random.chance(0.5) ? number(random) : `${number(random)}:${number(random)}`), ',')
const flag = oneOf(
  '\\Seen',
  '\\Flagged',
  '\\Answered',
  '\\Deleted',
  '\\Draft',
  '$Forwarded',
  'Junk',
  'k1',
  'k2',
  '$MDNSent',
)
const date: Rule = random => {
  const day = `${1 + random.below(28)}-${random.pick(['Jan', 'feb', 'MAR', 'Dec'])}-${1970 + random.below(60)}`
  return random.chance(0.5) ? day : `"${day}"`
}
const dateTime = oneOf(
  '"17-Jul-1996 02:44:25 -0700"',
  '" 1-Feb-2024 00:00:00 +0000"',
  '"29-Feb-2024 23:59:60 +1400"',
)
const tag: Rule = random => quoted(random.pick(['f1', 'f2', 'a']) + random.below(50))
const charset = oneOf('UTF-8', 'US-ASCII', 'ISO-8859-1', 'utf-7', 'x-none', 'Shift_JIS', '"windows-1252"')
const partialRange: Rule = random => {
  const sign = random.chance(0.3) ? '-' : ''
  return `${sign}${number(random)}:${sign}${number(random)}`
}

// Messages

const messages = [
  'From: a@example.test\r\nSubject: one\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n',
  'Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\nReferences: <1@x>\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\nx',
  'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--b\r\nContent-Type: image/png; name="x.png"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n--b--\r\n',
  'Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\nTo: g: a@b, c@d;\r\n\r\n<p>=E9 &amp;</p>\r\n',
  'Subject: \xc3\xa9 \xff\r\nFrom: "q\\"x" <a@b>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n\xff\xfe',
  'no header at all',
  '\r\n',
  '\n',
  'X',
  `Subject: long\r\n\r\n${'0123456789abcdef'.repeat(200)}\r\n`,
] as const

const messageLiteral: Rule = random => {
  const bytes = random.pick(messages)
  const isBinary = random.chance(0.1)
  return `${isBinary ? '~' : ''}${literal(isBinary ? `${bytes}\0` : bytes, random.chance(0.95) ? '+' : '')}`
}

const url: Rule = random => {
  const path = `/${random.pick(['INBOX', 'a', 'a/b', 'nowhere', 'Entw%C3%BCrfe'])}${maybe(random, () => `;UIDVALIDITY=${number(random)}`)}/;UID=${number(random)}`
  const section = maybe(
    random,
    () => `/;SECTION=${random.pick(['1', 'HEADER', 'TEXT', '1.MIME', '2.1', 'HEADER.FIELDS%20(Subject)'])}`,
  )
  const partial = maybe(
    random,
    () => `/;PARTIAL=${random.below(20)}${maybe(random, () => `.${number(random)}`)}`,
  )
  return path + section + partial
}
const fullUrl: Rule = random => `imap://alice%40example.test@mail.example.test${url(random)}`
const access = oneOf(
  ';URLAUTH=anonymous',
  ';URLAUTH=authuser',
  ';URLAUTH=user+bob',
  ';URLAUTH=submit+alice%40example.test',
)
const rump: Rule = random =>
  `${fullUrl(random)}${maybe(random, oneOf(';EXPIRE=2099-01-01T00:00:00Z', ';EXPIRE=1999-01-01T00:00:00Z'))}${access(random)}`

const catenatePart: Rule = random =>
  random.pick([
    () => `URL ${astring(random, random.chance(0.8) ? url(random) : fullUrl(random))}`,
    () => `TEXT ${messageLiteral(random)}`,
    () => `UTF8 (~${literal(random.pick(messages))})`,
  ])()

const appendedMessage: Rule = random =>
  maybe(random, () => `(${random.chance(0.2) ? '' : many(random, 3, flag)}) `) +
  maybe(random, () => `${dateTime(random)} `) +
  (random.chance(0.7)
    ? messageLiteral(random)
    : random.chance(0.3)
      ? `UTF8 (~${literal(random.pick(messages))})`
      : `CATENATE ${list(random, 3, catenatePart)}`)

// FETCH

const part: Rule = random => many(random, 3, oneOf('1', '2', '3'), '.')
const section: Rule = random => {
  const fields: Rule = () =>
    `HEADER.FIELDS${maybe(random, () => '.NOT')} ${list(random, 3, () => astring(random, random.pick(['Subject', 'from', 'X-\xe9', 'a b', 'NIL'])))}`
  const words = [
    () => '',
    () => 'HEADER',
    () => 'TEXT',
    fields,
    () => part(random),
    () => `${part(random)}.MIME`,
  ]
  return random.chance(0.7)
    ? random.pick(words)(random)
    : `${part(random)}.${random.pick([() => 'HEADER', () => 'TEXT', fields])(random)}`
}
const cut: Rule = random => (random.chance(0.3) ? `<${size(random)}.${number(random)}>` : '')

const annotationEntry = oneOf(
  '/comment',
  '"/altsubject"',
  '/1/comment',
  '"*"',
  '/%',
  '/vendor/x/y',
  '"/flags/x"',
)

const fetchItem: Rule = random => {
  const { name } = random.pick(fetchItems)
  if (name === 'BODY' && random.chance(0.3)) return name
  if (name === 'BODY' || name === 'BODY.PEEK') return `${name}[${section(random)}]${cut(random)}`
  if (name === 'BINARY' || name === 'BINARY.PEEK') return `${name}[${maybe(random, part)}]${cut(random)}`
  if (name === 'BINARY.SIZE') return `${name}[${maybe(random, part)}]`
  if (name === 'ANNOTATION')
    return `ANNOTATION (${list(random, 2, annotationEntry)} ${list(random, 2, oneOf('value', 'size', '"value.priv"', 'value.shared', 'size.*'))})`
  if (name === 'PREVIEW') return name + maybe(random, () => ' (LAZY)')
  return name
}
const fetchAtt: Rule = random =>
  random.chance(0.2)
    ? random.pick(['ALL', 'FAST', 'FULL'])
    : random.chance(0.3)
      ? fetchItem(random)
      : list(random, 5, fetchItem)
const fetchModifiers: Rule = random => {
  const modifiers = [
    () => `CHANGEDSINCE ${modSeq(random)}`,
    () => `CHANGEDSINCE ${modSeq(random)} VANISHED`,
    () => `PARTIAL ${partialRange(random)}`,
  ]
  return ` (${random.pick(modifiers)()}${random.chance(0.2) ? ` ${random.pick(modifiers)()}` : ''})`
}

// SEARCH

/** What follows the name of a key; a key that is not here has no argument. */
const keyArguments: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ['BCC', 'BODY', 'CC', 'FROM', 'SUBJECT', 'TEXT', 'TO'].map(name => [name, text] as const),
  ),
  ...Object.fromEntries(
    [
      'BEFORE',
      'ON',
      'SINCE',
      'SENTBEFORE',
      'SENTON',
      'SENTSINCE',
      'SAVEDBEFORE',
      'SAVEDON',
      'SAVEDSINCE',
    ].map(name => [name, date] as const),
  ),
  ...Object.fromEntries(['OLDER', 'YOUNGER', 'UIDAFTER', 'UIDBEFORE'].map(name => [name, number] as const)),
  LARGER: size,
  SMALLER: size,
  KEYWORD: oneOf('k1', 'Junk', '$Forwarded', 'none'),
  UNKEYWORD: oneOf('k1', 'Junk', '$Forwarded', 'none'),
  HEADER: random => `${astring(random, random.pick(['Subject', 'X-None', 'message-id']))} ${text(random)}`,
  UID: sequenceSet,
  MODSEQ: random =>
    maybe(random, () => `"/flags/\\\\Seen" ${random.pick(['all', 'shared', 'priv'])} `) + modSeq(random),
  ANNOTATION: random =>
    `${annotationEntry(random)} ${random.pick(['value', '"value.priv"', 'value.shared'])} ${random.pick(['NIL', 'x', '"two words"'])}`,
  FILTER: oneOf('x', 'unread', 'on-the-road'),
  'X-GM-RAW': oneOf('"has:attachment"', '"from:alice -is:unread {a b}"', 'x', '"(a OR"'),
  'X-GM-LABELS': oneOf('a', '\\Inbox', '"x y"'),
  'X-GM-MSGID': number,
  'X-GM-THRID': number,
  EMAILID: oneOf('E1', 'M1', 'e2', 'none'),
  THREADID: oneOf('T1', 'M1', 'none'),
}

function searchKey(random: Random, depth = 0): string {
  if (random.chance(0.15)) return sequenceSet(random)
  if (depth < 3 && random.chance(0.1)) return list(random, 3, () => searchKey(random, depth + 1))
  const { name } = random.pick(searchKeys)
  if ((name === 'NOT' || name === 'OR') && depth >= 3) return 'ALL'
  if (name === 'NOT') return `NOT ${searchKey(random, depth + 1)}`
  if (name === 'OR') return `OR ${searchKey(random, depth + 1)} ${searchKey(random, depth + 1)}`
  const rule = keyArguments[name]
  return rule ? `${name} ${rule(random)}` : name
}

const searchKeysRule: Rule = random => many(random, 4, () => searchKey(random))
const returnOptions: Rule = random =>
  `RETURN (${random.chance(0.1) ? '' : many(random, 3, () => random.pick([() => 'MIN', () => 'MAX', () => 'ALL', () => 'COUNT', () => 'SAVE', () => 'UPDATE', () => `PARTIAL ${partialRange(random)}`, () => 'CONTEXT'])())}) `
const searchProgram: Rule = random =>
  maybe(random, returnOptions) +
  (random.chance(0.2) ? `CHARSET ${charset(random)} ` : '') +
  searchKeysRule(random)
const charsetProgram: Rule = random => `${charset(random)} ${searchKeysRule(random)}`
const sortCriterion: Rule = random =>
  maybe(random, () => 'REVERSE ') +
  random.pick(['ARRIVAL', 'CC', 'DATE', 'DISPLAYFROM', 'DISPLAYTO', 'FROM', 'SIZE', 'SUBJECT', 'TO'])
const searchSource: Rule = random =>
  random.pick([
    () => random.pick(['selected', 'inboxes', 'personal', 'subscribed']),
    () =>
      `${random.pick(['mailboxes', 'subtree', 'subtree-one'])} ${random.chance(0.5) ? mailbox(random) : list(random, 3, mailbox)}`,
  ])()

// Mailboxes

const statusItem = oneOf(
  'MESSAGES',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'SIZE',
  'DELETED-STORAGE',
  'RECENT',
  'HIGHESTMODSEQ',
  'MAILBOXID',
  'APPENDLIMIT',
)
const statusItems: Rule = random => list(random, 4, statusItem)
const pattern = oneOf('*', '%', '"*"', '"%/%"', 'INBOX', '"a*"', '""', '%%**%', '"*/b/%"', '"x%y*z"')
const entry: Rule = random =>
  astring(
    random,
    random.pick([
      '/private/comment',
      '/shared/comment',
      '/private/x/y',
      '/shared/vendor/a/b',
      '/private',
      '/shared/admin',
      '/shared/specialuse',
    ]),
  )
const wholeEntry = oneOf(
  '/private/comment',
  '/shared/comment',
  '/private/x/y',
  '/shared/vendor/a/b',
  '/private/vendor/v/1',
)
const value: Rule = random =>
  random.pick([
    () => 'NIL',
    () => '""',
    () => quoted('x y'),
    () => literal('two\r\nlines'),
    () => `~${literal('a\0b')}`,
  ])()
const depthOption: Rule = random =>
  `(${many(random, 2, () => random.pick([`MAXSIZE ${size(random)}`, 'DEPTH infinity', 'DEPTH 0', 'DEPTH 1']))})`
const listReturn: Rule = random =>
  ` RETURN (${many(random, 3, () => random.pick([() => 'SUBSCRIBED', () => 'CHILDREN', () => 'SPECIAL-USE', () => `STATUS ${statusItems(random)}`, () => `METADATA ${list(random, 2, entry)}`])())})`
const selectParameters: Rule = random =>
  ` (${random.pick([
    () => 'CONDSTORE',
    () =>
      `QRESYNC (${number(random)} ${modSeq(random)}${maybe(random, () => ` ${uidSet(random)}`)}${maybe(random, () => ` (${uidSet(random)} ${uidSet(random)})`)})`,
  ])()})`

const notifyEvents: Rule = random =>
  random.chance(0.1)
    ? 'NONE'
    : random.pick([
        () =>
          `(MessageNew${maybe(random, () => ` ${list(random, 3, fetchItem)}`)} MessageExpunge${maybe(random, () => ' FlagChange')})`,
        () =>
          list(
            random,
            4,
            oneOf(
              'MessageNew',
              'MessageExpunge',
              'FlagChange',
              'MailboxName',
              'SubscriptionChange',
              'MailboxMetadataChange',
              'ServerMetadataChange',
              'AnnotationChange',
            ),
          ),
      ])()
const notifyGroup: Rule = random =>
  `(${random.pick([
    () => random.pick(['selected', 'selected-delayed', 'inboxes', 'personal', 'subscribed']),
    () =>
      `${random.pick(['subtree', 'mailboxes'])} ${random.chance(0.5) ? mailbox(random) : list(random, 3, mailbox)}`,
  ])()} ${notifyEvents(random)})`

const mediaRange = oneOf('"*"', '"text/*"', '"text/html"', '"image/png"', '"application/x-none"')
const convertItem: Rule = random =>
  random.pick([
    () => `BINARY[${part(random)}]${cut(random)}`,
    () => `BINARY.SIZE[${part(random)}]`,
    () => `BODYPARTSTRUCTURE[${part(random)}]`,
    () => `AVAILABLECONVERSIONS[${part(random)}]`,
    () => 'BODY[HEADER]',
    () => `BODY[${part(random)}.MIME]`,
    () => 'UID',
  ])()

const grantee: Rule = random => {
  const minus = random.chance(0.2) ? '-' : ''
  return `${minus}${random.pick(['alice@example.test', 'bob@example.test', 'bob', 'anyone', 'nobody@example.test', '"two words"'])}`
}
const rights = oneOf('lrs', '+w', '-lrswipkxtea', '""', 'lrswipkxtea', '+cd', 'l', 'q')

const none: Rule = () => ''
const oneMailbox: Rule = random => ` ${mailbox(random)}`
const select: Rule = random => ` ${knownMailbox(random)}${random.chance(0.4) ? selectParameters(random) : ''}`
const transfer: Rule = random => ` ${sequenceSet(random)} ${mailbox(random)}`
const oldList: Rule = random => ` ${random.pick(['""', 'a', '"a/"', 'INBOX'])} ${pattern(random)}`
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')

/** One rule for each name of the command table, for the plain and the UID form. */
export const grammar: Readonly<Record<string, Rule>> = {
  APPEND: random => ` ${knownMailbox(random)} ${many(random, random.chance(0.8) ? 1 : 3, appendedMessage)}`,
  AUTHENTICATE: random =>
    ` ${random.pick(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER', 'ANONYMOUS', 'EXTERNAL', 'CRAM-MD5'])}${maybe(random, () => ` ${random.pick(['=', base64('\0alice@example.test\0secret'), base64('\0a\0b'), base64('n,,n=alice,r=abc')])}`)}`,
  CANCELUPDATE: random => ` ${many(random, 2, tag)}`,
  CAPABILITY: none,
  CHECK: none,
  CLOSE: none,
  COMPARATOR: random =>
    maybe(
      random,
      () =>
        ` ${many(random, 3, oneOf('i;octet', '"i;*"', 'i;unicode-casemap', 'default', 'i;ascii-casemap', 'x'))}`,
    ),
  COMPRESS: () => ' DEFLATE',
  CONVERSIONS: random => ` ${mediaRange(random)} ${mediaRange(random)}`,
  CONVERT: random =>
    ` ${sequenceSet(random)} (${random.pick(['NIL', '"text/plain"', '"image/jpeg"', '"x/y"'])}${maybe(random, () => ` (${random.pick(['"charset" "utf-8"', '"pix-x" "10" "pix-y" "10"', '"a" "b"'])})`)}) ${list(random, 3, convertItem)}`,
  COPY: transfer,
  CREATE: random =>
    ` ${mailbox(random)}${maybe(random, () => ` (USE (${random.pick(['\\Drafts', '\\Sent', '\\Junk', '\\All', '\\None', ''])}))`)}`,
  DELETE: oneMailbox,
  DELETEACL: random => ` ${mailbox(random)} ${grantee(random)}`,
  ENABLE: random =>
    ` ${many(random, 3, oneOf('CONDSTORE', 'QRESYNC', 'IMAP4rev2', 'METADATA', 'METADATA-SERVER', 'UTF8=ACCEPT', 'X-NONE'))}${random.chance(0.05) ? ' UIDONLY' : ''}`,
  ESEARCH: random =>
    ` ${maybe(random, () => `IN ${list(random, 3, searchSource)} `)}${searchProgram(random)}`,
  EXAMINE: select,
  EXPUNGE: none,
  FETCH: random =>
    ` ${sequenceSet(random)} ${fetchAtt(random)}${random.chance(0.3) ? fetchModifiers(random) : ''}`,
  GENURLAUTH: random => ` ${many(random, 2, () => `${astring(random, rump(random))} INTERNAL`)}`,
  GETACL: oneMailbox,
  GETJMAPACCESS: none,
  GETMETADATA: random =>
    ` ${maybe(random, () => `${depthOption(random)} `)}${random.chance(0.3) ? '""' : mailbox(random)} ${random.chance(0.5) ? entry(random) : list(random, 3, entry)}`,
  GETQUOTA: random => ` ${random.pick(['""', 'alice@example.test', 'x'])}`,
  GETQUOTAROOT: oneMailbox,
  ID: random =>
    ` ${random.chance(0.3) ? 'NIL' : list(random, 2, () => `${quoted('name')} ${random.pick(['NIL', '"x"', literal('y')])}`)}`,
  IDLE: none,
  LANGUAGE: random =>
    maybe(
      random,
      () => ` ${many(random, 3, oneOf('de', 'ja-JP', '"*"', 'default', 'fr', 'i-default', 'zz'))}`,
    ),
  LIST: random =>
    `${maybe(random, () => ` ${list(random, 2, oneOf('SUBSCRIBED', 'SPECIAL-USE', 'REMOTE', 'RECURSIVEMATCH'))}`)} ${random.pick(['""', 'a', '"a/"'])} ${random.chance(0.7) ? pattern(random) : list(random, 3, pattern)}${maybe(random, listReturn)}`,
  LISTRIGHTS: random => ` ${mailbox(random)} ${grantee(random)}`,
  LOGIN: random =>
    ` ${random.pick(['alice@example.test', 'bob', literal('alice@example.test')])} ${random.pick(['secret', '"wrong"'])}`,
  LOGOUT: none,
  LSUB: oldList,
  MOVE: transfer,
  MYRIGHTS: oneMailbox,
  NAMESPACE: none,
  NOOP: none,
  NOTIFY: random =>
    random.chance(0.3) ? ' NONE' : ` SET${maybe(random, () => ' STATUS')} ${many(random, 3, notifyGroup)}`,
  RENAME: random => ` ${mailbox(random)} ${mailbox(random)}`,
  REPLACE: random =>
    ` ${random.chance(0.8) ? number(random) : '*'} ${knownMailbox(random)} ${appendedMessage(random)}`,
  RESETKEY: random => maybe(random, () => ` ${mailbox(random)}${maybe(random, () => ' INTERNAL')}`),
  SEARCH: random => ` ${searchProgram(random)}`,
  SELECT: select,
  SETACL: random => ` ${mailbox(random)} ${grantee(random)} ${rights(random)}`,
  SETMETADATA: random =>
    ` ${random.chance(0.3) ? '""' : mailbox(random)} ${list(random, 2, () => `${wholeEntry(random)} ${value(random)}`)}`,
  SETQUOTA: random =>
    ` ${random.pick(['alice@example.test', 'bob@example.test', '""'])} (${maybe(random, () => `${random.pick(['STORAGE', 'MESSAGE', 'MAILBOX', 'X'])} ${size(random)}`)})`,
  SORT: random =>
    ` ${maybe(random, returnOptions)}${list(random, 3, sortCriterion)} ${charsetProgram(random)}`,
  STARTTLS: none,
  STATUS: random => ` ${mailbox(random)} ${statusItems(random)}`,
  STORE: random => {
    const head = ` ${sequenceSet(random)} ${random.chance(0.3) ? `(UNCHANGEDSINCE ${modSeq(random)}) ` : ''}`
    const sign = random.pick(['', '+', '-'])
    const silent = maybe(random, () => '.SILENT')
    const dice = random.next()
    if (dice < 0.1)
      return `${head}ANNOTATION (${annotationEntry(random)} (${random.pick(['value.priv', 'value.shared', 'value'])} ${value(random)}))`
    if (dice < 0.2)
      return `${head}${sign}X-GM-LABELS${silent} ${list(random, 2, oneOf('a', '\\Inbox', '\\Starred', '"x y"'))}`
    return `${head}${sign}FLAGS${silent} ${random.chance(0.7) ? list(random, 3, flag) : many(random, 2, flag)}`
  },
  SUBSCRIBE: oneMailbox,
  THREAD: random => ` ${random.pick(['ORDEREDSUBJECT', 'REFERENCES', 'REFS'])} ${charsetProgram(random)}`,
  UIDBATCHES: random => ` ${number(random)}${maybe(random, () => ` ${number(random)}:${number(random)}`)}`,
  UNAUTHENTICATE: none,
  UNSELECT: none,
  UNSUBSCRIBE: oneMailbox,
  URLFETCH: random =>
    ` ${many(random, 2, () => {
      const whole = astring(random, `${rump(random)}:INTERNAL:${'0123456789abcdef'.repeat(2)}`)
      return random.chance(0.5)
        ? whole
        : `(${whole} ${random.pick(['BODY', 'BINARY', 'BODYPARTSTRUCTURE', 'BINARY BODYPARTSTRUCTURE'])})`
    })}`,
  XLIST: oldList,
}

/** Arguments of a command of the table. */
export function argumentsOf(random: Random, name: string, isUid: boolean): string {
  if (name === 'EXPUNGE' && isUid) return ` ${sequenceSet(random)}`
  const rule = grammar[name]
  if (!rule) throw new Error(`test/imap/fuzz/grammar.ts has no rule for ${name}`)
  return rule(random)
}

/** What a client answers to `+` where no literal is due. */
export function continuation(random: Random, command: string): string {
  if (command === 'IDLE')
    return random.chance(0.8) ? 'DONE' : random.pick(['done', 'DONE ', '', 'NOOP', 'x DONE'])
  return random.pick([
    '*',
    '',
    '=',
    base64('\0alice@example.test\0secret'),
    base64('n,,n=alice,r=abc'),
    base64('alice'),
    '!!',
    base64('\xff\0'),
  ])
}
