// A client for one bucket: put, ranged get, head, list, delete many. Amazon S3 REST API, and the servers compatible with it.
//
// Every request is signed over the SHA-256 of its body, which the server checks. Whatever is temporary (no answer, a torn answer, 5xx, SlowDown) is
// tried again with growing pauses until the operation's deadline. All requests may be repeated: names are written once, with one content.
import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { limits } from '../../base/limits.ts'
import type { Metrics } from '../../base/metrics.ts'
import { silentMetrics } from '../../base/metrics.ts'
import { S3Error } from './error.ts'
import { type Answer, exchange } from './exchange.ts'
import { emptyHash, encodePath, encodeQuery, type S3Credentials, Signer } from './signature.ts'
import { elementsOf, encodeText, findElement } from './xml.ts'

/** Where objects lie. Plain values: it crosses threads. */
export interface S3Place extends S3Credentials {
  /** `http://` or `https://`, host, perhaps a port. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** In front of each name; '' or something that ends in `/`. */
  readonly prefix: string
  /** The bucket is the first word of the path, not of the host name. */
  readonly pathStyle: boolean
  /** PEM of the authorities that TLS trusts in place of the system's. */
  readonly ca?: string | undefined
}

/** Bytes whose SHA-256 is known. A stream is asked for anew by each attempt. */
export interface ObjectContent {
  readonly sizeBytes: number
  /** Hexadecimal. */
  readonly sha256: string
  readonly open: () => Uint8Array | Readable
}

export interface ListedObject {
  /** Without the prefix. */
  readonly name: string
  readonly sizeBytes: number
  /** By the server's clock. */
  readonly modifiedAt: number
}

export interface ObjectPage {
  readonly objects: readonly ListedObject[]
  /** There are more after the last one. */
  readonly isTruncated: boolean
  /** What the server's clock said. */
  readonly serverNow: number
}

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'HEAD' | 'POST'
  /** Without the prefix; '' for the bucket itself. */
  readonly name: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: ObjectContent
  readonly maxBytes: number
}

export interface S3ClientOptions {
  readonly metrics?: Metrics | undefined
  /** Milliseconds since 1970, for signatures. */
  readonly now?: (() => number) | undefined
  /** From 0 to 1, for pauses. */
  readonly random?: (() => number) | undefined
}

export class S3Client {
  readonly #place: S3Place
  readonly #metrics: Metrics
  readonly #now: () => number
  readonly #random: () => number
  readonly #signer: Signer
  readonly #agent: Agent
  readonly #isTls: boolean
  readonly #host: string
  readonly #port: number
  readonly #hostField: string
  readonly #closing = new AbortController()

  constructor(place: S3Place, options: S3ClientOptions = {}) {
    this.#place = place
    this.#metrics = options.metrics ?? silentMetrics
    this.#now = options.now ?? (() => Date.now())
    this.#random = options.random ?? (() => Math.random())
    this.#signer = new Signer(place, place.region)
    const url = new URL(place.endpoint)
    this.#isTls = url.protocol === 'https:'
    const host = place.pathStyle ? url.hostname : `${place.bucket}.${url.hostname}`
    this.#host = host.replaceAll(/^\[|\]$/g, '')
    this.#port = url.port === '' ? (this.#isTls ? 443 : 80) : Number(url.port)
    this.#hostField = url.port === '' ? host : `${host}:${url.port}`
    const agentOptions = {
      keepAlive: true,
      maxSockets: limits.s3.connections,
      maxFreeSockets: limits.s3.connections,
      // The connection that was used last is the least likely to have been closed by the server.
      scheduling: 'lifo' as const,
    }
    this.#agent = this.#isTls
      ? new TlsAgent({ ...agentOptions, ...(place.ca !== undefined && { ca: place.ca }) })
      : new Agent(agentOptions)
  }

