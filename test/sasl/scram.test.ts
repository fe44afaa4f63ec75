import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChannelBinding, SaslContext, SaslMechanism, SaslStep } from '../../src/sasl/mechanism.ts'
import { scramSha1, scramSha256, scramSha256Plus } from '../../src/sasl/scram.ts'
import { deriveScramKeys } from '../../src/sasl/scram-keys.ts'
import { steps, testContext } from './credentials.ts'
import { ScramClient, type ScramClientOptions } from './scram-client.ts'

const accounts = { user: { password: 'pencil' }, root: { password: 'crayon', isAdmin: true } }

/** A server whose part of the nonce is `nonce`. */
function rfcContext(nonce: string, keys: Awaited<ReturnType<typeof deriveScramKeys>>): SaslContext<string> {
  const bytes = Buffer.from(nonce, 'base64')
  const context = testContext({ user: { password: 'pencil', scram: keys } })
  return { ...context, randomBytes: () => Object.assign(bytes, { toString: () => nonce }) }
}

function data(step: SaslStep<string> | undefined): Buffer {
  assert.equal(step?.kind, 'challenge')
  return step.data
}

/** A whole exchange; the last step and whether the server proved itself. */
async function authenticate(
  mechanism: SaslMechanism,
  context: SaslContext<string>,
  options: Partial<ScramClientOptions>,
): Promise<{ step: SaslStep<string>; isServer: boolean }> {
  const hash = mechanism === scramSha1 ? 'sha1' : 'sha256'
  const client = new ScramClient({ hash, name: 'user', password: 'pencil', nonce: 'abc', ...options })
  const exchange = mechanism.start(context)
  const first = await exchange.next(client.first())
  if (first.kind !== 'challenge') return { step: first, isServer: false }
  const final = await exchange.next(client.final(first.data))
  if (final.kind !== 'challenge') return { step: final, isServer: false }
  return { step: await exchange.next(Buffer.alloc(0)), isServer: client.isServer(final.data) }
}

