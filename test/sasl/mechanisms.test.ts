import assert from 'node:assert/strict'
import { createHmac, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { anonymous } from '../../src/sasl/anonymous.ts'
import { readInitialResponse, readResponse } from '../../src/sasl/base64-response.ts'
import { cramMd5 } from '../../src/sasl/cram-md5.ts'
import { external } from '../../src/sasl/external.ts'
import { login } from '../../src/sasl/login.ts'
import { findMechanism, saslMechanisms } from '../../src/sasl/mechanisms.ts'
import { oauthBearer } from '../../src/sasl/oauthbearer.ts'
import { plain } from '../../src/sasl/plain.ts'
import { prepareName, prepareNewPassword, preparePassword } from '../../src/sasl/prepare.ts'
import { xoauth2 } from '../../src/sasl/xoauth2.ts'
import { limits } from '../../src/base/limits.ts'
import { testCertificate } from '../net/test-tls.ts'
import { outcome, steps, testContext } from './credentials.ts'

const malformed = { kind: 'failed', reason: 'malformed' }
const refused = (authcid: string) => ({ kind: 'failed', reason: 'bad-credentials', authcid })

test('PLAIN speaks the examples (RFC 4616 §4)', async () => {
  const context = testContext({
    tim: { password: 'tanstaaftanstaaf' },
    Kurt: { password: 'xipj3plmq', isAdmin: true },
    Ursel: { password: '' },
  })
  const run = (...responses: (string | undefined)[]) => outcome(plain.start(context), ...responses)
  assert.deepEqual(await run(undefined, '\0tim\0tanstaaftanstaaf'), { kind: 'done', identity: 'tim' })
  assert.deepEqual(await run('Ursel\0Kurt\0xipj3plmq'), { kind: 'done', identity: 'Kurt as Ursel' })
  assert.deepEqual(await run('Kurt\0tim\0tanstaaftanstaaf'), refused('tim'))
  assert.deepEqual(await run('\0tim\0wrong'), refused('tim'))
})

test('PLAIN refuses what its grammar does not allow', async () => {
  const context = testContext({ tim: { password: 'x' } })
  const bad: (string | Buffer)[] = ['', 'tim', '\0tim', '\0tim\0', '\0\0x', '\0tim\0x\0', '\0tim\0x\0y']
  bad.push(Buffer.from([0, 0xff, 0xfe, 0, 0x78]), Buffer.from([0, 0xc0, 0x80, 0, 0x78]))
  for (const message of bad) assert.deepEqual(await outcome(plain.start(context), message), malformed)
})

test('names and passwords are prepared by the examples of SASLprep (RFC 4013 §3)', () => {
  assert.equal(prepareName('I\u00adX'), 'IX')
  assert.equal(prepareName('user'), 'user')
  assert.equal(prepareName('USER'), 'USER')
  assert.equal(prepareName('\u00aa'), 'a')
  assert.equal(preparePassword('\u2168'), 'IX')
  assert.equal(preparePassword('\u0007'), undefined)
  assert.equal(preparePassword('\u0627\u0031'), undefined)
  // RFC 3454 §7: unassigned code points may be asked for and not stored.
  assert.equal(preparePassword('\u0221'), '\u0221')
  assert.equal(prepareNewPassword('\u0221'), undefined)
  assert.equal(prepareName('x'.repeat(limits.sasl.nameBytes + 1)), undefined)
  assert.equal(prepareName('x'.repeat(limits.sasl.nameBytes))?.length, limits.sasl.nameBytes)
})

test('LOGIN asks for name and password, or takes the name at once', async () => {
  const context = testContext({ tim: { password: 'secret' } })
  const asked = await steps(login.start(context), undefined, 'tim', 'secret')
  assert.deepEqual(asked, [
    { kind: 'challenge', data: Buffer.from('Username:') },
    { kind: 'challenge', data: Buffer.from('Password:') },
    { kind: 'done', identity: 'tim' },
  ])
  assert.equal((await outcome(login.start(context), 'tim', 'secret'))?.kind, 'done')
  assert.deepEqual(await outcome(login.start(context), 'tim', 'Secret'), refused('tim'))
  assert.deepEqual(await outcome(login.start(context), '', ''), malformed)
})

test('CRAM-MD5 takes the digest of the example (RFC 2195 §2)', async () => {
  const context = testContext(
    { tim: { password: 'tanstaaftanstaaf', cram: true } },
    { hostname: 'postoffice.reston.mci.net' },
  )
  const exchange = cramMd5.start(context)
  const asked = await exchange.next(undefined)
  assert.equal(asked.kind, 'challenge')
  assert.match(asked.data.toString(), /^<[0-9a-f]{24}\.1700000000@postoffice\.reston\.mci\.net>$/)
  const digest = (key: string, text: Buffer | string) => createHmac('md5', key).update(text).digest('hex')
  // The RFC's own challenge and digest, by the function that answers ours.
  assert.equal(
    digest('tanstaaftanstaaf', '<1896.697170952@postoffice.reston.mci.net>'),
    'b913a602c7eda7a495b4e6e7334d3890',
  )
  const done = await exchange.next(Buffer.from(`tim ${digest('tanstaaftanstaaf', asked.data)}`))
  assert.deepEqual(done, { kind: 'done', identity: 'tim' })
})

test('CRAM-MD5 refuses a wrong digest, an account that has not opted in, and an unknown one alike', async () => {
  const context = testContext({ tim: { password: 'x', cram: true }, ann: { password: 'nobody' } })
  for (const name of ['tim', 'ann', 'nobody']) {
    const exchange = cramMd5.start(context)
    const asked = await exchange.next(undefined)
    assert.equal(asked.kind, 'challenge')
    const digest = createHmac('md5', 'nobody').update(asked.data).digest('hex')
    assert.deepEqual(await exchange.next(Buffer.from(`${name} ${digest}`)), refused(name))
  }
  assert.deepEqual(await outcome(cramMd5.start(context), 'tim abc'), malformed)
  assert.deepEqual(await outcome(cramMd5.start(context), undefined, `tim ${'A'.repeat(32)}`), malformed)
})

const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='

test('OAUTHBEARER speaks the examples (RFC 7628 §4.1, §4.3)', async () => {
  const context = testContext(
    { 'user@example.com': { password: '', token } },
    {
      oauth: {
        scope: 'example_scope',
        openidConfiguration: 'https://example.com/.well-known/openid-configuration',
      },
    },
  )
  const message = (bearer: string) =>
    `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${bearer}\x01\x01`
  const right = await outcome(oauthBearer.start(context), message(token))
  assert.deepEqual(right, { kind: 'done', identity: 'user@example.com' })
  const [error, failed] = await steps(oauthBearer.start(context), message('expired'), '\x01')
  assert.equal(error?.kind, 'challenge')
  assert.deepEqual(JSON.parse(error.data.toString()), {
    status: 'invalid_token',
    scope: 'example_scope',
    'openid-configuration': 'https://example.com/.well-known/openid-configuration',
  })
  assert.deepEqual(failed, refused('user@example.com'))
})

test('OAUTHBEARER with an empty token gets the error that names the issuer, and asks nobody (RFC 7628 §4.3)', async () => {
  const context = testContext({ user: { password: '', token: '' } })
  const [error, failed] = await steps(oauthBearer.start(context), 'n,a=user,\x01auth=\x01\x01', '\x01')
  assert.equal(error?.kind, 'challenge')
  assert.deepEqual(failed, refused('user'))
})

test('OAUTHBEARER refuses what its grammar does not allow', async () => {
  const context = testContext({ user: { password: '', token } })
  for (const message of [
    '\x01',
    '',
    `p=tls-exporter,a=user,\x01auth=Bearer ${token}\x01\x01`,
    `n,a=user,\x01auth=Bearer ${token}\x01`,
    `n,a=user,\x01auth=Basic ${token}\x01\x01`,
    `n,a=user,\x01auth=Bearer x\x01auth=Bearer ${token}\x01\x01`,
    `n,a=us=er,\x01auth=Bearer ${token}\x01\x01`,
    'n,a=user,\x01\x01',
  ]) {
    assert.deepEqual(await outcome(oauthBearer.start(context), message), malformed, JSON.stringify(message))
  }
})

test('XOAUTH2 takes a token, and answers a bad one with an error before it fails', async () => {
  const context = testContext({ 'someuser@example.com': { password: '', token: 'ya29.vF9dft4qmTc' } })
  const message = (bearer: string) => `user=someuser@example.com\x01auth=Bearer ${bearer}\x01\x01`
  const right = await outcome(xoauth2.start(context), message('ya29.vF9dft4qmTc'))
  assert.deepEqual(right, { kind: 'done', identity: 'someuser@example.com' })
  const [error, failed] = await steps(xoauth2.start(context), message('old'), '')
  assert.equal(error?.kind, 'challenge')
  assert.deepEqual(JSON.parse(error.data.toString()), { status: '401', schemes: 'bearer' })
  assert.deepEqual(failed, refused('someuser@example.com'))
  assert.deepEqual(await outcome(xoauth2.start(context), 'auth=Bearer x\x01\x01'), malformed)
})

test('EXTERNAL is who the certificate names, and nobody without one', async () => {
  const { cert } = await testCertificate('tim')
  const accounts = { tim: { password: '' }, ann: { password: '' } }
  const context = testContext(accounts, { clientCertificate: new X509Certificate(cert) })
  const done = { kind: 'done', identity: 'tim' }
  assert.deepEqual(await outcome(external.start(context), undefined, ''), done)
  assert.deepEqual(await outcome(external.start(context), 'tim'), done)
  assert.equal((await outcome(external.start(context), 'ann'))?.kind, 'failed')
  assert.equal((await outcome(external.start(testContext(accounts)), 'tim'))?.kind, 'failed')
})

test('ANONYMOUS takes trace information up to its limit (RFC 4505 §2)', async () => {
  const context = testContext({})
  const run = (trace: string) => outcome(anonymous.start(context), trace)
  assert.deepEqual(await run('sirhc'), { kind: 'done', identity: 'anonymous sirhc' })
  assert.equal((await run('\u{1f600}'.repeat(255)))?.kind, 'done')
  assert.deepEqual(await run('\u{1f600}'.repeat(256)), malformed)
  assert.deepEqual(await run('a\nb'), malformed)
})

test('base64 is strict: alphabet, padding, one encoding for each value', () => {
  const bad = { kind: 'malformed' }
  assert.deepEqual(readResponse('AGE='), { kind: 'response', data: Buffer.from('\0a') })
  assert.deepEqual(readResponse(''), { kind: 'response', data: Buffer.alloc(0) })
  assert.deepEqual(readResponse('*'), { kind: 'cancelled' })
  assert.deepEqual(readInitialResponse('='), { kind: 'response', data: Buffer.alloc(0) })
  for (const text of [
    'AGE',
    'AGF=',
    'A===',
    '====',
    'AG E',
    'AGE=\r',
    'AG-_',
    '=',
    '**',
    'AGE=AGE=',
    'é===',
  ]) {
    assert.deepEqual(readResponse(text), bad, text)
  }
  for (const text of ['', '*']) assert.deepEqual(readInitialResponse(text), bad)
  const longest = Buffer.alloc(limits.sasl.responseBytes).toString('base64')
  assert.equal(readResponse(longest).kind, 'response')
  assert.deepEqual(readResponse(Buffer.alloc(limits.sasl.responseBytes + 1).toString('base64')), bad)
})

test('base64 gives back what was encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const line = Buffer.from(Buffer.from(bytes).toString('base64'))
      assert.deepEqual(readResponse(line), { kind: 'response', data: Buffer.from(bytes) })
    }),
  )
})

