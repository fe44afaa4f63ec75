import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { DnsResolver } from '../../src/net/dns-resolver.ts'
import { DnsError, isNotFound, type Resolver } from '../../src/net/resolver.ts'
import { type DnsAnswer, dnsServer, encodeName, serverFailure } from './dns-server.ts'
import { FakeResolver } from './fake-resolver.ts'

const records = (...data: Buffer[]): DnsAnswer => ({ kind: 'records', ttl: 30, data })
const mx = (preference: number, name: string) =>
  Buffer.concat([Buffer.from([preference >> 8, preference & 255]), encodeName(name)])
const text = (...strings: string[]) =>
  Buffer.concat(strings.map(each => Buffer.concat([Buffer.from([each.length]), Buffer.from(each)])))
const tlsa = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 0xab) }

/** The same names by the wire and by the table. */
async function both(t: TestContext): Promise<readonly [string, Resolver][]> {
  const empty = records()
  const server = await dnsServer(t, {
    'MX example.org': records(mx(20, 'b.example.org'), mx(10, 'a.example.org')),
    'MX null.example': records(mx(0, '')),
    'A example.org': records(Buffer.from([192, 0, 2, 1]), Buffer.from([192, 0, 2, 2])),
    'AAAA example.org': records(Buffer.from('20010db8000000000000000000000001', 'hex')),
    'TXT example.org': records(text('v=spf1 ', '-all')),
    'PTR 1.2.0.192.in-addr.arpa': records(encodeName('a.example.org')),
    'TLSA _25._tcp.a.example.org': records(Buffer.concat([Buffer.from([3, 1, 1]), tlsa.data])),
    'MX a.example.org': empty,
    'A broken.example': serverFailure,
    'A xn--bcher-kva.example': records(Buffer.from([192, 0, 2, 3])),
  })
  const fake = new FakeResolver({
    'example.org': {
      mx: [
        { preference: 20, exchange: 'b.example.org' },
        { preference: 10, exchange: 'a.example.org' },
      ],
      a: ['192.0.2.1', '192.0.2.2'],
      aaaa: ['2001:db8::1'],
      txt: ['v=spf1 -all'],
    },
    'null.example': { mx: [{ preference: 0, exchange: '' }] },
    '192.0.2.1': { ptr: ['a.example.org'] },
    '_25._tcp.a.example.org': { tlsa: [tlsa] },
    'a.example.org': {},
    'broken.example': { isBroken: true },
  })
  return [
    ['node:dns', new DnsResolver({ servers: [server.address] })],
    ['fake', fake],
  ]
}

test('both resolvers give the same records and the same codes', async t => {
  for (const [name, resolver] of await both(t)) {
    await t.test(name, async () => {
      assert.deepEqual(await resolver.mx('Example.ORG.'), [
        { preference: 10, exchange: 'a.example.org' },
        { preference: 20, exchange: 'b.example.org' },
      ])
      // RFC 7505 §3
      assert.deepEqual(await resolver.mx('null.example'), [{ preference: 0, exchange: '' }])
      assert.deepEqual((await resolver.a('example.org')).toSorted(), ['192.0.2.1', '192.0.2.2'])
      assert.deepEqual(await resolver.aaaa('example.org'), ['2001:db8::1'])
      assert.deepEqual(await resolver.txt('example.org'), ['v=spf1 -all'])
      assert.deepEqual(await resolver.ptr('192.0.2.1'), ['a.example.org'])
      assert.deepEqual(await resolver.tlsa('_25._tcp.a.example.org'), [tlsa])
      await assert.rejects(resolver.mx('nowhere.example'), { code: 'NoSuchDomain' })
      await assert.rejects(resolver.mx('a.example.org'), { code: 'NoRecords' })
      await assert.rejects(resolver.a('broken.example'), { code: 'Temporary' })
    })
  }
})

test('a name in Unicode is asked for in its ASCII form', async t => {
  const [[, resolver]] = (await both(t)) as [[string, Resolver]]
  assert.deepEqual(await resolver.a('Bücher.example'), ['192.0.2.3'])
})

test('answers are kept for their time, and so is that there are none', async t => {
  const server = await dnsServer(t, { 'A a.example': records(Buffer.from([192, 0, 2, 1])) })
  let nowMs = 0
  const resolver = new DnsResolver({ servers: [server.address], now: () => nowMs })
  const count = () => server.asked.length
  await Promise.all([resolver.a('a.example'), resolver.a('A.example.')])
  await resolver.a('a.example')
  assert.equal(count(), 1)
  nowMs = 30_001
  server.set('A a.example', records(Buffer.from([192, 0, 2, 9])))
  assert.deepEqual(await resolver.a('a.example'), ['192.0.2.9'])
  assert.equal(count(), 2)
  await assert.rejects(resolver.a('none.example'), isNotFound)
  const asked = count()
  await assert.rejects(resolver.a('none.example'), isNotFound)
  assert.equal(count(), asked)
  nowMs += limits.dns.defaultTtlMs + 1
  await assert.rejects(resolver.a('none.example'), isNotFound)
  assert.ok(count() > asked)
})

test('a temporary failure is not kept', async t => {
  const server = await dnsServer(t, { 'A a.example': serverFailure })
  const resolver = new DnsResolver({ servers: [server.address] })
  await assert.rejects(resolver.a('a.example'), { code: 'Temporary' })
  server.set('A a.example', records(Buffer.from([192, 0, 2, 1])))
  assert.deepEqual(await resolver.a('a.example'), ['192.0.2.1'])
})

test('a server that is silent is a temporary failure in bounded time', async t => {
  const server = await dnsServer(t, { 'A a.example': { kind: 'silence' } })
  const resolver = new DnsResolver({ servers: [server.address], timeoutMs: 200 })
  const start = performance.now()
  await assert.rejects(resolver.a('a.example'), { code: 'Temporary' })
  assert.ok(performance.now() - start < 2000)
})

test('what can be no name does not exist, and nobody is asked', async t => {
  const server = await dnsServer(t, {})
  const resolver = new DnsResolver({ servers: [server.address] })
  const names = [
    '',
    '.',
    'a..b',
    `${'x'.repeat(64)}.example`,
    'x.'.repeat(200),
    'a b',
    'a\r\nb',
    '\0',
    'ü%2eexample',
    'ü/x',
  ]
  for (const name of names) {
    await assert.rejects(
      resolver.a(name),
      (error: unknown) => error instanceof DnsError,
      JSON.stringify(name),
    )
  }
  await assert.rejects(resolver.ptr('not an address'), { code: 'NoSuchDomain' })
  assert.deepEqual(server.asked, [])
})
