// OAUTHBEARER. RFC 7628; RFC 6750 §2.1 (the token's syntax).
import { bearerMechanism, readBearer, readPairs, type BearerMessage } from './bearer.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const oauthBearer = bearerMechanism({
  name: 'OAUTHBEARER',
  parse: parseOauthMessage,
  // RFC 7628 §3.2.2.
  error: oauth => ({
    status: 'invalid_token',
    scope: oauth?.scope,
    'openid-configuration': oauth?.openidConfiguration,
  }),
})

/** RFC 7628 §3.1: `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer token^A^A`. A token of '' asks for the error, to discover the issuer. */
function parseOauthMessage(response: Buffer): BearerMessage | undefined {
  const text = decodeUtf8(response)
  const parts = text?.split('\x01')
  if (!parts || parts.length < 3 || parts.at(-1) !== '' || parts.at(-2) !== '') return undefined
  // RFC 5801 §4: only `n` and `y`, for this mechanism binds no channel.
  const header = /^[ny],(?:a=([^,]+))?,$/.exec(parts[0] ?? '')
  if (!header) return undefined
  const pairs = readPairs(parts.slice(1, -2))
  const token = pairs && readBearer(pairs.get('auth'))
  const encoded = header[1]
  if (token === undefined) return undefined
  if (encoded === undefined) return { name: '', token }
  if (/=(?!2C|3D)/.test(encoded)) return undefined
  const name = prepareName(encoded.replaceAll('=2C', ',').replaceAll('=3D', '='))
  return name === undefined ? undefined : { name, token }
}
