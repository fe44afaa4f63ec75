import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { imapConfig } from '../../src/imap/config.ts'
import { texts } from '../../src/imap/language/texts.ts'
import { findLanguage, translate, translations } from '../../src/imap/language/translate.ts'
import { message, startImap } from './harness.ts'

const bytes = (text: string) => Buffer.from(text).toString('latin1')

test('LANGUAGE changes what people read, in every state (RFC 5255 §3.2)', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  assert.match(client.greeting, /[ [](?:CAPABILITY|.* )LANGUAGE[ \]]/)
  assert.deepEqual(await client.command('LANGUAGE'), {
    untagged: ['* LANGUAGE (en de fr es ja i-default)'],
    tagged: 'OK These are the languages',
    status: 'OK',
  })
  assert.deepEqual(await client.ok('LANGUAGE DE'), ['* LANGUAGE (de)'])
  assert.equal(
    (await client.command('LOGIN alice@example.test wrong')).tagged,
    'NO [AUTHENTICATIONFAILED] Der Name oder das Passwort ist falsch',
  )
  assert.match(
    (await client.command('LOGIN alice@example.test secret')).tagged,
    /^OK \[CAPABILITY .*\] Willkommen$/,
  )
  assert.equal(
    (await client.command('SELECT Nirgends')).tagged,
    'NO [NONEXISTENT] Diesen Ordner gibt es nicht',
  )
  assert.ok((await client.ok('SELECT INBOX')).includes(bytes('* OK [UIDNEXT 1] Die nächste UID')))
  assert.equal((await client.command('NOOP')).tagged, bytes('OK NOOP ausgeführt'))
  assert.equal((await client.command('FETCH 1 FLAGS')).tagged, 'BAD Der Ordner ist leer')
  assert.equal((await client.command('LANGUAGE de-IT')).tagged, 'OK Ab jetzt auf Deutsch')
  assert.equal((await client.command('LANGUAGE fr')).tagged, bytes('OK Désormais en français'))
  assert.equal((await client.command('LANGUAGE es')).tagged, bytes('OK Ahora en español'))
  assert.equal((await client.command('LANGUAGE ja')).tagged, bytes('OK これから日本語でお答えします'))
  assert.equal(
    (await client.command('SELECT Nowhere')).tagged,
    bytes('NO [NONEXISTENT] そのメールボックスはありません'),
  )
  await client.ok('LANGUAGE i-default')
  assert.equal((await client.command('SELECT Nowhere')).tagged, 'NO [NONEXISTENT] There is no such mailbox')
})

test('the first range that fits wins; what fits none is NO in the language so far (RFC 5255 §3.2)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ language: 'fr' }) } })
  const client = await server.client()
  assert.deepEqual(await client.ok('LANGUAGE mul EN-ca de'), ['* LANGUAGE (en)'])
  assert.equal((await client.command('LANGUAGE mul')).tagged, 'NO None of these languages is known here')
  assert.deepEqual(await client.ok('LANGUAGE "default"'), ['* LANGUAGE (fr)'])
  assert.equal(
    (await client.command('LANGUAGE mul')).tagged,
    bytes("NO Aucune de ces langues n'est connue ici"),
  )
  // Another session is not touched.
  assert.equal(
    (await (await server.client()).command('SELECT Nowhere')).tagged,
    'NO [NONEXISTENT] There is no such mailbox',
  )
  assert.equal(findLanguage('*', 'es'), 'es')
  assert.equal(findLanguage('de-Latn-CH-1996', 'en'), 'de')
  assert.equal(findLanguage('d', 'en'), undefined)
  assert.equal(findLanguage('', 'en'), undefined)
  assert.equal(findLanguage('-', 'en'), undefined)
  assert.match((await client.command(`LANGUAGE ${'x '.repeat(101)}`)).tagged, /^BAD \[TOOBIG\]/)
})

test('response codes stay, numbers and names are put in, and UNAUTHENTICATE goes back to English (RFC 8437 §4.1)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ messageBytes: 2048 }) } })
  const client = await server.client()
  await client.ok('LANGUAGE es')
  await client.append('INBOX', message('one'))
  assert.equal(
    (await client.append('INBOX', 'x'.repeat(3000))).tagged,
    'NO [TOOBIG] Los mensajes pueden tener hasta 2048 bytes',
  )
  await client.ok('SELECT INBOX')
  assert.equal((await client.command('FETCH 7 FLAGS')).tagged, 'BAD Solo hay 1 mensajes')
  // What only makers of programs read has one text.
  assert.equal((await client.command('FETCH 1 NONSENSE')).tagged, bytes('BAD La orden no sigue la gramática'))
  const { untagged, tagged } = await client.command('UNAUTHENTICATE')
  assert.deepEqual([untagged, tagged], [[], 'OK Log in anew'])
  await client.login()
  assert.deepEqual((await client.ok('LOGOUT'))[0], '* BYE Until next time')
})

test('every translation is there, with the same things put in, and fit for a response line (RFC 5255 §3.5)', () => {
  assert.equal(new Set(texts).size, texts.length)
  for (const translation of Object.values(translations)) {
    assert.deepEqual(Object.keys(translation.texts), [...texts])
    for (const [english, text] of Object.entries(translation.texts)) {
      assert.notEqual(text, '')
      assert.doesNotMatch(text, /^\[|[\r\n\0]/, english)
      assert.equal(text.split('{}').length, english.split('{}').length, english)
      assert.notEqual(text, english)
    }
  }
})

test('every text for people in the code is in the table', () => {
  const folder = `${import.meta.dirname}/../../src/imap`
  const known = new Set<string>(texts)
  const missing = new Set<string>()
  let found = 0
  const string = String.raw`('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\`[^\`]*\`)`
  const calls = [
    new RegExp(String.raw`\bno\(\s*(?:undefined|'[^']*'|\`[^\`]*\`|\w+\([^)]*\)),\s*${string}`, 'g'),
    new RegExp(String.raw`\bbye\(\s*${string}`, 'g'),
    new RegExp(String.raw`\btext: ${string}`, 'g'),
    new RegExp(String.raw`\bsay\((?:undefined|code|'[^']*'|\`[^\`]*\`),\s*${string}`, 'g'),
    new RegExp(String.raw`\bsayBye\(session, ${string}`, 'g'),
    new RegExp(String.raw`'(?:NO|BYE)', (?:undefined|code|'\w+'), ${string}`, 'g'),
  ]
  for (const file of globSync('**/*.ts', { cwd: folder })) {
    const source = readFileSync(`${folder}/${file}`, 'utf8')
    for (const call of calls) {
      for (const [, quoted] of source.matchAll(call)) {
        const text = (quoted as string).slice(1, -1).replaceAll(/\$\{[^}]*\}/g, '{}')
        found++
        // What a command completed with stands in the table with its name put in.
        if (!known.has(text)) missing.add(`${file}: ${text}`)
      }
    }
  }
  assert.deepEqual([...missing], [])
  assert.ok(found > 80, String(found))
  assert.equal(translate('UID FETCH completed', 'de'), 'UID FETCH ausgeführt')
  assert.equal(translate('constructor', 'de'), 'constructor')
})