  /** Writes an object whole, or not at all. Throws `S3Error`. */
  async put(name: string, content: ObjectContent): Promise<void> {
    await this.#ask({
      method: 'PUT',
      name,
      content,
      headers: { 'content-type': 'application/octet-stream' },
      maxBytes: limits.s3.answerBytes,
    })
  }

  /** Bytes `start` to `end` (exclusive, more than `start`) of an object; undefined when there is none of that name. Throws `S3Error`. */
  async get(name: string, start: number, end: number): Promise<Buffer | undefined> {
    const range = `bytes=${start}-${end - 1}`
    const answer = await this.#find({
      method: 'GET',
      name,
      headers: { range },
      maxBytes: Math.max(end - start, limits.s3.answerBytes),
      check({ status, body }) {
        // RFC 9110 §14.2 lets a server ignore a range; a whole object is no use where a part was wanted.
        const isWhole = status === 200 && start === 0
        if (body.length !== end - start || (status !== 206 && !isWhole)) {
          throw new S3Error('WrongRange', `${body.length} bytes came where ${end - start} were asked for`)
        }
      },
    })
    return answer?.body
  }

  /** Undefined when there is no such object. */
  async head(name: string): Promise<Omit<ListedObject, 'name'> | undefined> {
    const answer = await this.#find({ method: 'HEAD', name, maxBytes: 0 })
    return (
      answer && {
        sizeBytes: Number(answer.headers['content-length']),
        modifiedAt: Date.parse(answer.headers['last-modified'] ?? ''),
      }
    )
  }

  /** Objects in the order of their names, a page at a time: those after `after`, a name, or from the first one. */
  async list(after?: string, pageObjects: number = limits.s3.pageObjects): Promise<ObjectPage> {
    const { prefix } = this.#place
    const { headers, body } = await this.#ask({
      method: 'GET',
      name: '',
      query: {
        'list-type': '2',
        'max-keys': String(pageObjects),
        prefix,
        // A name, not the server's token, so that a run that was interrupted goes on where it was.
        ...(after !== undefined && { 'start-after': prefix + after }),
      },
      maxBytes: limits.s3.pageBytes,
    })
    const xml = body.toString('utf8')
    const objects = Array.from(elementsOf(xml, 'Contents'), inner => ({
      name: (findElement(inner, 'Key') ?? '').slice(prefix.length),
      sizeBytes: Number(findElement(inner, 'Size')),
      modifiedAt: Date.parse(findElement(inner, 'LastModified') ?? ''),
    }))
    return {
      objects,
      isTruncated: findElement(xml, 'IsTruncated') === 'true',
      serverNow: Date.parse(headers.date ?? '') || this.#now(),
    }
  }

  /** Removes up to `limits.s3.pageObjects` objects; those that are not there are removed already. Throws `S3Error` when one was refused. */
  async deleteMany(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const keys = names.map(name => `<Object><Key>${encodeText(this.#place.prefix + name)}</Key></Object>`)
    const bytes = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${keys.join('')}</Delete>`,
    )
    const { body } = await this.#ask({
      method: 'POST',
      name: '',
      query: { delete: '' },
      // S3 insists on a checksum beside the signature; this is the one that every server knows.
      headers: {
        'content-md5': createHash('md5').update(bytes).digest('base64'),
        'content-type': 'application/xml',
      },
      content: contentOf(bytes),
      maxBytes: limits.s3.pageBytes,
    })
    const [refused] = elementsOf(body.toString('utf8'), 'Error')
    if (refused === undefined) return
    throw new S3Error(
      findElement(refused, 'Code') ?? 'Unknown',
      findElement(refused, 'Message') ?? 'refused',
      {
        status: 403,
      },
    )
  }

  /** Lets go of the connections; what is under way fails. */
  close(): void {
    this.#closing.abort()
    this.#agent.destroy()
  }

  /** Undefined for 404 of an object. */
  async #find(
    request: S3Request & { readonly check?: (answer: Answer) => void },
  ): Promise<Answer | undefined> {
    try {
      return await this.#ask(request)
    } catch (error) {
      // A HEAD's answer has no body to say which it is; a missing bucket is told by `list`.
      if (error instanceof S3Error && error.status === 404 && error.code !== 'NoSuchBucket') return undefined
      throw error
    }
  }

  async #ask(request: S3Request & { readonly check?: (answer: Answer) => void }): Promise<Answer> {
    const sizeBytes = Math.max(request.content?.sizeBytes ?? 0, request.maxBytes)
    const deadlineMs = limits.s3.operationMs + Math.ceil((sizeBytes / limits.s3.minBytesPerSecond) * 1000)
    const end = performance.now() + deadlineMs
    for (let attempt = 1; ; attempt++) {
      const startMs = performance.now()
      try {
        const answer = await this.#askOnce(request, end - startMs)
        request.check?.(answer)
        this.#observe(request, startMs, 'ok')
        return answer
      } catch (error) {
        if (!(error instanceof S3Error)) throw error
        this.#observe(request, startMs, error.status === 404 ? 'missing' : 'failed')
        if (this.#closing.signal.aborted) throw error
        // A torn or wrong answer came with a good status: `isTemporary` asks for the status of the refusal.
        if (!error.isTemporary || attempt >= limits.s3.attempts) throw error
        const pauseMs = this.#pauseAfter(attempt, error)
        if (performance.now() + pauseMs >= end) throw error
        await pause(pauseMs, undefined, { signal: this.#closing.signal })
      }
    }
  }

  /** Full jitter: many nodes that were refused together do not come back together. */
  #pauseAfter(attempt: number, { retryAfterMs }: S3Error): number {
    if (retryAfterMs !== undefined) return Math.min(retryAfterMs, limits.s3.longestPauseMs)
    return this.#random() * Math.min(limits.s3.firstPauseMs * 2 ** (attempt - 1), limits.s3.longestPauseMs)
  }

  async #askOnce(request: S3Request, deadlineMs: number): Promise<Answer> {
    const { method, name, query = {}, content } = request
    const { bucket, prefix, pathStyle } = this.#place
    const key = name === '' ? '' : prefix + name
    const path = encodePath(pathStyle ? `/${bucket}/${key}`.replace(/\/$/, '') : `/${key}`)
    const headers = this.#signer.sign(
      {
        method,
        host: this.#hostField,
        path,
        query,
        headers: { ...request.headers, ...(content && { 'content-length': String(content.sizeBytes) }) },
        bodyHash: content?.sha256 ?? emptyHash,
      },
      this.#now(),
    )
    const search = encodeQuery(query)
    const answer = await exchange({
      isTls: this.#isTls,
      host: this.#host,
      port: this.#port,
      agent: this.#agent,
      method,
      target: search === '' ? path : `${path}?${search}`,
      headers,
      body: content?.open(),
      deadlineMs,
      idleMs: limits.s3.idleMs,
      maxBytes: Math.max(request.maxBytes, limits.s3.answerBytes),
    })
    if (answer.status >= 200 && answer.status < 300) return answer
    throw refusalOf(answer, method, key)
  }

  #observe({ method }: S3Request, startMs: number, outcome: string): void {
    this.#metrics.count('s3_requests', { method, outcome })
    this.#metrics.observe('s3_request_seconds', (performance.now() - startMs) / 1000, { method })
  }
}

/** An object's content of bytes that are at hand. */
export function contentOf(bytes: Uint8Array, sha256?: string): ObjectContent {
  return {
    sizeBytes: bytes.byteLength,
    sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex'),
    open: () => bytes,
  }
}

function refusalOf({ status, headers, body }: Answer, method: string, key: string): S3Error {
  const xml = body.toString('utf8')
  const code = findElement(xml, 'Code') ?? `Http${status}`
  const text = findElement(xml, 'Message') ?? 'no reason was given'
  const seconds = Number(headers['retry-after'])
  return new S3Error(
    code,
    `S3 answered ${method} ${key || 'of the bucket'} with ${status} ${code}: ${text}`,
    {
      status,
      retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
    },
  )
}
