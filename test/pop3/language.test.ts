// LANG and UTF8. RFC 6856.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddresses } from '../../src/message/address.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { fieldValues, findBodyStart, unfold } from '../../src/message/header.ts'
import { languages } from '../../src/pop3/languages.ts'
import { errLine, okLine } from '../../src/pop3/reply.ts'
import { surrogateOf } from '../../src/pop3/surrogate.ts'
import { letter, startServer } from './client.ts'

test('LANG as in RFC 6856 §3.3: listing, change, refusal in the language of the session, and *', async t => {
  const server = await startServer(t, { pop3: { language: 'es' } })
  const client = await server.logIn()
  assert.equal(await client.command('LANG MUL'), '-ERR unknown language')
  assert.deepEqual(await client.listing('LANG'), {
    status: '+OK Language listing follows:',
    lines: ['en English', 'de Deutsch', 'fr Français', 'es Español', 'ja 日本語'],
  })
  assert.equal(await client.command('LANG es'), '+OK es Idioma cambiado')
  assert.equal(await client.command('LANG uga'), '-ERR idioma desconocido')
  assert.equal(await client.command('LANG DE'), '+OK de Sprache umgestellt')
  assert.equal(
    await client.command('RETR 1'),
    '-ERR diese Nachricht gibt es nicht, das Postfach enthält nur 0 Nachrichten',
  )
  assert.equal(await client.command('LANG *'), '+OK es Idioma cambiado')
  assert.equal(await client.command('LANG fr-CA'), '+OK fr Langue modifiée')
  assert.equal(await client.command('LANG ja'), '+OK ja 言語を変更しました')
  assert.equal(await client.command('QUIT'), '+OK POP3 サーバーを終了します (メールボックスは空です)')
})

test('LANG works before log-in, and its argument is checked', async t => {
  const client = await (await startServer(t)).connect()
  assert.match(await client.command('LANG fr'), /^\+OK fr /)
  assert.equal(await client.command('STAT'), "-ERR identifiez-vous d'abord")
  for (const bad of ['LANG <script>', 'LANG de fr', `LANG ${'a'.repeat(65)}`, 'LANG \u00e4']) {
    assert.equal(await client.command(bad), '-ERR erreur de syntaxe dans les arguments')
  }
})

test('every text of every language is one line of at most 512 octets that begins no response code', () => {
  for (const { tag, texts } of languages) {
    for (const [name, text] of Object.entries(texts) as [
      string,
      string | ((...args: unknown[]) => string),
    ][]) {
      const samples = typeof text === 'string' ? [text] : [0, 1, 2, 4_294_967_295].map(n => text(n, 2 ** 53))
      for (const sample of samples) {
        assert.doesNotMatch(sample, /[\r\n\0[]/, `${tag} ${name}`)
        assert.ok(sample.length > 0 && okLine(`ja ${sample}`).endsWith('\r\n'))
        assert.ok(errLine('LOGIN-DELAY', sample).startsWith('-ERR [LOGIN-DELAY] '))
        if (tag === 'en') assert.match(sample, /^[\x20-\x7e]+$/, 'ASCII before any LANG (RFC 1939 §3)')
      }
    }
  }
})

test('the languages are translations: no text but numbers and names is the same in two of them', () => {
  const [first, ...others] = languages
  for (const { tag, texts } of others) {
    for (const name of Object.keys(texts) as (keyof typeof texts)[]) {
      const [one, two] = [first?.texts[name], texts[name]]
      if (typeof one === 'string' && typeof two === 'string') assert.notEqual(one, two, `${tag} ${name}`)
    }
  }
})

const international = Buffer.from(
  'From: "Jürgen, R." <juergen@bücher.example>\r\nTo: Größe: jürgen@example.org, Ann <ann@example.org>;\r\n' +
    `Subject: Grüße aus ${'Köln '.repeat(30)}\r\nContent-Type: text/plain; name="ü.txt"; charset=utf-8\r\n\r\nGrüße\r\n`,
)

test('what a client without UTF8 gets of a UTF-8 header is configured: as it is, a surrogate, or [UTF8] (RFC 6856 §2.1, §5)', async t => {
  for (const utf8Headers of ['as-is', 'surrogate', 'refuse'] as const) {
    const server = await startServer(t, { pop3: { utf8Headers } })
    await server.deliver(international, letter('ascii only'))
    const client = await server.logIn()
    if (utf8Headers === 'refuse') {
      const answer = '-ERR [UTF8] the message needs UTF-8: say UTF8 before you log in'
      assert.equal(await client.command('RETR 1'), answer)
      assert.equal(await client.command('TOP 1 0'), answer)
    } else {
      const status = await client.command('RETR 1')
      const got = await client.body()
      assert.equal(status, `+OK ${got.length} octets`)
      assert.equal(got.equals(international), utf8Headers === 'as-is')
    }
    assert.equal((await client.message('RETR 2')).toString(), letter('ascii only'))
    await client.command('QUIT')
    const aware = await server.connect()
    await aware.command('UTF8')
    await aware.command('USER ann')
    await aware.command('PASS correct horse')
    assert.ok((await aware.message('RETR 1')).equals(international))
  }
})

test('a surrogate says the same in ASCII, and answers go nowhere else', () => {
  const surrogate = surrogateOf(international)
  const header = surrogate.toString('latin1', 0, findBodyStart(surrogate))
  assert.match(header, /^[\t\r\n\x20-\x7e]*$/)
  for (const line of header.split('\r\n')) assert.ok(line.length <= 78 || !line.includes('=?'), line)
  assert.ok(surrogate.subarray(findBodyStart(surrogate)).equals(Buffer.from('Grüße\r\n')))
  const [subject] = fieldValues(surrogate, 'subject')
  assert.equal(decodeWords(unfold(subject ?? '')).trim(), `Grüße aus ${'Köln '.repeat(30)}`.trim())
  const [from] = parseAddresses(unfold(fieldValues(surrogate, 'from')[0] ?? ''))
  assert.ok(from?.kind === 'mailbox')
  assert.deepEqual(
    [decodeWords(from.name ?? ''), from.mailbox, from.domain],
    ['Jürgen, R.', 'juergen', 'xn--bcher-kva.example'],
  )
  const to = fieldValues(surrogate, 'to')[0] ?? ''
  assert.ok(to.includes('ann@example.org') && !to.includes('jürgen@'))
  assert.match(header, /name\*=utf-8''%C3%BC\.txt/)
  const plain = Buffer.from(letter('ascii'))
  assert.equal(surrogateOf(plain), plain)
})

test('a surrogate of anything has an ASCII header and the same body', () => {
  const piece = fc.constantFrom(
    'From:',
    'To:',
    'Subject:',
    'Content-Type:',
    ' ',
    '\r\n',
    '\n',
    'ü',
    '"',
    '<',
    '>',
    ':;',
    ',',
    '(',
    '@',
    'é@ü',
    '=?',
    '\r',
    'x',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
      const message = Buffer.from(`${pieces.join('')}\r\n\r\nbödy\r\n`)
      const surrogate = surrogateOf(message)
      const start = findBodyStart(surrogate)
      assert.match(surrogate.toString('latin1', 0, start), /^[\0-\x7f]*$/)
      assert.ok(surrogate.subarray(start).equals(message.subarray(findBodyStart(message))))
    }),
    { numRuns: 2000 },
  )
})
