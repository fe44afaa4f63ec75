// IMAP URLs of messages and their parts. RFC 5092, from knowledge of it; PARTIAL of RFC 5550; EXPIRE and URLAUTH of RFC 4467, from knowledge of it.
//
// Pure and bounded: one pass over a text that a command line bounds, no backtracking.

/** Bytes of the part, as in `;PARTIAL=0.1024`. */
export interface UrlPartial {
  readonly offset: number
  /** Undefined: to the end. */
  readonly count: number | undefined
}

/** Who may fetch what the URL names (RFC 4467 §3). */
export type UrlAccess =
  | { readonly kind: 'anonymous' | 'authuser' }
  | { readonly kind: 'user' | 'submit'; readonly name: string }

export interface UrlAuthorization {
  readonly access: UrlAccess
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined
  /** The URL up to and with the access identifier: what a token is made of. */
  readonly rump: string
  /** In capitals; undefined in a URL that is still to be authorised. */
  readonly mechanism: string | undefined
  readonly token: string | undefined
}

export interface ImapUrl {
  /** Undefined in a relative URL. */
  readonly server: { readonly user: string | undefined; readonly host: string } | undefined
  /** Undefined: the selected one. */
  readonly mailbox: string | undefined
  /** The path began with a slash, or the URL with a server. */
  readonly isAbsolutePath: boolean
  readonly uidValidity: number | undefined
  readonly uid: number
  /** As between the brackets of BODY[…]; undefined for the whole message. */
  readonly section: string | undefined
  readonly partial: UrlPartial | undefined
  readonly authorization: UrlAuthorization | undefined
}

const maxNumber = 0xffff_ffff
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a URL that names a message or a part of one; undefined for anything else. */
export function parseImapUrl(text: string): ImapUrl | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f) return undefined
  }
  const authorized = splitAuthorization(text)
  if (!authorized) return undefined
  const located = splitServer(authorized.rest)
  if (!located) return undefined
  const message = parsePath(located.path)
  if (!message) return undefined
  return {
    ...message,
    server: located.server,
    isAbsolutePath: located.server !== undefined || located.path.startsWith('/'),
    authorization: authorized.authorization,
  }
}

/** Takes `;EXPIRE=…;URLAUTH=…` from the end. */
function splitAuthorization(
  text: string,
): { readonly rest: string; readonly authorization: UrlAuthorization | undefined } | undefined {
  const upper = text.toUpperCase()
  const at = upper.indexOf(';URLAUTH=')
  if (at < 0) return upper.includes(';EXPIRE=') ? undefined : { rest: text, authorization: undefined }
  let rest = text.slice(0, at)
  let expiresAt: number | undefined
  const expireAt = upper.slice(0, at).indexOf(';EXPIRE=')
  if (expireAt >= 0) {
    expiresAt = parseDateTime(rest.slice(expireAt + ';EXPIRE='.length))
    if (expiresAt === undefined) return undefined
    rest = rest.slice(0, expireAt)
  }
  const value = text.slice(at + ';URLAUTH='.length)
  const fields = value.split(':')
  if (fields.length !== 1 && fields.length !== 3) return undefined
  const access = parseAccess(fields[0] as string)
  if (!access) return undefined
  const [, mechanism, token] = fields
  if (mechanism !== undefined && !/^[A-Za-z0-9.-]{1,64}$/.test(mechanism)) return undefined
  if (token !== undefined && !/^[0-9A-Fa-f]{32,256}$/.test(token)) return undefined
  const rump = text.slice(0, at + ';URLAUTH='.length + (fields[0] as string).length)
  return {
    rest,
    authorization: { access, expiresAt, rump, mechanism: mechanism?.toUpperCase(), token },
  }
}

function parseAccess(text: string): UrlAccess | undefined {
  const lower = text.toLowerCase()
  if (lower === 'anonymous' || lower === 'authuser') return { kind: lower }
  const plus = text.indexOf('+')
  const kind = plus < 0 ? '' : lower.slice(0, plus)
  const name = plus < 0 ? undefined : decodePercent(text.slice(plus + 1))
  if ((kind !== 'user' && kind !== 'submit') || name === undefined || name === '') return undefined
  return { kind, name }
}

