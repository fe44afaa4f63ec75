// LOGIN, obsolete and still spoken by Outlook and many devices. draft-murchison-sasl-login-00, with the prompts that everyone sends.
import {
  challenge,
  failed,
  type SaslContext,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8, prepareName, preparePassword } from './prepare.ts'

export const login: SaslMechanism = {
  name: 'LOGIN',
  revealsSecret: true,
  needs: 'nothing',
  start(context) {
    let name: Buffer | undefined
    return {
      next(response) {
        if (response === undefined) return challenge('Username:')
        if (name !== undefined) return run(context, name, response)
        // The draft has the server speak first; clients that send the name at once are understood too.
        name = response
        return challenge('Password:')
      },
    }
  },
}

async function run<Identity>(
  context: SaslContext<Identity>,
  name: Buffer,
  secret: Buffer,
): Promise<SaslStep<Identity>> {
  const authcidText = decodeUtf8(name)
  const passwordText = decodeUtf8(secret)
  if (!authcidText || !passwordText) return failed('malformed')
  const authcid = prepareName(authcidText)
  if (authcid === undefined) return failed('bad-credentials')
  const password = preparePassword(passwordText)
  if (password === undefined) return failed('bad-credentials', authcid)
  return verdict(await context.credentials.verifyPassword('', authcid, password), authcid)
}
