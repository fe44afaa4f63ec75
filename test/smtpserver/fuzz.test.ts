// Whatever a client sends, the session answers in the grammar, nothing of ours breaks, and other clients are served.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SmtpService } from '../../src/smtpserver/context.ts'
import { Client, codeOf, openServer } from './smtp-server.ts'

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'EHLO x\r\n',
      'LHLO x\r\n',
      'HELO x\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'RCPT TO:<ann@example.org>\r\n',
      'RCPT TO:<bob@example.org>\r\n',
      'DATA\r\n',
      '.\r\n',
      'x\r\n.\r\n',
      'RSET\r\n',
      'NOOP\r\n',
      'QUIT\r\n',
      'STARTTLS\r\n',
      'AUTH PLAIN\r\n',
      'AUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl\r\n',
      '*\r\n',
      'VRFY x\r\n',
      'HELP\r\n',
      'BDAT 3\r\n',
      'BDAT 3 LAST\r\n',
      'abc',
      'BDAT 0 LAST\r\n',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'MAIL FROM:',
      'RCPT TO:',
      '<>',
      '<@a,@b:c@d>',
      '<"\\"@">',
      ' SIZE=',
      ' BODY=BINARYMIME',
      ' SMTPUTF8',
      ' NOTIFY=NEVER',
      ' ORCPT=rfc822;x',
      ' ENVID=',
      '+3D',
      '\r\n',
      '\r',
      '\n',
      '\0',
      ' ',
      '.',
      '[IPv6:',
      '\xff',
      'x'.repeat(5000),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)

for (const service of ['smtp', 'submission', 'lmtp'] as const satisfies readonly SmtpService[]) {
  test(`fuzz: any bytes on ${service} are answered in the grammar and break nothing`, async t => {
    const errors: unknown[] = []
    const ignore = () => {}
    const log = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (fields: unknown) => errors.push(fields),
      child: () => log,
    }
    const server = await openServer(t, { log, tls: false })
    const { port } = await server.open(service)
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async pieces => {
        const client = await Client.open(t, port)
        for (const one of pieces) client.send(one)
        client.end()
        const text = await client.rest()
        for (const line of text.split('\r\n').slice(0, -1))
          assert.match(line, /^[2-5]\d\d[ -][\t\x20-\x7e]*$/)
        client.destroy()
      }),
      { numRuns: 150 },
    )
    assert.deepEqual(errors, [])
    const client = await Client.connect(t, port)
    assert.equal(codeOf(await client.say('NOOP')), '250 2.0.0')
  })
}
