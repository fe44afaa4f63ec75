// XOAUTH2: Google's and Microsoft's forerunner of OAUTHBEARER, as their documents describe it; no RFC.
import { challenge, failed, type SaslContext, type SaslMechanism } from './mechanism.ts'
import { readBearer, readPairs, verifyToken } from './oauthbearer.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const xoauth2: SaslMechanism = {
  name: 'XOAUTH2',
  revealsSecret: true,
  needs: 'nothing',
  start(context) {
    let refused: { readonly authcid: string } | undefined
    return {
      async next(response) {
        if (response === undefined) return challenge('')
        // The empty response to the error.
        if (refused) return failed('bad-credentials', refused.authcid)
        const message = parseXoauth2Message(response)
        if (!message) return failed('malformed')
        const identity = await verifyToken(context, message.user, message.token)
        if (identity !== undefined) return { kind: 'done', identity }
        refused = { authcid: message.user }
        return challenge(errorStatus(context))
      },
    }
  },
}

/** `user=NAME^Aauth=Bearer TOKEN^A^A`. */
function parseXoauth2Message(
  response: Buffer,
): { readonly user: string; readonly token: string } | undefined {
  const text = decodeUtf8(response)
  const parts = text?.split('\x01')
  if (!parts || parts.length < 4 || parts.at(-1) !== '' || parts.at(-2) !== '') return undefined
  const [userPart, ...others] = parts.slice(0, -2)
  // The name may be outside ASCII, other values not.
  if (!userPart?.startsWith('user=')) return undefined
  const user = prepareName(userPart.slice(5))
  const token = readBearer(readPairs(others)?.get('auth'))
  return user === undefined || token === undefined ? undefined : { user, token }
}

function errorStatus<Identity>({ oauth }: SaslContext<Identity>): string {
  return JSON.stringify({ status: '401', schemes: 'bearer', scope: oauth?.scope })
}