test('a mechanism is found by its name in any case, and no property of an object is one', () => {
  assert.equal(findMechanism('scram-sha-256-plus')?.name, 'SCRAM-SHA-256-PLUS')
  for (const name of ['__proto__', 'constructor', 'toString', ''])
    assert.equal(findMechanism(name), undefined)
})

/** Bytes near each grammar: its words, separators and names in any order, and noise. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'n,,',
        'y,,',
        'p=tls-exporter,,',
        'n=',
        'tim',
        ',r=',
        'abc',
        'c=',
        'biws',
        ',p=',
        'a=',
        'm=',
      ),
      fc.constantFrom('\0', '\x01', '\x01\x01', 'auth=Bearer ', 'user=', '=2C', '=', ',', ' ', 'v=', 'p='),
      fc.string(),
      fc.uint8Array({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map(parts => Buffer.concat(parts.map(part => Buffer.from(part as string))))

for (const mechanism of saslMechanisms) {
  if (mechanism === anonymous) continue
  test(`${mechanism.name}: whatever a client sends, nothing throws and nobody is let in`, async () => {
    const context = testContext(
      { tim: { password: 'not to be guessed', cram: true, token: 'nor.this' } },
      { channelBinding: () => Buffer.from('data') },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(nearly, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (sent, isAsked) => {
          const exchange = mechanism.start(context)
          let step = isAsked ? await exchange.next(undefined) : undefined
          for (const response of sent) {
            if (step !== undefined && step.kind !== 'challenge') break
            step = await exchange.next(response)
          }
          assert.notEqual(step?.kind, 'done')
        },
      ),
      { numRuns: 200 },
    )
  })
}