/** RFC 3339, in whole seconds or parts of them. */
function parseDateTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text)) return undefined
  const ms = Date.parse(text.toUpperCase())
  return Number.isNaN(ms) ? undefined : ms
}

/** Takes `imap://user;AUTH=*@host:port` from the front. */
function splitServer(
  text: string,
): { readonly server: ImapUrl['server']; readonly path: string } | undefined {
  const isWhole = /^imap:\/\//i.test(text)
  // A relative URL has no scheme; another scheme than ours is not for us, nor is a network path.
  if (!isWhole)
    return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) || text.startsWith('//')
      ? undefined
      : { server: undefined, path: text }
  const slash = text.indexOf('/', 'imap://'.length)
  if (slash < 0) return undefined
  const authority = text.slice('imap://'.length, slash)
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1).replace(/:\d{1,5}$/, '')
  if (host === '') return undefined
  const userinfo = at < 0 ? undefined : (authority.slice(0, at).split(/;AUTH=/i)[0] as string)
  const user = userinfo === undefined ? undefined : decodePercent(userinfo)
  if (userinfo !== undefined && (user === undefined || user === '')) return undefined
  return { server: { user, host: host.toLowerCase() }, path: text.slice(slash) }
}

type MessagePath = Pick<ImapUrl, 'mailbox' | 'uidValidity' | 'uid' | 'section' | 'partial'>

/** `/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.100`, or from `;UID=` on for the selected mailbox. */
function parsePath(path: string): MessagePath | undefined {
  const upper = path.toUpperCase()
  const marks = upper.indexOf(';UID=')
  if (marks < 0) return undefined
  const [uidText, ...rest] = path.slice(marks + ';UID='.length).split('/;')
  const uid = parseNumber(uidText as string, 1)
  if (uid === undefined) return undefined
  let section: string | undefined
  let partial: UrlPartial | undefined
  for (const parameter of rest) {
    const equals = parameter.indexOf('=')
    const name = parameter.slice(0, Math.max(0, equals)).toUpperCase()
    const value = parameter.slice(equals + 1)
    if (name === 'SECTION' && section === undefined && partial === undefined) {
      section = decodePercent(value)
      if (section === undefined || section === '') return undefined
    } else if (name === 'PARTIAL' && partial === undefined) {
      partial = parsePartial(value)
      if (!partial) return undefined
    } else return undefined
  }
  const box = parseMailbox(path.slice(0, marks))
  return box && { ...box, uid, section, partial }
}

function parseMailbox(text: string): Pick<ImapUrl, 'mailbox' | 'uidValidity'> | undefined {
  // The slash before ;UID belongs to it.
  const path = text.endsWith('/') ? text.slice(0, -1) : text
  if (path === '') return { mailbox: undefined, uidValidity: undefined }
  if (path !== text || !text.includes('/')) {
    const at = path.toUpperCase().indexOf(';UIDVALIDITY=')
    const uidValidity = at < 0 ? undefined : parseNumber(path.slice(at + ';UIDVALIDITY='.length), 1)
    if (at >= 0 && uidValidity === undefined) return undefined
    const name = decodePercent((at < 0 ? path : path.slice(0, at)).replace(/^\//, ''))
    if (name === undefined || name === '' || path === text) return undefined
    return { mailbox: name.normalize('NFC'), uidValidity }
  }
  return undefined
}

function parsePartial(text: string): UrlPartial | undefined {
  const [first, second, ...more] = text.split('.')
  const offset = parseNumber(first as string, 0)
  const count = second === undefined ? undefined : parseNumber(second, 1)
  if (offset === undefined || more.length > 0 || (second !== undefined && count === undefined))
    return undefined
  return { offset, count }
}

function parseNumber(text: string, least: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined
  const number = Number(text)
  return number >= least && number <= maxNumber ? number : undefined
}

/** Undefined for a broken encoding, for what is no UTF-8, and for control characters. */
function decodePercent(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const bytes = Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  )
  for (const byte of bytes) if (byte < 0x20 || byte === 0x7f) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
