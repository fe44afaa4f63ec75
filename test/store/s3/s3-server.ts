// An S3 server for tests: s3rver, which verifies signatures and speaks ranges and listings, behind a gate of ours that verifies what s3rver does not
// (that there is a signature, the hash of the body, the time), keeps a list of what was asked, and fails on demand.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createSecureServer } from 'node:https'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'
import type { S3Place } from '../../../src/store/s3/client.ts'
import { type Ending, temporaryFolder } from '../fixture.ts'

export type Fault =
  /** Refuses, without having done anything. */
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly code: string
      readonly retryAfterSeconds?: number
    }
  /** Ends the connection before, or after, the server did what was asked. */
  | { readonly kind: 'cut'; readonly isDone: boolean }
  /** Sends the first half of the answer's body. */
  | { readonly kind: 'truncate' }
  /** Changes one byte of the answer's body. */
  | { readonly kind: 'corrupt' }
  /** Waits before it does what was asked. */
  | { readonly kind: 'wait'; readonly until: Promise<void> }

export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly range: string | undefined
}

export interface S3TestServer {
  readonly place: S3Place
  /** All that was asked, in order. */
  readonly seen: SeenRequest[]
  /** Chooses what goes wrong; nothing by default. */
  fault: ((request: SeenRequest) => Fault | undefined) | undefined
  /** Connections that were opened. */
  connections(): number
}

const secret = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
const bucket = 'mail'

/** Starts one with an empty bucket; it ends with the test, or with the file's tests. */
export async function startS3(
  t: Ending,
  prefix = 'bodies/',
  /** PEM: it speaks TLS with this. */
  certificate?: Buffer,
): Promise<S3TestServer> {
  const inner = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: join(temporaryFolder(t), 's3'),
    configureBuckets: [{ name: bucket }],
  })
  const { port } = await inner.run()
  t.after(() => inner.close())
  let connections = 0
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    // A test that is over has closed what a late request asks.
    pass(server, request, response, port).catch(() => response.destroy())
  }
  const gate = certificate
    ? createSecureServer({ cert: certificate, key: certificate }, answer)
    : createServer(answer)
  gate.on('connection', () => connections++)
  await new Promise<void>(resolve => {
    gate.listen(0, '127.0.0.1', resolve)
  })
  t.after(async () => {
    gate.closeAllConnections()
    await new Promise(resolve => gate.close(resolve))
  })
  const server: S3TestServer = {
    place: {
      ...secret,
      endpoint: `${certificate ? 'https' : 'http'}://127.0.0.1:${(gate.address() as AddressInfo).port}`,
      region: 'eu-test-1',
      bucket,
      prefix,
      pathStyle: true,
    },
    seen: [],
    fault: undefined,
    connections: () => connections,
  }
  return server
}

async function pass(
  server: S3TestServer,
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
): Promise<void> {
  const { method = '', url = '', headers } = request
  const body = await readAll(request)
  const seen = { method, target: url, range: headers.range }
  server.seen.push(seen)
  const fault = server.fault?.(seen)
  if (headers.authorization === undefined) return refuse(response, 403, 'AccessDenied')
  if (createHash('sha256').update(body).digest('hex') !== headers['x-amz-content-sha256']) {
    return refuse(response, 400, 'XAmzContentSHA256Mismatch')
  }
  if (Math.abs(dateOf(headers['x-amz-date']) - Date.now()) > 15 * 60_000) {
    return refuse(response, 403, 'RequestTimeTooSkewed')
  }
  if (fault?.kind === 'refuse') return refuse(response, fault.status, fault.code, fault.retryAfterSeconds)
  if (fault?.kind === 'cut' && !fault.isDone) return void response.destroy()
  if (fault?.kind === 'wait') await fault.until
  if (response.destroyed) return
  const answer = await perform(request, body, port)
  if (fault?.kind === 'cut') return void response.destroy()
  const answered = fault?.kind === 'corrupt' ? flipByte(answer.body) : answer.body
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(method !== 'HEAD' && { 'content-length': String(answered.length) }),
  })
  if (fault?.kind === 'truncate') {
    response.write(answered.subarray(0, answered.length >> 1), () => response.destroy())
    return
  }
  response.end(answered)
}

/** `20261125T194000Z` */
function dateOf(time: string | string[] | undefined): number {
  return Date.parse(String(time).replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'))
}

function flipByte(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
  return copy
}

function refuse(response: ServerResponse, status: number, code: string, retryAfterSeconds?: number): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants</Message></Error>`)
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function perform(
  { method, url = '', headers }: IncomingMessage,
  body: Buffer,
  port: number,
): Promise<Answer> {
  const answer = await forward({ method, url, headers }, body, port)
  const query = new URL(url, 'http://s3.test').searchParams
  if (answer.status !== 500 || query.get('list-type') !== '2') return answer
  // s3rver, once it has verified the signature, makes the token of a further page with DES, which OpenSSL 3 no longer has. The older listing needs none.
  const older = new URLSearchParams({
    prefix: query.get('prefix') ?? '',
    marker: query.get('start-after') ?? '',
    'max-keys': query.get('max-keys') ?? '',
  })
  return forward(
    { method: 'GET', url: `${url.split('?')[0]}?${older.toString()}`, headers: { host: headers.host } },
    body,
    port,
  )
}

async function forward(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
  port: number,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  httpRequest({ host: '127.0.0.1', port, method, path: url, headers, setHost: false, agent: false })
    .on('response', resolve)
    .on('error', reject)
    .end(body)
  const answer = await promise
  const { 'transfer-encoding': _coding, connection: _connection, ...rest } = answer.headers
  return { status: answer.statusCode ?? 0, headers: rest, body: await readAll(answer) }
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
