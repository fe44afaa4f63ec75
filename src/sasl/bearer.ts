// What OAUTHBEARER and XOAUTH2 have in common: one message with a bearer token (RFC 6750 §2.1), and an error that is a challenge of JSON.
import { challenge, failed, type SaslContext, type SaslMechanism } from './mechanism.ts'

export interface BearerMessage {
  /** Who the token is said to be of; '' where only the token says so. */
  readonly name: string
  /** '' asks for the error, to discover the issuer. */
  readonly token: string
}

export interface BearerForm {
  readonly name: SaslMechanism['name']
  readonly parse: (response: Buffer) => BearerMessage | undefined
  /** What the client is told of a token that is refused. */
  readonly error: (oauth: SaslContext<unknown>['oauth']) => Readonly<Record<string, string | undefined>>
}

export function bearerMechanism({ name, parse, error }: BearerForm): SaslMechanism {
  return {
    name,
    revealsSecret: true,
    needs: 'nothing',
    start(context) {
      let refused: BearerMessage | undefined
      return {
        async next(response) {
          if (response === undefined) return challenge('')
          // RFC 7628 §3.2.3: the dummy response after an error; whatever it is, the exchange has failed.
          if (refused) return failed('bad-credentials', refused.name)
          const message = parse(response)
          if (!message) return failed('malformed')
          // An empty token is no token: nobody is asked about it.
          const identity =
            message.token === ''
              ? undefined
              : await context.credentials.verifyToken(message.name, message.token)
          if (identity !== undefined) return { kind: 'done', identity }
          refused = message
          return challenge(JSON.stringify(error(context.oauth)))
        },
      }
    },
  }
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
