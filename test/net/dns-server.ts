// A name server on loopback that answers from a table, for tests of the real resolver. RFC 1035 §4.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export type DnsAnswer =
  | { readonly kind: 'records'; readonly ttl: number; readonly data: readonly Buffer[] }
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'silence' }

export const dnsTypes = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const
export const noSuchDomain: DnsAnswer = { kind: 'code', code: 3 }
export const serverFailure: DnsAnswer = { kind: 'code', code: 2 }

export function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.')
  return Buffer.concat([
    ...labels.map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ])
}

/** Answers by `TYPE name`; what is not there does not exist. */
export async function dnsServer(t: TestContext, table: Readonly<Record<string, DnsAnswer>>) {
  const answers = new Map(Object.entries(table))
  const asked: string[] = []
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  socket.on('message', (query, peer) => {
    const { name, end } = readName(query)
    const number = query.readUInt16BE(end)
    const type = Object.entries(dnsTypes).find(([, value]) => value === number)?.[0] ?? 'OTHER'
    asked.push(`${type} ${name}`)
    const answer = answers.get(`${type} ${name}`) ?? noSuchDomain
    if (answer.kind === 'silence') return
    const records = answer.kind === 'records' ? answer.data : []
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    head.writeUInt16BE(0x8180 | (answer.kind === 'code' ? answer.code : 0), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    const ttl = answer.kind === 'records' ? answer.ttl : 0
    const bodies = records.map(data => {
      const record = Buffer.alloc(12)
      record.writeUInt16BE(0xc00c, 0)
      record.writeUInt16BE(number, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt32BE(ttl, 6)
      record.writeUInt16BE(data.length, 10)
      return Buffer.concat([record, data])
    })
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...bodies]), peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = `127.0.0.1:${socket.address().port}`
  return { address, asked, set: (key: string, answer: DnsAnswer) => answers.set(key, answer) }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}
