// How long does it take to sum up a message of 10 KB when it arrives? Prints microseconds a message, the best of five runs.
// `node bench/summarize.ts`
import { composeMessage, type ComposePart } from '../src/message/compose.ts'
import { headerFields } from '../src/message/sections.ts'
import { summarize } from '../src/message/summary.ts'

const line = 'The quick brown fox jumps over the lazy dog, and then some more words go.\n'
const trace =
  'from a.example (a.example [192.0.2.1]) by mx.example.org with ESMTPS id 4A5B6C for <bob@example.org>'
const fields = [
  ...Array.from({ length: 4 }, () => ['Received', `${trace}; Tue, 5 Mar 2024 10:11:12 +0000`] as const),
  [
    'DKIM-Signature',
    `v=1; a=rsa-sha256; d=example.com; s=sel; h=from:to:subject; bh=x; b=${'A'.repeat(344)}`,
  ] as const,
]

function message(body: ComposePart): Buffer {
  return composeMessage(
    {
      fields,
      from: [{ name: 'Alice Example', address: 'alice@example.com' }],
      to: [{ name: 'Bob', address: 'bob@example.org' }, { address: 'carol@example.org' }],
      subject: 'Réunion de lundi and more',
      dateMs: Date.UTC(2024, 2, 5),
      messageId: 'abc123@example.com',
      references: ['q@example.org', 'xyz@example.org'],
      body,
    },
    () => 'boundary',
  )
}

const plain = message({ kind: 'text', text: line.repeat(112) })
const alternative = message({
  kind: 'multipart',
  subtype: 'alternative',
  parts: [
    { kind: 'text', text: line.repeat(40) },
    { kind: 'text', subtype: 'html', text: `<p>é${line.repeat(66)}</p>` },
  ],
})
const attachment = message({
  kind: 'multipart',
  subtype: 'mixed',
  parts: [
    { kind: 'text', text: line },
    { kind: 'bytes', type: 'application/pdf', bytes: Buffer.alloc(6000, 'pdf') },
  ],
})
const header = plain.subarray(0, plain.indexOf('\r\n\r\n') + 4)
const asked = [
  'from',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'references',
  'content-type',
  'reply-to',
]

measure(`summarize, plain text of ${plain.length} bytes`, () => summarize(plain))
measure(`summarize, alternative of ${alternative.length} bytes`, () => summarize(alternative))
measure(`summarize, attachment, ${attachment.length} bytes`, () => summarize(attachment))
measure(`HEADER.FIELDS (${asked.length}) of ${header.length} bytes`, () => headerFields(header, asked, false))

function measure(name: string, run: () => unknown): void {
  const count = 5000
  for (let warm = 0; warm < count; warm++) run()
  let bestUs = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    for (let index = 0; index < count; index++) run()
    bestUs = Math.min(bestUs, ((performance.now() - start) * 1000) / count)
  }
  console.log(`${name.padEnd(50)} ${bestUs.toFixed(1)} us`)
}
