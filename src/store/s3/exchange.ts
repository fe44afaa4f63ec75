// One request and its answer over HTTP/1.1 on a connection that is used again. RFC 9112.
import { type Agent, type ClientRequest, type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { S3Error } from './error.ts'

export interface Exchange {
  readonly isTls: boolean
  readonly host: string
  readonly port: number
  readonly agent: Agent
  readonly method: string
  /** Path and query, encoded. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | Readable | undefined
  /** For the whole of it. */
  readonly deadlineMs: number
  /** Nothing moves for so long. */
  readonly idleMs: number
  /** The most that the answer's body may be. */
  readonly maxBytes: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Settles when the whole answer is there. Throws `S3Error` without a status for whatever the network did. */
export async function exchange(options: Exchange): Promise<Answer> {
  const send = options.isTls ? httpsRequest : httpRequest
  const request = send({
    host: options.host,
    port: options.port,
    agent: options.agent,
    method: options.method,
    path: options.target,
    headers: options.headers,
    setHost: false,
  })
  const deadline = setTimeout(
    () => request.destroy(new S3Error('ETIMEDOUT', `no answer within ${options.deadlineMs} ms`)),
    options.deadlineMs,
  )
  request.setTimeout(options.idleMs, () =>
    request.destroy(new S3Error('ETIMEDOUT', `nothing moved for ${options.idleMs} ms`)),
  )
  try {
    const answer = answerTo(request, options)
    if (options.body instanceof Readable) {
      // What breaks the body off breaks the request off, whose error `answer` tells; unless the server has refused it by then, and says why.
      pipeline(options.body, request).catch((error: unknown) => request.destroy(error as Error))
    } else request.end(options.body)
    return await answer
  } catch (error) {
    request.destroy()
    if (error instanceof S3Error) throw error
    const { code = 'ENETWORK', message } = error as NodeJS.ErrnoException
    throw new S3Error(code, message, { cause: error })
  } finally {
    clearTimeout(deadline)
  }
}

function answerTo(request: ClientRequest, { method, maxBytes }: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  request.on('error', reject)
  request.on('response', response => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    response.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) {
        response.destroy(new S3Error('TooLarge', `the answer is longer than ${maxBytes} bytes`))
      } else chunks.push(chunk)
    })
    response.on('error', reject)
    response.on('end', () => {
      const wanted = response.headers['content-length']
      if (method !== 'HEAD' && wanted !== undefined && Number(wanted) !== sizeBytes) {
        reject(new S3Error('Truncated', `the answer ended after ${sizeBytes} of ${wanted} bytes`))
        return
      }
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
      })
    })
    response.on('close', () => {
      if (!response.complete) reject(new S3Error('Truncated', 'the connection ended within the answer'))
    })
  })
  return promise
}
