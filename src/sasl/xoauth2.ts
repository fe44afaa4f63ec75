// XOAUTH2: Google's and Microsoft's forerunner of OAUTHBEARER, as their documents describe it; no RFC.
import { bearerMechanism, readBearer, readPairs, type BearerMessage } from './bearer.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const xoauth2 = bearerMechanism({
  name: 'XOAUTH2',
  parse: parseXoauth2Message,
  error: oauth => ({ status: '401', schemes: 'bearer', scope: oauth?.scope }),
})

/** `user=NAME^Aauth=Bearer TOKEN^A^A`. */
function parseXoauth2Message(response: Buffer): BearerMessage | undefined {
  const text = decodeUtf8(response)
  const parts = text?.split('\x01')
  if (!parts || parts.length < 4 || parts.at(-1) !== '' || parts.at(-2) !== '') return undefined
  const [userPart, ...others] = parts.slice(0, -2)
  // The name may be outside ASCII, other values not.
  if (!userPart?.startsWith('user=')) return undefined
  const name = prepareName(userPart.slice(5))
  const token = readBearer(readPairs(others)?.get('auth'))
  return name === undefined || token === undefined ? undefined : { name, token }
}
