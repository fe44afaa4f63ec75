// GENURLAUTH: gives out URLs that others may fetch. RFC 4467 §6, from knowledge of it.
import { randomBytes } from 'node:crypto'
import { limits } from '../../base/limits.ts'
import { rightBits } from '../../store/rights.ts'
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { mutateMailbox } from '../mailbox-access.ts'
import { keyBytes, makeToken, parseRump } from '../url/url-auth.ts'
import { findUrlMailbox, openUrl } from '../url/url-content.ts'

export const genUrlAuth = command({
  name: 'GENURLAUTH',
  state: 'authenticated',
  parse(parser) {
    const rumps: string[] = []
    do {
      parser.sp()
      rumps.push(parser.astringBytes().toString('latin1'))
      parser.sp()
      if (parser.keyword() !== 'INTERNAL') throw bad('INTERNAL is the only mechanism there is')
      if (rumps.length > limits.imap.urls) throw bad('that are too many URLs', 'TOOBIG')
    } while (!parser.isAtEnd && parser.peek(' '))
    return rumps
  },
  async run(session, rumps) {
    const { store, out } = session
    const urls: string[] = []
    for (const rump of rumps) {
      const url = parseRump(session, rump)
      if (!url) throw bad('that is no URL of your own messages that could be authorised')
      // RFC 4467 §4: an expiry that has passed already would be a mistake of the client.
      if ((url.authorization?.expiresAt ?? Infinity) <= session.context.clock.now())
        throw no('CANNOT', 'The URL has expired already')
      const mailbox = await findUrlMailbox(session, url.mailbox, url)
      if (!mailbox || !(await openUrl(store, mailbox, url)))
        throw no('NONEXISTENT', 'The URL names nothing here')
      const { account, id } = mailbox
      const { key } = await mutateMailbox(session, [{ mailbox, rights: rightBits.r }], 'createUrlKey', {
        account,
        mailbox: id,
        ...(account !== session.account && { guest: session.account }),
        key: randomBytes(keyBytes),
      })
      urls.push(`${rump}:internal:${makeToken(key, rump)}`)
    }
    out.ascii('* GENURLAUTH')
    for (const url of urls) out.byte(0x20).string(url)
    out.crlf()
  },
})
