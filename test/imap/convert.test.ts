import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sharp from 'sharp'
import { limits } from '../../src/base/limits.ts'
import { type Metrics, silentMetrics } from '../../src/base/metrics.ts'
import { ImageConverter } from '../../src/imap/convert/image-converter.ts'
import type { ImapClient } from './client.ts'
import { startImap } from './harness.ts'

const latin1 = (text: string) => Buffer.from(text).toString('latin1')

/** A message of parts, each with its header. */
function parts(...bodies: readonly string[]): string {
  const all = bodies.map(body => `--b\r\n${body}\r\n`).join('')
  return `From: =?KOI8-R?B?8MXU0g==?= <peter@example.test>\r\nSubject: =?iso-8859-1?q?caf=E9?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${all}--b--\r\n`
}

const part = (type: string, body: string, encoding = '8bit') =>
  `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`

async function open(t: TestContext, ...messages: readonly string[]): Promise<ImapClient> {
  const images = new ImageConverter()
  t.after(() => images.stop())
  const client = await (await startImap(t, { images })).client()
  for (const message of messages) await client.append('INBOX', message)
  await client.ok('SELECT INBOX')
  return client
}

async function png(width: number, height: number): Promise<string> {
  const bytes = await sharp({ create: { width, height, channels: 3, background: '#c00' } })
    .png()
    .toBuffer()
  return part('image/png; name=a.png', bytes.toString('base64').replace(/.{76}/g, '$&\r\n'), 'base64')
}

/** The bytes of the literal behind a label. */
function literal(line: string | undefined, label: string): Buffer {
  const match = new RegExp(`${label.replace(/[[\]<>.]/g, '\\$&')} ~?\\{(\\d+)\\}\\r\\n`).exec(line ?? '')
  if (!match) throw new Error(`no ${label} in ${line}`)
  const start = match.index + match[0].length
  return Buffer.from((line as string).slice(start, start + Number(match[1])), 'latin1')
}

test('CONVERSIONS lists what can be converted into what (RFC 5259 §5.1, §7.1)', async t => {
  const client = await open(t)
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / CONVERT(?: |$)/)
  assert.deepEqual(await client.ok('CONVERSIONS "text/plain" "text/plain"'), [
    '* CONVERSION "text/plain" "text/plain" ("charset" "unknown-character-replacement")',
  ])
  assert.deepEqual(await client.ok('CONVERSIONS "image/gif" "image/jpeg"'), [
    '* CONVERSION "image/gif" "image/jpeg" ("pix-x" "pix-y")',
  ])
  assert.equal((await client.ok('CONVERSIONS image/GIF "*"')).length, 4)
  assert.equal((await client.ok('CONVERSIONS "*" image/jpeg')).length, 5)
  assert.deepEqual(await client.ok('CONVERSIONS "image/*" "text/*"'), [])
  assert.deepEqual(await client.ok('CONVERSIONS audio/x-nonsense "*"'), [])
  for (const text of [
    'CONVERSIONS',
    'CONVERSIONS "*"',
    'CONVERSIONS text plain',
    'CONVERSIONS "*/plain" "*"',
    'CONVERSIONS "text/p*" "*"',
    'CONVERSIONS "*" "*" "*"',
  ]) {
    assert.match((await client.command(text)).tagged, /^BAD/, text)
    await client.ok('NOOP')
  }
})

test('conversions are counted by type and outcome', async t => {
  const counted: string[] = []
  const metrics: Metrics = {
    ...silentMetrics,
    count: (name, labels) => {
      if (name === 'imap_conversions_total') counted.push(`${labels?.['type']} ${labels?.['outcome']}`)
    },
    observe: (name, _seconds, labels) => {
      if (name === 'imap_conversion_seconds') counted.push(`${labels?.['type']} timed`)
    },
  }
  const client = await (await startImap(t, { metrics })).client()
  await client.append('INBOX', parts(part('text/plain; charset=utf-8', latin1('ž\r\n'))))
  await client.ok('SELECT INBOX')
  await client.ok('CONVERT 1 ("text/plain" ("charset" "utf-8")) BINARY[1]')
  await client.ok('CONVERT 1 ("text/plain" ("charset" "utf-8")) BINARY[1]')
  await client.command('CONVERT 1 ("text/plain" ("charset" "iso-8859-1")) BINARY[1]')
  assert.deepEqual(counted, ['text timed', 'text converted', 'text cached', 'text timed', 'text refused'])
})

