import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { SmtpClientError } from '../../src/smtpclient/client-error.ts'
import { findRoute } from '../../src/smtpclient/route.ts'
import { fakeResolver, type Zone } from './fake-resolver.ts'

const route = (zones: Record<string, Zone>, domain: string, random = () => 0.99) =>
  findRoute({ resolver: fakeResolver(zones), hostname: 'mx.example.org', random }, domain)

const hosts = async (...args: Parameters<typeof route>) =>
  (await route(...args)).map(({ host, address }) => `${host} ${address}`)

const refused = (kind: string, status: string) => (error: unknown) =>
  error instanceof SmtpClientError && error.verdict.kind === kind && error.verdict.status === status

test('MX records are asked by preference, both families of each (RFC 5321 §5.1)', async () => {
  const zones = {
    'x.example': {
      mx: [
        [20, 'b.x.example'],
        [10, 'A.x.example'],
      ],
    },
    'A.x.example': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] },
    'a.x.example': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] },
    'b.x.example': { a: ['192.0.2.2'] },
  } as const
  assert.deepEqual(await hosts(zones, 'x.example'), [
    'a.x.example 2001:db8::1',
    'a.x.example 192.0.2.1',
    'b.x.example 192.0.2.2',
  ])
})

test('equals are asked in random order', async () => {
  const names = ['a.x', 'b.x', 'c.x']
  const zones = Object.fromEntries([
    ['x', { mx: names.map(name => [10, name] as const) }],
    ...names.map((name, i) => [name, { a: [`192.0.2.${i + 1}`] }] as const),
  ])
  const first = (await hosts(zones, 'x', () => 0))[0]
  assert.notEqual(first, (await hosts(zones, 'x', () => 0.99))[0])
})

test('without MX the domain itself is asked', async () => {
  assert.deepEqual(await hosts({ 'x.example': { a: ['192.0.2.1'] } }, 'x.example'), ['x.example 192.0.2.1'])
})

test('a null MX, a missing domain and a domain without addresses fail for good', async () => {
  await assert.rejects(route({ x: { mx: [[0, '']] } }, 'x'), refused('failed', '5.1.10'))
  await assert.rejects(route({}, 'x'), refused('failed', '5.1.2'))
  await assert.rejects(route({ x: { mx: [[0, 'y']] } }, 'x'), refused('failed', '5.4.4'))
})

test('a DNS that does not answer is asked again later', async () => {
  await assert.rejects(route({ x: { error: 'Temporary' } }, 'x'), refused('later', '4.4.3'))
  await assert.rejects(
    route({ x: { mx: [[0, 'y']] }, y: { error: 'Temporary' } }, 'x'),
    refused('later', '4.4.3'),
  )
})

test('mail never goes to ourselves: only better servers than we are asked (RFC 5321 §5.1)', async () => {
  const zones = {
    x: {
      mx: [
        [5, 'best.x'],
        [10, 'MX.example.org.'],
        [10, 'same.x'],
        [20, 'worse.x'],
      ],
    },
    'best.x': { a: ['192.0.2.1'] },
    'same.x': { a: ['192.0.2.2'] },
    'worse.x': { a: ['192.0.2.3'] },
  } as const
  assert.deepEqual(await hosts(zones, 'x'), ['best.x 192.0.2.1'])
  await assert.rejects(route({ x: { mx: [[5, 'mx.example.org']] } }, 'x'), refused('failed', '5.4.6'))
})

test('an exchange on loopback is no exchange', async () => {
  for (const address of ['127.0.0.1', '0.0.0.0'])
    await assert.rejects(
      route({ x: { mx: [[5, 'y']] }, y: { a: [address] } }, 'x'),
      refused('failed', '5.4.4'),
    )
  await assert.rejects(
    route({ x: { mx: [[5, 'y']] }, y: { aaaa: ['::1'] } }, 'x'),
    refused('failed', '5.4.4'),
  )
  await assert.rejects(route({}, '[127.0.0.1]'), refused('failed', '5.1.2'))
})

test('an address literal is connected to as it is', async () => {
  assert.deepEqual(await route({}, '[192.0.2.9]'), [{ host: '192.0.2.9', address: '192.0.2.9', port: 25 }])
  assert.deepEqual((await route({}, '[IPv6:2001:db8::9]'))[0]?.address, '2001:db8::9')
})

test('a domain with a thousand servers does not get a thousand connections', async () => {
  const zones = Object.fromEntries([
    ['x', { mx: Array.from({ length: 1000 }, (_, i) => [i, `h${i}.x`] as const) }],
    ...Array.from({ length: 1000 }, (_, i) => [`h${i}.x`, { a: ['192.0.2.1'] }] as const),
  ])
  assert.equal((await route(zones, 'x')).length, limits.smtp.hops)
})
