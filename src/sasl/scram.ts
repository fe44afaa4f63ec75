// SCRAM-SHA-1, SCRAM-SHA-256 and their -PLUS. RFC 5802; RFC 7677; RFC 5929 and RFC 9266 (channel bindings).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from './base64-response.ts'
import {
  type ChannelBinding,
  challenge,
  failed,
  type SaslContext,
  type SaslExchange,
  type SaslFailure,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8, prepareName } from './prepare.ts'
import { type ScramHash, type ScramKeys, scramHashBytes } from './scram-keys.ts'

export const scramSha1 = scram('SCRAM-SHA-1', 'sha1', false)
export const scramSha1Plus = scram('SCRAM-SHA-1-PLUS', 'sha1', true)
export const scramSha256 = scram('SCRAM-SHA-256', 'sha256', false)
export const scramSha256Plus = scram('SCRAM-SHA-256-PLUS', 'sha256', true)

function scram(name: string, hash: ScramHash, isPlus: boolean): SaslMechanism {
  return {
    name,
    revealsSecret: false,
    needs: isPlus ? 'channel-binding' : 'nothing',
    start: context => exchange(context, hash, isPlus),
  }
}

/** What the client said first, as far as the rest of the exchange needs it. */
interface ClientFirst {
  readonly gs2Header: string
  readonly channelBinding: Buffer | undefined
  readonly bare: string
  readonly authzid: string
  readonly authcid: string
  readonly nonce: string
}

interface ServerFirst extends ClientFirst {
  readonly message: string
  readonly serverNonce: string
  readonly keys: ScramKeys
}

type State<Identity> =
  | { readonly state: 'first' }
  | { readonly state: 'final'; readonly sent: ServerFirst }
  | { readonly state: 'confirm'; readonly identity: Identity }

function exchange<Identity>(
  context: SaslContext<Identity>,
  hash: ScramHash,
  isPlus: boolean,
): SaslExchange<Identity> {
  let state: State<Identity> = { state: 'first' }
  return {
    async next(response): Promise<SaslStep<Identity>> {
      if (response === undefined) return challenge('')
      const message = decodeUtf8(response)
      if (message === undefined) return failed('malformed')
      switch (state.state) {
        case 'first': {
          const first = parseFirst(message, isPlus, context.channelBinding)
          if (typeof first === 'string') return failed(first)
          const sent = await answerFirst(context, first, hash)
          state = { state: 'final', sent }
          return challenge(sent.message)
        }
        case 'final': {
          const { sent } = state
          const final = parseFinal(message, sent, hash)
          if (typeof final === 'string') return failed(final, sent.authcid)
          const signature = verify(sent, final, hash)
          if (!signature) return failed('bad-credentials', sent.authcid)
          const identity = await context.credentials.authorize(sent.authzid, sent.authcid)
          if (identity === undefined) return failed('bad-credentials', sent.authcid)
          // RFC 5802 §5: the server proves itself too. RFC 4422 §3.6: protocols without data at success send it as a challenge.
          state = { state: 'confirm', identity }
          return challenge(`v=${signature.toString('base64')}`)
        }
        case 'confirm':
          return message === '' ? verdict(state.identity) : failed('malformed')
      }
    },
  }
}

// client-first-message

/** RFC 5802 §7: gs2-header, then `[m=…,] n=…, r=… [, extensions]`. */
function parseFirst(
  message: string,
  isPlus: boolean,
  binding: ChannelBinding | undefined,
): ClientFirst | SaslFailure {
  const [flag, authzidPart, ...rest] = message.split(',')
  if (flag === undefined || authzidPart === undefined) return 'malformed'
  const channelBinding = bind(flag, isPlus, binding)
  if (typeof channelBinding === 'string') return channelBinding
  const [namePart, noncePart, ...extensions] = rest
  // RFC 5802 §5.1: a mandatory extension (`m=`) that is not understood fails; here it stands where `n=` must be.
  if (!namePart?.startsWith('n=') || !noncePart?.startsWith('r=')) return 'malformed'
  if (!extensions.every(isAttribute)) return 'malformed'
  const nonce = noncePart.slice(2)
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce)) return 'malformed'
  if (authzidPart !== '' && !authzidPart.startsWith('a=')) return 'malformed'
  const authzid = authzidPart === '' ? '' : readSaslName(authzidPart.slice(2))
  const authcid = readSaslName(namePart.slice(2))
  if (authzid === undefined || authcid === undefined) return 'malformed'
  return {
    gs2Header: `${flag},${authzidPart},`,
    channelBinding: channelBinding.data,
    bare: rest.join(','),
    authzid,
    authcid,
    nonce,
  }
}

