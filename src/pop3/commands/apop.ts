// APOP, for accounts that have opted in to a shared secret. RFC 1939 §7, §13; RFC 6856 §2.2.
//
// The server must know the secret itself to check the digest, and MD5 is weak: so it is off unless the configuration and the account want it.
import { createHash, timingSafeEqual } from 'node:crypto'
import { command } from '../command.ts'
import { bad } from '../error.ts'
import { openMaildrop } from '../open-maildrop.ts'

export const apop = command({
  name: 'APOP',
  state: 'authorization',
  parse(args) {
    const text = args ?? Buffer.alloc(0)
    const at = text.lastIndexOf(' ')
    const digest = text.toString('latin1', at + 1)
    if (at < 1 || !/^[0-9a-f]{32}$/.test(digest)) throw bad(texts => texts.syntax)
    return { name: Buffer.from(text.subarray(0, at)), digest: Buffer.from(digest, 'hex') }
  },
  async run(session, { name, digest }) {
    const { timestamp, context, peer } = session
    if (timestamp === undefined) throw bad(texts => texts.unknownMechanism)
    await openMaildrop(session, () =>
      context.login.digest(peer, name, secret => {
        const expected = createHash('md5')
          .update(timestamp + (secret ?? ''))
          .digest()
        return timingSafeEqual(expected, digest)
      }),
    )
  },
})