test('without the library for images there are no image conversions (RFC 5259 §5)', async t => {
  const client = await (await startImap(t)).client()
  assert.deepEqual(await client.ok('CONVERSIONS "image/*" "*"'), [])
  await client.append('INBOX', parts(await png(4, 4)))
  await client.ok('SELECT INBOX')
  const { untagged, tagged } = await client.command('CONVERT 1 ("image/jpeg") BINARY[1]')
  assert.deepEqual(untagged, [
    '* 1 CONVERTED (TAG "t5") (BINARY[1] (ERROR "That conversion is not possible" BADPARAMETERS "image/png" "image/jpeg"))',
  ])
  assert.equal(tagged, 'NO All conversions failed')
})

test('text changes its charset, and HTML becomes text (RFC 5259 §6, §7.1)', async t => {
  const client = await open(
    t,
    parts(
      part('text/plain; charset=iso-8859-1', 'caf\xe9 \n1\r\n'),
      part('text/html; charset=utf-8', latin1('<p>One &eacute; ž</p><p>Two<script>no</script></p>')),
      part('text/csv; charset=utf-8', 'a,b\r\n'),
    ),
  )
  assert.equal(
    literal(
      (await client.ok('CONVERT 1 ("text/plain" ("charset" "utf-8")) BINARY[1]'))[0],
      'BINARY[1]',
    ).toString(),
    'café \r\n1\r\n',
  )
  const [line] = await client.ok('UID CONVERT 1 (NIL) (BINARY[2] BINARY.SIZE[2] BODYPARTSTRUCTURE[2] UID)')
  const text = literal(line, 'BINARY[2]')
  assert.match(text.toString(), /^One é ž\r\n\r\nTwo\r\n$/)
  // The structure comes before the data, the UID before all (§8.2).
  assert.ok(
    line?.startsWith(
      `* 1 CONVERTED (TAG "t5") (UID 1 BODYPARTSTRUCTURE[2] ("text" "plain" ("charset" "utf-8") NIL NIL "8bit" ${text.length} ${text.toString().split('\n').length - 1} NIL NIL NIL NIL) BINARY[2] {`,
    ),
    line ?? '',
  )
  assert.ok(line?.endsWith(` BINARY.SIZE[2] ${text.length})`), line ?? '')
  assert.equal(
    literal((await client.ok('CONVERT 1 ("text/plain") BINARY[2]<4.100>'))[0], 'BINARY[2]<4>').toString(),
    text.subarray(4).toString(),
  )
  assert.equal(
    literal(
      (await client.ok('CONVERT 1 ("text/csv" (charset us-ascii)) BINARY[3]'))[0],
      'BINARY[3]',
    ).toString(),
    'a,b\r\n',
  )
  // Never \Seen.
  assert.deepEqual(await client.ok('SEARCH SEEN'), ['* SEARCH'])
})

test('each charset that RFC 5259 §7.1 names becomes UTF-8', async t => {
  const bytes = 'x\xe0\xe1\xee'
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 15]) {
    const client = await open(t, parts(part(`text/plain; charset=iso-8859-${number}`, bytes)))
    const [line] = await client.ok('CONVERT 1 ("text/plain" ("charset" "utf-8")) BINARY[1]')
    assert.equal(
      literal(line, 'BINARY[1]').toString(),
      new TextDecoder(`iso-8859-${number}`).decode(Buffer.from(bytes, 'latin1')),
      String(number),
    )
  }
})

