import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, openServer } from '../smtp-server.ts'

test('a message comes in chunks, with commands pipelined behind them (RFC 3030 §4.2)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  client.send(
    'MAIL FROM:<a@b>\r\nRCPT TO:<ann@example.org>\r\nBDAT 12\r\nSubject: x\r\nBDAT 2\r\n\r\nBDAT 7\r\n.\r\nx.\r\nBDAT 0 LAST\r\nNOOP\r\n',
  )
  const codes: string[] = []
  for (let i = 0; i < 7; i++) codes.push(codeOf(await client.reply()))
  assert.deepEqual(codes, [
    '250 2.1.0',
    '250 2.1.5',
    '250 2.0.0',
    '250 2.0.0',
    '250 2.0.0',
    '250 2.0.0',
    '250 2.0.0',
  ])
  assert.ok((await server.messages(server.ann))[0]?.endsWith('Subject: x\r\n\r\n.\r\nx.\r\n'))
})

test('every bit of a binary message is kept', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.codes('EHLO x', 'MAIL FROM:<a@b> BODY=BINARYMIME', 'RCPT TO:<ann@example.org>')
  const content = Buffer.concat([
    Buffer.from('Subject: x\r\n\r\n'),
    Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) & 0xff)),
  ])
  client.send(`BDAT ${content.length} LAST\r\n`)
  client.send(content)
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  assert.ok((await server.messages(server.ann))[0]?.endsWith(content.toString('latin1')))
})

test('DATA and BDAT do not mix, and a binary message does not come by DATA (RFC 3030 §2, §3)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.codes('EHLO x', 'MAIL FROM:<a@b> BODY=BINARYMIME', 'RCPT TO:<ann@example.org>')
  assert.equal(codeOf(await client.say('DATA')), '503 5.5.1')
  client.send('BDAT 1\r\nx')
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  assert.deepEqual(
    await client.codes('DATA', 'MAIL FROM:<c@d>', 'RCPT TO:<bob@example.org>', 'RSET', 'MAIL FROM:<c@d>'),
    ['503 5.5.1', '503 5.5.1', '503 5.5.1', '250 2.0.0', '250 2.1.0'],
  )
})

test('a chunk that can not be taken is read and dropped before the answer', async t => {
  const server = await openServer(t)
  const client = await server.client()
  client.send('BDAT 6\r\nNOOP\r\nEHLO x\r\nBDAT 6 LAST\r\nNOOP\r\nMAIL FROM:<a@b>\r\nBDAT 6 LAST\r\nNOOP\r\n')
  const codes: string[] = []
  for (let i = 0; i < 5; i++) codes.push(codeOf(await client.reply()))
  assert.deepEqual(codes, ['503 5.5.1', '250', '503 5.5.1', '250 2.1.0', '554 5.5.1'])
})

test('after a chunk that was refused only RSET helps', async t => {
  const server = await openServer(t, { smtp: { maxMessageBytes: 1024 } })
  const client = await server.client()
  await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>')
  client.send(
    `BDAT 1025\r\n${'x'.repeat(1025)}BDAT 1 LAST\r\nxRSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ann@example.org>\r\nBDAT 1024 LAST\r\n${'x'.repeat(1024)}`,
  )
  const codes: string[] = []
  for (let i = 0; i < 6; i++) codes.push(codeOf(await client.reply()))
  assert.deepEqual(codes, ['552 5.3.4', '503 5.5.1', '250 2.0.0', '250 2.1.0', '250 2.1.5', '250 2.0.0'])
})

test('a size that is none, negative, or beyond all reason does no harm', async t => {
  const server = await openServer(t)
  for (const size of ['x', '-1', '1e3', '0x10', '99999999999999999999', '1 FIRST']) {
    const client = await server.client()
    await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>')
    assert.equal(codeOf(await client.say(`BDAT ${size}`)), '501 5.5.4', size)
    client.destroy()
  }
  const client = await server.client()
  await client.say('EHLO x')
  assert.equal(codeOf(await client.say('BDAT 999999999999999 LAST')), '421 4.7.0')
})
