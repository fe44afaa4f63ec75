import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { demoMessages } from '../../src/cli/demo/messages.ts'
import { parseMessage } from '../../src/message/part.ts'
import { summarize } from '../../src/message/summary.ts'
import { LineClient, sendMail } from '../library/client.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

interface Announcement {
  readonly accounts: readonly { readonly address: string; readonly password: string }[]
  readonly listen: Readonly<Record<string, readonly string[]>>
  readonly dataDir: string
  readonly messages: number
}

test('the demo serves its mail on the loopback, sends nothing elsewhere, and leaves nothing behind', async context => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'demo', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => child.kill('SIGKILL'))
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  const announced = await new Promise<Announcement>(resolve => {
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      try {
        resolve(JSON.parse(out) as Announcement)
      } catch {
        // Not all of it yet.
      }
    })
  })
  const addresses = Object.values(announced.listen).flat()
  assert.equal(addresses.length, 8)
  assert.ok(addresses.every(address => address.startsWith('127.0.0.1:')))
  assert.ok(announced.messages >= 60)
  const [ann, ben] = announced.accounts
  assert.ok(ann && ben)
  const port = (door: string) => Number(announced.listen[door]?.[0]?.split(':')[1])
  const client = await LineClient.connect(port('imap'))
  await client.until(/^\* OK.*\r\n/)
  client.send(
    `a LOGIN ${ann.address} ${ann.password}\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n`,
  )
  assert.match(await client.until(/^c OK.*\r\n/m), /^\* 1 FETCH \(BODY\[HEADER\.FIELDS \(SUBJECT\)\]/m)
  // Mail to elsewhere comes back to who sent it, by itself.
  client.send('d IDLE\r\n')
  await client.until(/^\+.*\r\n/m)
  const plain = Buffer.from(`\0${ben.address}\0${ben.password}`).toString('base64')
  const sender = await LineClient.connect(port('submission'))
  await sender.until(/^220.*\r\n/m)
  sender.send(
    `EHLO x\r\nAUTH PLAIN ${plain}\r\nMAIL FROM:<${ben.address}>\r\nRCPT TO:<${ann.address}>\r\nDATA\r\n`,
  )
  await sender.until(/^354.*\r\n/m)
  sender.send(`From: ${ben.address}\r\nSubject: over here\r\n\r\nx\r\n.\r\n`)
  await sender.until(/^250.*\r\n/m)
  await client.until(/^\* \d+ EXISTS\r\n/m)
  const annPlain = Buffer.from(`\0${ann.address}\0${ann.password}`).toString('base64')
  const far = await LineClient.connect(port('submission'))
  await far.until(/^220.*\r\n/m)
  far.send(
    `EHLO x\r\nAUTH PLAIN ${annPlain}\r\nMAIL FROM:<${ann.address}>\r\nRCPT TO:<far@away.example>\r\nDATA\r\n`,
  )
  await far.until(/^354.*\r\n/m)
  far.send(`From: ${ann.address}\r\nSubject: far\r\n\r\nx\r\n.\r\n`)
  await far.until(/^250.*\r\n/m)
  await client.until(/^\* \d+ EXISTS\r\n/m)
  client.send('DONE\r\ne FETCH * BODY.PEEK[TEXT]\r\n')
  assert.match(await client.until(/^e OK.*\r\n/m), /far@away\.example/)
  for (const each of [client, sender, far]) each.end()
  assert.match(
    await sendMail(port('smtp'), 'x@example.net', 'far@away.example', 'Subject: relay\n\nx'),
    /^55\d /,
  )
  child.kill('SIGINT')
  assert.equal(await closed, 0)
  assert.equal(existsSync(announced.dataDir), false)
})

test('the demo has mail of every kind', () => {
  let count = 0
  const messages = demoMessages(Date.UTC(2026, 10, 23), () => `x${++count}`)
  assert.ok(messages.length >= 60)
  const types = new Set<string>()
  for (const { bytes } of messages) {
    const waiting = [parseMessage(bytes)]
    for (let part = waiting.pop(); part; part = waiting.pop()) {
      types.add(`${part.type}/${part.subtype}`)
      waiting.push(...part.children)
    }
  }
  for (const type of [
    'text/html',
    'text/calendar',
    'image/png',
    'application/pdf',
    'multipart/report',
    'multipart/signed',
    'multipart/digest',
    'multipart/related',
    'message/rfc822',
  ]) {
    assert.ok(types.has(type), type)
  }
  const texts = messages.map(({ bytes }) => summarize(bytes).subject).join(' ')
  for (const script of [
    /\p{Script=Hebrew}/u,
    /\p{Script=Arabic}/u,
    /\p{Script=Han}/u,
    /\p{Script=Hangul}/u,
    /\p{Script=Cyrillic}/u,
  ])
    assert.match(texts, script)
})

test('the demo writes the same mail each time', () => {
  const write = () => {
    let count = 0
    return demoMessages(Date.UTC(2026, 10, 23), () => `x${++count}`)
  }
  assert.deepEqual(write(), write())
})
