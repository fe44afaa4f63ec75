// CRAM-MD5. RFC 2195. It needs the password itself (or its equivalent) at the server, so an account opts in.
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  challenge,
  failed,
  type SaslContext,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const cramMd5: SaslMechanism = {
  name: 'CRAM-MD5',
  revealsSecret: false,
  needs: 'opt-in',
  start(context) {
    let sent: string | undefined
    return {
      next(response) {
        if (sent !== undefined && response !== undefined) return run(context, sent, response)
        // RFC 4422 §5: the server speaks first; an initial response cannot be.
        if (response !== undefined) return failed('malformed')
        const random = context.randomBytes(12).toString('hex')
        sent = `<${random}.${Math.floor(context.now() / 1000)}@${context.hostname}>`
        return challenge(sent)
      },
    }
  },
}

async function run<Identity>(
  context: SaslContext<Identity>,
  sent: string,
  response: Buffer,
): Promise<SaslStep<Identity>> {
  // RFC 2195 §2: name, space, 32 lower-case hexadecimal digits. The name may hold spaces.
  const text = decodeUtf8(response)
  const at = text === undefined ? -1 : text.length - 33
  if (text === undefined || at < 1 || text[at] !== ' ' || !/^[0-9a-f]{32}$/.test(text.slice(at + 1))) {
    return failed('malformed')
  }
  const authcid = prepareName(text.slice(0, at))
  if (authcid === undefined) return failed('bad-credentials')
  const secret = await context.credentials.cramSecret(authcid)
  const digest = createHmac('md5', secret ?? 'nobody')
    .update(sent)
    .digest()
  const isRight = timingSafeEqual(digest, Buffer.from(text.slice(at + 1), 'hex'))
  if (!isRight || secret === undefined) return failed('bad-credentials', authcid)
  return verdict(await context.credentials.authorize('', authcid), authcid)
}