test('what a charset lacks fails the conversion, or is replaced where the client says so (RFC 5259 §6, §7.1, §12.1)', async t => {
  const client = await open(t, parts(part('text/html; charset=utf-8', latin1('café'))))
  const fails = await client.command('CONVERT 1 ("text/plain" ("charset" "us-ascii")) BINARY[1]')
  assert.match(
    fails.untagged[0] ?? '',
    /^\* 1 CONVERTED \(TAG "t4"\) \(BINARY\[1\] \(ERROR "[^"]+" BADPARAMETERS "text\/html" "text\/plain" \("charset" "us-ascii"\)\)\)$/,
  )
  assert.equal(fails.tagged, 'NO All conversions failed')
  const replaced =
    'CONVERT 1 ("text/plain" ("charset" "us-ascii" "unknown-character-replacement" "?")) BINARY[1]'
  assert.equal(literal((await client.ok(replaced))[0], 'BINARY[1]').toString(), 'caf?\r\n')
  for (const [charset, replacement] of [
    ['us-ascii', latin1('ž')],
    ['x-nonsense', '?'],
    ['us-ascii', '<bad character>!!'],
  ] as const) {
    const { untagged, tagged } = await client.command(
      `CONVERT 1 (NIL ("charset" "${charset}" "unknown-character-replacement" {${replacement.length}+}\r\n${replacement})) BINARY[1]`,
    )
    assert.match(
      untagged.join(),
      /BADPARAMETERS "text\/html" "text\/plain" \(.*"unknown-character-replacement"/,
      charset,
    )
    assert.match(tagged, /^NO/)
  }
})

test('images change type and size, within the box that is asked for (RFC 5259 §7)', async t => {
  const client = await open(t, parts(part('text/plain', 'x'), await png(640, 480)))
  const [line] = await client.ok('UID CONVERT 1 ("IMAGE/JPEG" ("PIX-X" "128" "PIX-Y" "96")) BINARY[2]')
  assert.match(line ?? '', /^\* 1 CONVERTED \(TAG "t4"\) \(UID 1 BINARY\[2\] ~\{\d+\}\r\n/)
  const { format, width, height } = await sharp(literal(line, 'BINARY[2]')).metadata()
  assert.deepEqual([format, width, height], ['jpeg', 128, 96])
  const [structure] = await client.ok(
    'CONVERT 1 (NIL ("PIX-X" "128" "PIX-Y" "96")) (BINARY[2] BODYPARTSTRUCTURE[2])',
  )
  const size = literal(structure, 'BINARY[2]').length
  assert.ok(
    structure?.includes(
      `BODYPARTSTRUCTURE[2] ("image" "jpeg" NIL NIL NIL "binary" ${size} NIL NIL NIL NIL) BINARY[2] ~{`,
    ),
    structure?.slice(0, 200) ?? '',
  )
  assert.deepEqual(await client.ok('CONVERT 1 (NIL ("PIX-X" "128" "PIX-Y" "96")) BINARY.SIZE[2]'), [
    `* 1 CONVERTED (TAG "t6") (BINARY.SIZE[2] ${size})`,
  ])
  // Never enlarged; the other side follows.
  const webp = await sharp(
    literal((await client.ok('CONVERT 1 ("image/webp" (pix-x 5000)) BINARY[2]'))[0], 'BINARY[2]'),
  ).metadata()
  assert.deepEqual([webp.format, webp.width, webp.height], ['webp', 640, 480])
  assert.deepEqual(await client.ok('CONVERT 1 (NIL) (AVAILABLECONVERSIONS[2])'), [
    '* 1 CONVERTED (TAG "t8") (AVAILABLECONVERSIONS[2] (("image/jpeg" "image/png" "image/gif" "image/webp")))',
  ])
})

test('wishes that can not be fulfilled are named (RFC 5259 §9)', async t => {
  const client = await open(
    t,
    parts(
      part('text/plain', 'x'),
      await png(4, 4),
      part('image/png', 'no image'),
      part('application/x-own', 'x'),
    ),
  )
  const failures: readonly (readonly [string, string])[] = [
    ['("application/pdf") BINARY[1]', 'BADPARAMETERS "text/plain" "application/pdf"'],
    ['(NIL) BINARY[7]', 'BADPARAMETERS NIL "text/plain"'],
    ['(NIL) BINARY[4]', 'BADPARAMETERS "application/x-own" "text/plain"'],
    ['(NIL) BINARY[]', 'BADPARAMETERS "multipart/mixed" "text/plain"'],
    [
      '("text/plain" ("pix-x" "1" "charset" "utf-8")) BINARY[1]',
      'BADPARAMETERS "text/plain" "text/plain" ("pix-x" "1")',
    ],
    ['("image/gif" ("pix-x" "0")) BINARY[2]', 'BADPARAMETERS "image/png" "image/gif" ("pix-x" "0")'],
    ['("image/gif" ("pix-y" "16385")) BINARY[2]', 'BADPARAMETERS "image/png" "image/gif" ("pix-y" "16385")'],
    [
      '("image/gif" ("charset" "utf-8")) AVAILABLECONVERSIONS[2]',
      'BADPARAMETERS "image/png" "image/gif" ("charset" "utf-8")',
    ],
    ['("image/gif") BINARY[3]', 'BADPARAMETERS "image/png" "image/gif"'],
  ]
  for (const [wish, error] of failures) {
    const { untagged, tagged } = await client.command(`CONVERT 1 ${wish}`)
    assert.ok(untagged[0]?.endsWith(`" ${error}))`), `${wish}: ${untagged[0]}`)
    assert.equal(tagged, 'NO All conversions failed', wish)
  }
  const { tagged, untagged } = await client.command('CONVERT 1 (NIL) (BINARY[1] BINARY[7])')
  assert.equal(tagged, 'OK Some conversions failed')
  assert.match(
    untagged[0] ?? '',
    /^\* 1 CONVERTED \(TAG "t\d+"\) \(BINARY\[1\] \{1\}\r\nx BINARY\[7\] \(ERROR /,
  )
})

test('too many messages or parts at once are refused (RFC 5259 §8.5)', async t => {
  const { messages, parts: most } = limits.convert
  const client = await open(
    t,
    ...new Array<string>(messages + 1).fill(parts(...new Array<string>(6).fill(part('text/plain', 'x')))),
  )
  assert.match(
    (await client.command('CONVERT 1:* (NIL) BINARY[1]')).tagged,
    new RegExp(`^NO \\[MAXCONVERTMESSAGES ${messages}\\]`),
  )
  assert.equal((await client.ok(`CONVERT 1:${messages} (NIL) BINARY.SIZE[1]`)).length, messages)
  const items = (count: number) =>
    Array.from({ length: count }, (_none, at) => `BINARY[${at + 1}] BINARY.SIZE[${at + 1}]`).join(' ')
  assert.match(
    (await client.command(`CONVERT 1 (NIL) (${items(most + 1)})`)).tagged,
    new RegExp(`^NO \\[MAXCONVERTPARTS ${most}\\]`),
  )
  await client.ok(`CONVERT 1 (NIL) (${items(most)})`)
})

test('a bomb of an image is refused, and the session goes on (RFC 5259 §13)', async t => {
  const bomb = await png(9000, 9000)
  assert.ok(bomb.length < 2_000_000)
  const client = await open(t, parts(bomb, await png(4, 4)))
  const { untagged } = await client.command('CONVERT 1 (NIL ("pix-x" "10")) BINARY[1]')
  assert.match(
    untagged[0] ?? '',
    /ERROR "The image can not be read, or is too large" BADPARAMETERS "image\/png" "image\/jpeg"/,
  )
  await client.ok('CONVERT 1 (NIL) BINARY.SIZE[2]')
})

test('a part that is too large for its kind is refused without being read', async t => {
  const client = await open(t, parts(part('text/plain', 'x'.repeat(limits.convert.textBytes + 1))))
  assert.match(
    (await client.command('CONVERT 1 (NIL) BINARY.SIZE[1]')).untagged[0] ?? '',
    /ERROR "The part is too large to be converted" BADPARAMETERS "text\/plain" "text\/plain"/,
  )
})

test('encoded words and parameters of headers are converted to a charset (RFC 5259 §6)', async t => {
  const client = await open(
    t,
    parts(
      "Content-Type: text/plain; charset=utf-8;\r\n name*=iso-8859-1'fr'tr%e9s\r\nContent-Description: =?x-nobody?q?keep?=\r\n\r\nx",
    ),
  )
  const [line] = await client.ok('CONVERT 1 (NIL ("CHARSET" "utf-8")) BODY[HEADER]')
  assert.match(line ?? '', /^\* 1 CONVERTED \(TAG "t4"\) \(BODY\[HEADER\] \{/)
  const header = literal(line, 'BODY[HEADER]').toString()
  assert.ok(
    header.includes(`From: =?utf-8?B?${Buffer.from('Петр').toString('base64')}?= <peter@example.test>\r\n`),
    header,
  )
  assert.ok(header.includes(`Subject: =?utf-8?B?${Buffer.from('café').toString('base64')}?=\r\n`), header)
  const mime = literal(
    (await client.ok('CONVERT 1 (NIL (charset UTF-8)) BODY[1.MIME]'))[0],
    'BODY[1.MIME]',
  ).toString()
  assert.ok(mime.includes("name*=UTF-8'fr'tr%C3%A9s"), mime)
  assert.ok(mime.includes('=?x-nobody?q?keep?='), mime)
  for (const [text, error] of [
    ['(NIL) BODY[HEADER]', /ERROR ".*" MISSINGPARAMETERS \("charset"\)\)\)$/],
    [
      '(NIL (charset us-ascii)) BODY[HEADER]',
      /BADPARAMETERS "message\/rfc822" "message\/rfc822" \("charset" "us-ascii"\)\)\)$/,
    ],
    ['(NIL (charset utf-8 pix-x 3)) BODY[HEADER]', /\("pix-x" "3"\)\)\)$/],
    ['(NIL (charset utf-8)) BODY[2.MIME]', /BADPARAMETERS NIL /],
  ] as const) {
    const { untagged, tagged } = await client.command(`CONVERT 1 ${text}`)
    assert.match(untagged[0] ?? '', error, text)
    assert.match(tagged, /^NO/)
  }
})

test('CONVERT with bad syntax is BAD, and needs a mailbox (RFC 5259 §10)', async t => {
  const client = await open(t, parts(part('text/plain', 'x')))
  for (const text of [
    'CONVERT',
    'CONVERT 1',
    'CONVERT 1 BINARY[1]',
    'CONVERT 1 () BINARY[1]',
    'CONVERT 1 (text/plain) BINARY[1]',
    'CONVERT 1 ("text") BINARY[1]',
    'CONVERT 1 ("te xt/plain") BINARY[1]',
    'CONVERT 1 ("text/plain" (charset)) BINARY[1]',
    'CONVERT 1 ("text/plain" ()) BINARY[1]',
    'CONVERT 1 ("text/plain" (charset a CHARSET b)) BINARY[1]',
    'CONVERT 1 (NIL) BODY[TEXT]',
    'CONVERT 1 (NIL) BODY[]',
    'CONVERT 1 ("text/plain") BODY[HEADER]',
    'CONVERT 1 (NIL) UID',
    'CONVERT 1 (NIL) ()',
    'CONVERT 1 (NIL) FLAGS',
    'CONVERT 1 (NIL) BINARY[1.MIME]',
    'CONVERT 1 (NIL) BINARY.SIZE[1]<0.1>',
    'CONVERT 5 (NIL) BINARY[1]',
  ]) {
    assert.match((await client.command(text)).tagged, /^BAD/, text)
    await client.ok('NOOP')
  }
  await client.ok('CLOSE')
  assert.match((await client.command('CONVERT 1 (NIL) BINARY[1]')).tagged, /^BAD select/)
})

test('EXPUNGE waits for CONVERT and not for UID CONVERT; UIDONLY takes the latter only (RFC 5259 §6, RFC 9586 §3)', async t => {
  const images = new ImageConverter()
  t.after(() => images.stop())
  const server = await startImap(t, { images })
  const [client, other] = [await server.client(), await server.client()]
  for (const body of ['one', 'two']) await client.append('INBOX', parts(part('text/plain', body)))
  for (const one of [client, other]) await one.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.deepEqual(
    (await client.ok('CONVERT 1:2 (NIL) BINARY[1]')).filter(line => !line.includes('FLAGS')),
    ['* 2 CONVERTED (TAG "t5") (BINARY[1] {3}\r\ntwo)'],
  )
  assert.ok((await client.ok('UID CONVERT 1:2 (NIL) BINARY[1]')).includes('* 1 EXPUNGE'))
  await client.ok('ENABLE UIDONLY')
  assert.match((await client.command('CONVERT 1 (NIL) BINARY[1]')).tagged, /^BAD \[UIDREQUIRED\]/)
  assert.deepEqual(await client.ok('UID CONVERT 2 (NIL) BINARY[1]'), [
    '* 2 CONVERTED (TAG "t9") (UID 2 BINARY[1] {3}\r\ntwo)',
  ])
})

test('the texts of errors come in the language of the client, their codes do not (RFC 5255 §3)', async t => {
  const client = await open(t, parts(part('text/plain', 'x')))
  await client.ok('LANGUAGE de')
  const { untagged, tagged } = await client.command('CONVERT 1 (NIL) BINARY[7]')
  assert.deepEqual(untagged, [
    '* 1 CONVERTED (TAG "t5") (BINARY[7] (ERROR "Diesen Teil gibt es nicht" BADPARAMETERS NIL "text/plain"))',
  ])
  assert.equal(tagged, 'NO Keine Umwandlung gelang')
})
