// Tokens of authorised URLs: mechanism INTERNAL. RFC 4467, from knowledge of it.
//
// A token is good for exactly the text it was made of (who may fetch and until when are part of it) and for the key of one mailbox, which
// RESETKEY forgets and which goes with the mailbox. Whatever is wrong, the answer is the same.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { findAccountByAddress } from '../../store/read/account.ts'
import { findUrlKey } from '../../store/read/url-key.ts'
import type { Session } from '../session.ts'
import { type ImapUrl, parseImapUrl, type UrlAccess } from './imap-url.ts'
import { findUrlMailbox, openUrl, type UrlContent } from './url-content.ts'

export const keyBytes = 32
/** Which construction follows, so that another can come later. */
const version = '01'

/** The token for the text up to and with the access identifier. */
export function makeToken(key: Uint8Array, rump: string): string {
  return version + createHmac('sha256', key).update('restante-urlauth\0').update(rump, 'latin1').digest('hex')
}

function isGenuine(key: Uint8Array, rump: string, token: string): boolean {
  const expected = Buffer.from(makeToken(key, rump))
  const given = Buffer.from(token.toLowerCase())
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** The names that this server may have in URLs. */
export function isOwnHost(session: Session, host: string): boolean {
  const { hostname, config } = session.context
  if (host === hostname.toLowerCase() || config.imap.urlHosts.includes(host)) return true
  return session.connection.isLoopback && (host === 'localhost' || host === session.connection.localAddress)
}

/** The address that a user's name in a URL stands for: one without a domain is of the same domain as who asks. */
export function addressOf(session: Session, name: string): string {
  const lower = name.toLowerCase()
  const { address } = session.identity
  return lower.includes('@') ? lower : lower + address.slice(address.lastIndexOf('@'))
}

/** What an authorised URL gives this client: nothing where it is forged, revoked, expired, not for him, or leads to nothing. */
export async function openAuthorizedUrl(session: Session, text: string): Promise<UrlContent | undefined> {
  const url = parseImapUrl(text)
  if (!url?.server?.user || !isOwnHost(session, url.server.host) || url.mailbox === undefined)
    return undefined
  const { authorization } = url
  if (authorization?.mechanism !== 'INTERNAL' || authorization.token === undefined) return undefined
  if (!mayUse(session, authorization.access)) return undefined
  if (authorization.expiresAt !== undefined && authorization.expiresAt <= session.context.clock.now())
    return undefined
  const { store } = session
  const owner = await findAccountByAddress(store.reader, addressOf(session, url.server.user))
  if (owner?.state !== 'active') return undefined
  const mailbox = await findUrlMailbox({ store, account: owner.id }, url.mailbox, url)
  const key = mailbox && (await findUrlKey(store.reader, mailbox.account, mailbox.id, owner.id))
  if (!key || !isGenuine(key, authorization.rump, authorization.token)) return undefined
  return openUrl(store, mailbox, url)
}

/** RFC 4467 §3. */
function mayUse(session: Session, access: UrlAccess): boolean {
  switch (access.kind) {
    case 'anonymous':
      return true
    case 'authuser':
      return session.identity.isAnonymous !== true
    case 'user':
      return (
        session.identity.isAnonymous !== true && addressOf(session, access.name) === session.identity.address
      )
    case 'submit':
      // A submission server, logged in as itself, for the user that it has authenticated.
      return (
        session.identity.isAnonymous !== true &&
        session.context.config.imap.submissionServers.includes(session.identity.address)
      )
  }
}

/** What GENURLAUTH may sign: a whole URL of the client's own message, without a token. */
export function parseRump(
  session: Session,
  text: string,
): (ImapUrl & { readonly mailbox: string }) | undefined {
  const url = parseImapUrl(text)
  const { mailbox, server, authorization } = url ?? {}
  if (!url || mailbox === undefined || !server?.user || !authorization || authorization.token !== undefined)
    return undefined
  if (!isOwnHost(session, server.host) || addressOf(session, server.user) !== session.identity.address)
    return undefined
  return { ...url, mailbox }
}