/** RFC 5802 §6: what each flag means under each mechanism. */
function bind(
  flag: string,
  isPlus: boolean,
  binding: ChannelBinding | undefined,
): { data: Buffer | undefined } | SaslFailure {
  if (flag === 'n') return isPlus ? 'channel-binding' : { data: undefined }
  // The client could bind and believes that we cannot. If we offered it, someone took it out of our list.
  if (flag === 'y') return isPlus || binding ? 'channel-binding' : { data: undefined }
  if (!flag.startsWith('p=')) return 'malformed'
  if (!isPlus || !binding) return 'channel-binding'
  const type = flag.slice(2)
  if (type !== 'tls-exporter' && type !== 'tls-server-end-point' && type !== 'tls-unique') {
    return 'channel-binding'
  }
  const data = binding(type)
  return data ? { data } : 'channel-binding'
}

/** RFC 5802 §5.1: `=2C` and `=3D` stand for `,` and `=`, and no other `=` may be. */
function readSaslName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined
  return prepareName(text.replaceAll('=2C', ',').replaceAll('=3D', '='))
}

function isAttribute(text: string): boolean {
  return /^[A-Za-z]=./.test(text) && !text.startsWith('m=')
}

// server-first-message

async function answerFirst<Identity>(
  context: SaslContext<Identity>,
  first: ClientFirst,
  hash: ScramHash,
): Promise<ServerFirst> {
  const keys = await context.credentials.scramKeys(first.authcid, hash)
  const serverNonce = first.nonce + context.randomBytes(18).toString('base64')
  const message = `r=${serverNonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`
  return { ...first, message, serverNonce, keys }
}

// client-final-message

interface ClientFinal {
  readonly withoutProof: string
  readonly proof: Buffer
}

/** RFC 5802 §7: `c=…, r=… [, extensions], p=…`. */
function parseFinal(message: string, sent: ServerFirst, hash: ScramHash): ClientFinal | SaslFailure {
  const at = message.lastIndexOf(',p=')
  if (at === -1) return 'malformed'
  const withoutProof = message.slice(0, at)
  const [bindingPart, noncePart, ...extensions] = withoutProof.split(',')
  if (!bindingPart?.startsWith('c=') || !noncePart?.startsWith('r=')) return 'malformed'
  if (!extensions.every(isAttribute)) return 'malformed'
  const proof = decodeBase64(message.slice(at + 3))
  const bound = decodeBase64(bindingPart.slice(2))
  if (proof?.length !== scramHashBytes[hash] || !bound) return 'malformed'
  // A nonce of another exchange is a replay.
  if (noncePart.slice(2) !== sent.serverNonce) return 'bad-credentials'
  const expected = Buffer.concat([Buffer.from(sent.gs2Header), sent.channelBinding ?? Buffer.alloc(0)])
  if (expected.length !== bound.length || !timingSafeEqual(expected, bound)) return 'channel-binding'
  return { withoutProof, proof }
}

/** RFC 5802 §3: the server's signature when the proof is right. */
function verify(sent: ServerFirst, final: ClientFinal, hash: ScramHash): Buffer | undefined {
  const authMessage = `${sent.bare},${sent.message},${final.withoutProof}`
  const { storedKey, serverKey } = sent.keys
  const clientKey = createHmac(hash, storedKey).update(authMessage).digest()
  for (let i = 0; i < clientKey.length; i++) {
    clientKey[i] = (clientKey[i] as number) ^ (final.proof[i] as number)
  }
  const found = createHash(hash).update(clientKey).digest()
  if (found.length !== storedKey.length || !timingSafeEqual(found, storedKey)) return undefined
  return createHmac(hash, serverKey).update(authMessage).digest()
}
