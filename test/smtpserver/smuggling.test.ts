import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, openServer } from './smtp-server.ts'

const ends = ['\n', '\r', '\r\r\n', '\n\r', '\n\n', '\r\r', '\0\r\n', '\r\0\n', '\v\r\n', '\x85']
const variants = [
  ...ends.flatMap(before => [`${before}.\r\n`, `${before}.${before}`]),
  ...ends.map(after => `\r\n.${after}`),
].filter(variant => !variant.includes('\r\n.\r\n'))

test('SMTP smuggling: no variant of CR and LF around a dot ends DATA (CVE-2023-51764/5/6, Haraka#3268)', async t => {
  const server = await openServer(t)
  for (const variant of variants) {
    const client = await server.client()
    await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
    client.send(
      `Subject: x\r\n\r\nfirst${variant}MAIL FROM:<evil@x>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nevil\r\n.\r\nNOOP\r\n`,
    )
    const isBare = /\r(?!\n)|(?<!\r)\n/.test(variant)
    assert.equal(codeOf(await client.reply()), isBare ? '550 5.5.2' : '250 2.0.0', JSON.stringify(variant))
    assert.equal(codeOf(await client.reply()), '250 2.0.0')
    client.destroy()
  }
  assert.deepEqual(await server.messages(server.bob), [])
  for (const message of await server.messages(server.ann)) assert.match(message, /MAIL FROM:<evil@x>/)
})

test('SMTP smuggling: what is mended is never an end', async t => {
  const server = await openServer(t, { smtp: { bareNewlines: 'mend' } })
  for (const variant of variants) {
    const client = await server.client()
    await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
    client.send(
      `Subject: x\r\n\r\nfirst${variant}MAIL FROM:<evil@x>\r\nRCPT TO:<bob@example.org>\r\n.\r\nNOOP\r\n`,
    )
    assert.equal(codeOf(await client.reply()), '250 2.0.0', JSON.stringify(variant))
    assert.equal(codeOf(await client.reply()), '250 2.0.0')
    client.destroy()
  }
  assert.deepEqual(await server.messages(server.bob), [])
  const messages = await server.messages(server.ann)
  assert.equal(messages.length, variants.length)
  for (const message of messages) assert.doesNotMatch(message, /\r(?!\n)|(?<!\r)\n/)
})

test('SMTP smuggling: the end may come in any pieces', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
  for (const byte of 'x\r\n.y\r\n..\r\n.\r\n') {
    client.send(byte)
    await new Promise(setImmediate)
  }
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  assert.ok((await server.messages(server.ann))[0]?.endsWith('x\r\ny\r\n.\r\n'))
})

test('a BDAT chunk with a bare CR or LF is refused too, but not in a binary message (RFC 3030)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  for (const [body, code] of [
    ['7BIT', '550 5.5.2'],
    ['BINARYMIME', '250 2.0.0'],
  ]) {
    await client.codes(`MAIL FROM:<a@b> BODY=${body}`, 'RCPT TO:<ann@example.org>')
    client.send('BDAT 8 LAST\r\na\nb\rc\r\n.')
    assert.equal(codeOf(await client.reply()), code)
  }
  await client.codes('MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>')
  client.send('BDAT 3 LAST\r\nab\r')
  assert.equal(codeOf(await client.reply()), '550 5.5.2')
})
