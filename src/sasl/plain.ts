// PLAIN. RFC 4616.
import {
  failed,
  challenge,
  type SaslContext,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8, prepareName, preparePassword } from './prepare.ts'

export const plain: SaslMechanism = {
  name: 'PLAIN',
  revealsSecret: true,
  needs: 'nothing',
  start: context => ({ next: response => (response ? run(context, response) : challenge('')) }),
}

async function run<Identity>(context: SaslContext<Identity>, message: Buffer): Promise<SaslStep<Identity>> {
  const first = message.indexOf(0)
  const second = first === -1 ? -1 : message.indexOf(0, first + 1)
  if (second === -1) return failed('malformed')
  const authzidText = decodeUtf8(message.subarray(0, first))
  const authcidText = decodeUtf8(message.subarray(first + 1, second))
  // A third NUL would be in the password, where decodeUtf8 refuses it.
  const passwordText = decodeUtf8(message.subarray(second + 1))
  if (authzidText === undefined || !authcidText || !passwordText) return failed('malformed')
  const authzid = authzidText === '' ? '' : prepareName(authzidText)
  const authcid = prepareName(authcidText)
  const password = preparePassword(passwordText)
  // RFC 4616 §2: if preparation fails, verification fails.
  if (authzid === undefined || authcid === undefined) return failed('bad-credentials')
  if (password === undefined) return failed('bad-credentials', authcid)
  return verdict(await context.credentials.verifyPassword(authzid, authcid, password), authcid)
}
