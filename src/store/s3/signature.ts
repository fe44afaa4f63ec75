// What a request to S3 is signed with. AWS Signature Version 4, in headers, for the service `s3`.
import { createHmac, hash } from 'node:crypto'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined
}

export interface UnsignedRequest {
  readonly method: string
  /** As the Host field has it, with a port that is not the scheme's own. */
  readonly host: string
  /** Encoded by `encodePath`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, hexadecimal: the server refuses any other body. */
  readonly bodyHash: string
}

/** What `hash` of nothing is. */
export const emptyHash = hash('sha256', '', 'hex')

export class Signer {
  readonly #credentials: S3Credentials
  readonly #region: string
  #key: { readonly day: string; readonly bytes: Buffer } | undefined

  constructor(credentials: S3Credentials, region: string) {
    this.#credentials = credentials
    this.#region = region
  }

  /** All the fields to send: those of the request, and what signing adds. */
  sign(request: UnsignedRequest, nowMs: number): Record<string, string> {
    const { accessKeyId, sessionToken } = this.#credentials
    const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
    const scope = `${time.slice(0, 8)}/${this.#region}/s3/aws4_request`
    const headers: Record<string, string> = {
      ...request.headers,
      host: request.host,
      'x-amz-content-sha256': request.bodyHash,
      'x-amz-date': time,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    }
    const names = Object.keys(headers).sort()
    const canonical = [
      request.method,
      request.path,
      encodeQuery(request.query),
      ...names.map(name => `${name}:${headers[name]?.trim()}`),
      '',
      names.join(';'),
      request.bodyHash,
    ].join('\n')
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`
    const signature = createHmac('sha256', this.#keyFor(time.slice(0, 8)))
      .update(text)
      .digest('hex')
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
    return headers
  }

  #keyFor(day: string): Buffer {
    if (this.#key?.day !== day) {
      let bytes: Buffer = Buffer.from(`AWS4${this.#credentials.secretAccessKey}`)
      for (const part of [day, this.#region, 's3', 'aws4_request']) {
        bytes = createHmac('sha256', bytes).update(part).digest()
      }
      this.#key = { day, bytes }
    }
    return this.#key.bytes
  }
}

/** A path as it is both sent and signed: each byte but RFC 3986's unreserved ones and `/` as %XX. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeWord).join('/')
}

/** A query as it is both sent and signed. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map(name => `${encodeWord(name)}=${encodeWord(query[name] ?? '')}`)
    .join('&')
}

function encodeWord(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
