// OAUTHBEARER. RFC 7628; RFC 6750 §2.1 (the token's syntax).
import { challenge, failed, type SaslContext, type SaslMechanism } from './mechanism.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const oauthBearer: SaslMechanism = {
  name: 'OAUTHBEARER',
  revealsSecret: true,
  needs: 'nothing',
  start(context) {
    let refused: { readonly authcid: string } | undefined
    return {
      async next(response) {
        if (response === undefined) return challenge('')
        // RFC 7628 §3.2.3: the dummy response after an error; whatever it is, the exchange has failed.
        if (refused) return failed('bad-credentials', refused.authcid)
        const message = parseOauthMessage(response)
        if (!message) return failed('malformed')
        const { authzid, token } = message
        const identity = await verifyToken(context, authzid, token)
        if (identity !== undefined) return { kind: 'done', identity }
        refused = { authcid: authzid }
        return challenge(errorStatus(context))
      },
    }
  },
}

/** RFC 7628 §3.1: `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer token^A^A`. A token of '' asks for the error, to discover the issuer. */
export function parseOauthMessage(
  response: Buffer,
): { readonly authzid: string; readonly token: string } | undefined {
  const text = decodeUtf8(response)
  const parts = text?.split('\x01')
  if (!parts || parts.length < 3 || parts.at(-1) !== '' || parts.at(-2) !== '') return undefined
  // RFC 5801 §4: only `n` and `y`, for this mechanism binds no channel.
  const header = /^[ny],(?:a=([^,]+))?,$/.exec(parts[0] ?? '')
  if (!header) return undefined
  const pairs = readPairs(parts.slice(1, -2))
  const token = pairs && readBearer(pairs.get('auth'))
  const name = header[1]
  if (token === undefined) return undefined
  if (name === undefined) return { authzid: '', token }
  if (/=(?!2C|3D)/.test(name)) return undefined
  const authzid = prepareName(name.replaceAll('=2C', ',').replaceAll('=3D', '='))
  return authzid === undefined ? undefined : { authzid, token }
}

/** Key/value pairs; a key given twice could be read two ways, so it is refused. */
export function readPairs(parts: readonly string[]): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>()
  for (const part of parts) {
    const pair = /^([A-Za-z]+)=([\t\r\n\x20-\x7e]*)$/.exec(part)
    if (!pair || pairs.has(pair[1] as string)) return undefined
    pairs.set(pair[1] as string, pair[2] as string)
  }
  return pairs
}

/** RFC 6750 §2.1: `Bearer` SP b64token. '' for an empty value. */
export function readBearer(auth: string | undefined): string | undefined {
  if (auth === '') return ''
  return /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(auth ?? '')?.[1]
}

/** An empty token is no token: nobody is asked about it. */
export async function verifyToken<Identity>(
  context: SaslContext<Identity>,
  authzid: string,
  token: string,
): Promise<Identity | undefined> {
  return token === '' ? undefined : context.credentials.verifyToken(authzid, token)
}

/** RFC 7628 §3.2.2. */
function errorStatus<Identity>({ oauth }: SaslContext<Identity>): string {
  return JSON.stringify({
    status: 'invalid_token',
    scope: oauth?.scope,
    'openid-configuration': oauth?.openidConfiguration,
  })
}