test('SCRAM-SHA-1 speaks the example (RFC 5802 §5)', async () => {
  const keys = await deriveScramKeys('pencil', 'sha1', Buffer.from('QSXCR+Q6sek8bf92', 'base64'), 4096)
  const exchange = scramSha1.start(rfcContext('3rfcNHYJY1ZVvWVs7j', keys))
  const [empty, first, final, done] = await steps(
    exchange,
    undefined,
    'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    '',
  )
  assert.equal(data(empty).length, 0)
  assert.equal(
    data(first).toString(),
    'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
  )
  assert.equal(data(final).toString(), 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')
  assert.deepEqual(done, { kind: 'done', identity: 'user' })
})

test('SCRAM-SHA-256 speaks the example (RFC 7677 §3)', async () => {
  const keys = await deriveScramKeys(
    'pencil',
    'sha256',
    Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
    4096,
  )
  const exchange = scramSha256.start(rfcContext('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', keys))
  const [first, final, done] = await steps(
    exchange,
    'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    '',
  )
  assert.equal(
    data(first).toString(),
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  )
  assert.equal(data(final).toString(), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  assert.deepEqual(done, { kind: 'done', identity: 'user' })
})

test('a wrong password and an unknown name fail alike, at the same step, with a salt that stays', async () => {
  const context = testContext(accounts)
  const wrong = await authenticate(scramSha256, context, { password: 'pen' })
  const unknown = await authenticate(scramSha256, context, { name: 'nobody' })
  assert.deepEqual(wrong.step, { kind: 'failed', reason: 'bad-credentials', authcid: 'user' })
  assert.deepEqual(unknown.step, { kind: 'failed', reason: 'bad-credentials', authcid: 'nobody' })
  const salts = new Set<string>()
  for (let i = 0; i < 2; i++) {
    const step = await scramSha256.start(context).next(Buffer.from('n,,n=nobody,r=x'))
    salts.add(
      data(step)
        .toString()
        .replace(/^r=[^,]+/, ''),
    )
  }
  assert.equal(salts.size, 1)
  assert.match([...salts][0] ?? '', /^,s=[A-Za-z0-9+/]{22}==,i=\d+$/)
})

test('an administrator acts for an account by authzid, and others do not', async () => {
  const context = testContext(accounts)
  const admin = await authenticate(scramSha256, context, {
    name: 'root',
    password: 'crayon',
    authzid: 'user',
  })
  assert.deepEqual(admin.step, { kind: 'done', identity: 'root as user' })
  const other = await authenticate(scramSha256, context, { authzid: 'root' })
  assert.deepEqual(other.step, { kind: 'failed', reason: 'bad-credentials', authcid: 'user' })
})

test('a name with comma and equals sign is quoted, and other quoting fails', async () => {
  const context = testContext({ 'a,b=c': { password: 'pencil' } })
  assert.equal((await authenticate(scramSha256, context, { name: 'a,b=c' })).step.kind, 'done')
  const step = await scramSha256.start(context).next(Buffer.from('n,,n=a=2cb,r=x'))
  assert.deepEqual(step, { kind: 'failed', reason: 'malformed' })
})

const bindingData = Buffer.from('what both ends of this connection know')
const binding: ChannelBinding = type => (type === 'tls-exporter' ? bindingData : undefined)

test('-PLUS succeeds only with the binding of this very connection', async () => {
  const context = testContext(accounts, { channelBinding: binding })
  const flag = 'p=tls-exporter'
  const right = await authenticate(scramSha256Plus, context, { flag, bindingData })
  assert.deepEqual(right, { step: { kind: 'done', identity: 'user' }, isServer: true })
  // Someone in the middle has two connections with two bindings.
  const other = await authenticate(scramSha256Plus, context, { flag, bindingData: Buffer.from('other') })
  assert.deepEqual(other.step, { kind: 'failed', reason: 'channel-binding', authcid: 'user' })
})

test('a binding of an unknown type, or that this connection has not, fails', async () => {
  const context = testContext(accounts, { channelBinding: binding })
  for (const flag of ['p=tls-unique', 'p=tls-magic', 'n', 'y']) {
    const { step } = await authenticate(scramSha256Plus, context, { flag, bindingData })
    assert.deepEqual(step, { kind: 'failed', reason: 'channel-binding' }, flag)
  }
})

test('a client that could bind but was not shown -PLUS is told of the downgrade (RFC 5802 §6)', async () => {
  const offered = testContext(accounts, { channelBinding: binding })
  const downgraded = await authenticate(scramSha256, offered, { flag: 'y' })
  assert.deepEqual(downgraded.step, { kind: 'failed', reason: 'channel-binding' })
  const unable = await authenticate(scramSha256, testContext(accounts), { flag: 'y' })
  assert.equal(unable.step.kind, 'done')
  const bound = await authenticate(scramSha256, offered, { flag: 'p=tls-exporter', bindingData })
  assert.deepEqual(bound.step, { kind: 'failed', reason: 'channel-binding' })
})

test('a gs2 header that differs between first and final message fails', async () => {
  const exchange = scramSha256.start(testContext(accounts))
  const client = new ScramClient({ hash: 'sha256', name: 'user', password: 'pencil', nonce: 'abc' })
  const first = data(await exchange.next(client.first()))
  const final = client
    .final(first)
    .toString()
    .replace('c=biws', `c=${btoa('y,,')}`)
  assert.deepEqual(await exchange.next(Buffer.from(final)), {
    kind: 'failed',
    reason: 'channel-binding',
    authcid: 'user',
  })
})

test('a final message recorded in another exchange is refused', async () => {
  const context = testContext(accounts)
  const client = new ScramClient({ hash: 'sha256', name: 'user', password: 'pencil', nonce: 'abc' })
  const recorded = client.final(data(await scramSha256.start(context).next(client.first())))
  const exchange = scramSha256.start(context)
  await exchange.next(client.first())
  assert.deepEqual(await exchange.next(recorded), {
    kind: 'failed',
    reason: 'bad-credentials',
    authcid: 'user',
  })
})

test('extensions are ignored unless they are mandatory (RFC 5802 §5.1)', async () => {
  const start = (text: string) => scramSha256.start(testContext(accounts)).next(Buffer.from(text))
  assert.equal((await start('n,,n=user,r=abc,x=1,y=2')).kind, 'challenge')
  for (const text of ['n,,m=1,n=user,r=abc', 'n,,n=user,r=abc,m=1', 'n,,n=user,r=abc,x', 'n,,r=abc,n=user']) {
    assert.deepEqual(await start(text), { kind: 'failed', reason: 'malformed' }, text)
  }
})
