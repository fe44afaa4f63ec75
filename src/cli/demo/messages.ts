// The mail that the demo begins with: some sixty messages of every kind, written for it.
import iconv from 'iconv-lite'
import { composeMessage, type ComposeMessage, type ComposePart } from '../../message/compose.ts'
import type { ComposeMailbox } from '../../message/compose-field.ts'
import { formatDate } from '../../message/date.ts'
import { answered, draft, flagged, type FlagSet, seen } from '../../store/flags.ts'
import { ann, ben, demoDomain, people } from './people.ts'
import { drawPdf, drawPicture } from './picture.ts'

export interface DemoMessage {
  readonly owner: 'ann' | 'ben'
  readonly mailbox: string
  readonly flags: FlagSet
  readonly receivedAt: number
  readonly bytes: Buffer
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** All of it, as of `nowMs`. `randomText` makes boundaries. */
export function demoMessages(nowMs: number, randomText: () => string): readonly DemoMessage[] {
  const writer = new DemoWriter(nowMs, randomText)
  writeWelcome(writer)
  writeThreads(writer)
  writeList(writer)
  writeWorld(writer)
  writeKinds(writer)
  writeMachines(writer)
  writeFolders(writer)
  return writer.messages
}

interface Place {
  readonly owner?: 'ann' | 'ben'
  readonly mailbox?: string
  readonly flags?: number
  readonly keywords?: readonly string[]
  readonly hoursAgo: number
}

class DemoWriter {
  readonly messages: DemoMessage[] = []
  readonly #nowMs: number
  readonly #randomText: () => string

  constructor(nowMs: number, randomText: () => string) {
    this.#nowMs = nowMs
    this.#randomText = randomText
  }

  /** A message that is written by its parts. Gives its identifier. */
  add(place: Place, message: Omit<ComposeMessage, 'messageId' | 'dateMs'>): string {
    const messageId = this.#newId(message.from?.[0])
    const dateMs = this.#nowMs - place.hoursAgo * hourMs
    this.#keep(place, composeMessage({ ...message, messageId, dateMs }, this.#randomText))
    return messageId
  }

  /** A message whose body is written out, for what composing does not make. */
  addRaw(place: Place, from: ComposeMailbox, subject: string, fields: readonly string[], body: Buffer): void {
    const dateMs = this.#nowMs - place.hoursAgo * hourMs
    const header = [
      `Date: ${formatDate(dateMs, 0)}`,
      `From: ${from.address}`,
      `To: ${place.owner === 'ben' ? ben.address : ann.address}`,
      `Message-ID: <${this.#newId(from)}>`,
      `Subject: ${subject}`,
      'MIME-Version: 1.0',
      ...fields,
    ]
    this.#keep(place, Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`, 'utf8'), body]))
  }

  /** The bytes of a message that stands inside another. */
  compose(hoursAgo: number, message: Omit<ComposeMessage, 'messageId' | 'dateMs'>): Buffer {
    const dateMs = this.#nowMs - hoursAgo * hourMs
    return composeMessage({ ...message, messageId: this.#newId(message.from?.[0]), dateMs }, this.#randomText)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  #newId(from: ComposeMailbox | undefined): string {
    return `${this.#randomText()}@${from?.address.split('@')[1] ?? demoDomain}`
  }

  #keep(
    { owner = 'ann', mailbox = 'INBOX', flags = 0, keywords = [], hoursAgo }: Place,
    bytes: Buffer,
  ): void {
    const receivedAt = this.#nowMs - hoursAgo * hourMs
    this.messages.push({ owner, mailbox, flags: { system: flags, keywords }, receivedAt, bytes })
  }
}

function text(body: string): ComposePart {
  return { kind: 'text', text: body }
}

function html(body: string): ComposePart {
  const page = `<!doctype html><html><head><meta charset="utf-8"></head><body>${body}</body></html>`
  return { kind: 'text', subtype: 'html', text: page }
}

function multipart(subtype: string, ...parts: readonly ComposePart[]): ComposePart {
  return { kind: 'multipart', subtype, parts }
}

function attachment(type: string, fileName: string, bytes: Buffer): ComposePart {
  return { kind: 'bytes', type, bytes, disposition: { type: 'attachment', fileName } }
}

function picture(id: string, bytes: Buffer): ComposePart {
  return {
    kind: 'bytes',
    type: 'image/png',
    bytes,
    id,
    disposition: { type: 'inline', fileName: `${id.split('@')[0]}.png` },
  }
}

function writeWelcome(writer: DemoWriter): void {
  const plain = `Welcome to Restante.

This is a whole mail server, running on your own machine and for nobody else. You can
read, flag, move and search this mail from any mail program, from several at once.

Ann and Ben can write to each other. Mail to anybody else comes back: nothing
leaves this machine.

Try this: open the same mailbox in two programs and flag a message in one of them.
`
  const page = `<h1>Welcome to Restante</h1>
<p><img src="cid:harbour@restante.example" width="320" height="120" alt="A harbour at dusk"></p>
<p>This is a whole mail server, running on your own machine and for nobody else. You can read, flag, move and search this mail
from any mail program, from several at once.</p>
<p>Ann and Ben can write to each other. Mail to anybody else comes back: <b>nothing leaves this machine</b>.</p>
<p>Try this: open the same mailbox in two programs and flag a message in one of them.</p>`
  const harbour = drawPicture(320, 120, [24, 58, 92], [240, 160, 96])
  for (const [owner, to] of [
    ['ann', ann],
    ['ben', ben],
  ] as const) {
    writer.add(
      { owner, hoursAgo: 0.05, flags: flagged },
      {
        from: [{ name: 'Restante', address: `postmaster@${demoDomain}` }],
        to: [to],
        subject: 'Welcome to Restante ⚓',
        body: multipart(
          'related',
          multipart('alternative', text(plain), html(page)),
          picture('harbour@restante.example', harbour),
        ),
      },
    )
  }
}

/** Two conversations between the two, each in both their mailboxes: what one sent lies in Sent, what one got in INBOX. */
function writeThreads(writer: DemoWriter): void {
  converse(writer, 'The boat shed roof', 50, [
    [ann, 'Ben,\n\nthe roof leaks again, right over the bench. Shall we patch it on Saturday?\n\nAnn'],
    [ben, 'Saturday is good. Do we still have the tar?\n\nBen'],
    [ann, 'Half a tin. I will bring another, and the ladder.'],
    [ben, 'And I bring Clara. She knows roofs better than either of us.'],
    [ann, 'Then we may even stay dry. Ten o’clock?'],
    [ben, 'Ten it is.'],
  ])
  converse(writer, 'Which day for the regatta?', 200, [
    [ben, 'The club asks for a day in June. The 14th has the better tide, the 21st the better band.'],
    [ann, 'Tide before band.'],
    [ben, 'I knew you would say that. I have written the 14th.'],
  ])
}

function converse(
  writer: DemoWriter,
  subject: string,
  firstHoursAgo: number,
  turns: readonly (readonly [author: ComposeMailbox, body: string])[],
): void {
  const ids: string[] = []
  let previous: string | undefined
  for (const [index, [author, body]] of turns.entries()) {
    const reader = author === ann ? ben : ann
    const hoursAgo = firstHoursAgo - index * 2
    const quoted = previous === undefined ? '' : `\n\n${reader.name} wrote:\n${previous.replace(/^/gm, '> ')}`
    const message = {
      from: [author],
      to: [reader],
      subject: index === 0 ? subject : `Re: ${subject}`,
      ...(ids.length > 0 && { inReplyTo: ids.slice(-1), references: [...ids] }),
      body: text(`${body}${quoted}\n`),
    }
    const isLast = index === turns.length - 1
    const owners = author === ann ? (['ann', 'ben'] as const) : (['ben', 'ann'] as const)
    const id = writer.add({ owner: owners[0], mailbox: 'Sent', flags: seen, hoursAgo }, message)
    // The same message in both: one identifier.
    const copy = writer.messages.at(-1)
    if (copy)
      writer.messages.push({
        ...copy,
        owner: owners[1],
        mailbox: 'INBOX',
        flags: { system: isLast ? 0 : seen | answered, keywords: [] },
      })
    ids.push(id)
    previous = body
  }
}

function writeList(writer: DemoWriter): void {
  const fields = [
    ['List-Id', 'Wooden boats <boats.lists.example>'],
    ['List-Post', '<mailto:boats@lists.example>'],
    ['List-Unsubscribe', '<mailto:boats-leave@lists.example>, <https://lists.example/leave>'],
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    ['Precedence', 'list'],
  ] as const
  const posts: readonly (readonly [ComposeMailbox, string, string])[] = [
    [
      people.clara,
      'Larch or oak for the keel?',
      'Oak holds a screw for fifty years, larch for twenty. But who has oak to spare?',
    ],
    [
      people.emre,
      'Larch or oak for the keel?',
      'Larch, and change it once in a lifetime. It weighs half as much.',
    ],
    [
      people.ivan,
      'Larch or oak for the keel?',
      'Here in the north it is larch or nothing. It does not rot in cold water.',
    ],
    [
      people.clara,
      'Copper rivets',
      'Somebody asked where to buy them. The chandler at the old lock still makes his own.',
    ],
    [people.haruka, 'A model, 1:20', 'I have finished the model. Photographs when the varnish is dry.'],
    [
      people.emre,
      'Sails that are too big',
      'Can one cut a metre off the foot, or does the whole cut have to change?',
    ],
    [people.clara, 'Sails that are too big', 'The whole cut, I am afraid. Sell it and buy a smaller one.'],
  ]
  const firsts = new Map<string, string>()
  for (const [index, [author, subject, body]] of posts.entries()) {
    const first = firsts.get(subject)
    const id = writer.add(
      { mailbox: 'Lists/boats', flags: index < 4 ? seen : 0, hoursAgo: 160 - index * 9 },
      {
        fields,
        from: [author],
        to: [people.list],
        subject: first === undefined ? `[boats] ${subject}` : `Re: [boats] ${subject}`,
        ...(first !== undefined && { inReplyTo: [first], references: [first] }),
        body: text(`${body}\n\n-- \nboats mailing list, ${people.list.address}\n`),
      },
    )
    if (first === undefined) firsts.set(subject, id)
  }
}

function writeWorld(writer: DemoWriter): void {
  const letters: readonly (readonly [ComposeMailbox, string, string])[] = [
    [
      people.david,
      'שבת שלום מהנמל',
      'שלום אן,\n\nהסירה מוכנה. נשאר רק לצבוע את השם: "Ann II".\n\nלהתראות ביום ראשון,\nדוד\n',
    ],
    [
      people.fatima,
      'دعوة إلى العشاء',
      'عزيزتي آن،\n\nيسعدنا أن تتعشي معنا يوم الخميس الساعة 19:30 في بيتنا قرب الميناء (رقم 42).\n\nمع أطيب التحيات،\nفاطمة\n',
    ],
    [
      people.haruka,
      '港の写真をお送りします',
      'アンさん、\n\n先週の港の写真をお送りします。霧がとてもきれいでした。\n\n春香\n',
    ],
    [
      people.wei,
      '关于下个月的船票',
      '安，你好：\n\n下个月的船票已经订好了，两张，十四号上午九点。\n\n王伟\n',
    ],
    [
      people.minji,
      '항구 축제에 오세요',
      '앤에게,\n\n다음 주 토요일에 항구 축제가 있어요. 같이 갈래요?\n\n민지\n',
    ],
    [
      people.ivan,
      'Чертежи готовы',
      'Анна,\n\nчертежи лодки готовы, длина 6,4 метра. Пришлю на неделе.\n\nИван\n',
    ],
    [
      people.emre,
      'Ağlar ve şamandıralar',
      'Merhaba Ann,\n\nyeni ağlar geldi, şamandıralar yarın. İskelede görüşürüz.\n\nEmre\n',
    ],
    [
      people.clara,
      'Ἀργώ, Ὀδύσσεια και άλλα',
      'Ann,\n\nthe names you asked about: Ἀργώ is the ship, Ὀδύσσεια the journey. “Πηνελόπη” stays at home.\n\nClara\n',
    ],
  ]
  for (const [index, [from, subject, body]] of letters.entries()) {
    const isLeft = from === people.david || from === people.fatima
    const page = html(`<p dir="${isLeft ? 'rtl' : 'ltr'}">${body.trim().replaceAll('\n', '<br>')}</p>`)
    const isPlain = index % 2 === 0
    writer.add(
      { hoursAgo: 20 + index * 7, flags: index > 2 ? seen : 0 },
      {
        from: [from],
        to: [ann],
        subject,
        body: isPlain ? text(body) : multipart('alternative', text(body), page),
      },
    )
  }
  const encoded: readonly (readonly [ComposeMailbox, string, string, string])[] = [
    [people.haruka, 'Shift_JIS', '=?Shift_JIS?B?', '昔の文字コードです'],
    [people.ivan, 'koi8-r', '=?koi8-r?B?', 'Старая кодировка'],
    [people.minji, 'euc-kr', '=?euc-kr?B?', '오래된 문자 코드'],
    [people.wei, 'gb18030', '=?gb18030?B?', '旧的字符编码'],
  ]
  for (const [index, [from, charset, prefix, body]] of encoded.entries()) {
    const bytes = iconv.encode(body, charset)
    writer.addRaw(
      { hoursAgo: 400 + index, flags: seen },
      from,
      `${prefix}${bytes.toString('base64')}?=`,
      [`Content-Type: text/plain; charset=${charset}`, 'Content-Transfer-Encoding: 8bit'],
      Buffer.concat([bytes, Buffer.from('\r\n')]),
    )
  }
}

function writeKinds(writer: DemoWriter): void {
  const to = [ann]
  writer.add(
    { hoursAgo: 30, flags: flagged },
    {
      from: [people.clara],
      to,
      subject: 'Estimate for the roof',
      body: multipart(
        'mixed',
        text('Ann,\n\nthe estimate is attached, and the measurements as a table.\n\nClara\n'),
        attachment('application/pdf', 'Estimate roof.pdf', drawPdf('Estimate: 14 square metres, two days')),
        attachment('text/csv', 'measurements.csv', Buffer.from('side,metres\r\nnorth,7.2\r\nsouth,7.0\r\n')),
      ),
    },
  )
  const photos = ['quay', 'crane', 'gulls'].map((name, index) =>
    attachment(
      'image/png',
      `${name}.png`,
      drawPicture(240, 160, [40 * index, 90, 140], [230, 200 - 50 * index, 90]),
    ),
  )
  writer.add(
    { hoursAgo: 31 },
    {
      from: [people.haruka],
      to,
      subject: 'Photographs: 港',
      body: multipart('mixed', text('As promised. Three of the best.\n'), ...photos),
    },
  )
  writer.add(
    { hoursAgo: 33, flags: seen },
    {
      from: [people.fatima],
      to,
      subject: 'Names with dots and umlauts',
      body: multipart(
        'mixed',
        text('The file names are what this is about.\n'),
        attachment('text/plain', 'Übersicht “final” – قائمة.txt', Buffer.from('ok\r\n')),
      ),
    },
  )
  const start = new Date(writer.nowMs + 3 * dayMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const invite = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Restante//Demo//EN',
    'METHOD:REQUEST',
    'BEGIN:VEVENT',
    `UID:roof-${start}@${demoDomain}`,
    `DTSTAMP:${start}`,
    `DTSTART:${start}`,
    'DURATION:PT2H',
    'SUMMARY:Patch the boat shed roof',
    'LOCATION:Boat shed',
    `ORGANIZER;CN=Ben Harbour:mailto:${ben.address}`,
    `ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:${ann.address}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
  writer.add(
    { hoursAgo: 6 },
    {
      from: [ben],
      to,
      subject: 'Invitation: Patch the boat shed roof',
      body: multipart(
        'mixed',
        multipart(
          'alternative',
          text('Ben invites you: Patch the boat shed roof, two hours, at the boat shed.\n'),
          { kind: 'text', subtype: 'calendar', text: invite },
        ),
        attachment('application/ics', 'invite.ics', Buffer.from(invite)),
      ),
    },
  )
  const inner = writer.compose(90, {
    from: [people.library],
    to: [ben],
    subject: 'Your book is overdue',
    body: text('“Knots and Splices” was due on Monday.\n'),
  })
  writer.add(
    { hoursAgo: 40, flags: seen },
    {
      from: [ben],
      to,
      subject: 'Fwd: Your book is overdue',
      body: multipart('mixed', text('Is it on your shelf by any chance?\n'), {
        kind: 'message',
        bytes: inner,
      }),
    },
  )
  const digest = ['Tides', 'Winds', 'Lost and found'].map(subject => ({
    kind: 'message' as const,
    bytes: writer.compose(100, {
      from: [people.list],
      to: [people.list],
      subject,
      body: text(`${subject}: nothing new.\n`),
    }),
  }))
  writer.add(
    { mailbox: 'Lists/boats', hoursAgo: 99 },
    {
      from: [people.list],
      to: [people.list],
      subject: '[boats] Digest, three posts',
      body: multipart('digest', ...digest),
    },
  )
  writer.add(
    { hoursAgo: 26 },
    {
      from: [people.news],
      to,
      subject: 'The Gazette: storm warning lifted',
      body: html(
        '<table width="100%"><tr><td style="background:#123a5c;color:#fff;padding:1em"><h1>The Harbour Gazette</h1></td></tr><tr><td><p>The storm warning is lifted. Ferries run again from <b>noon</b>.</p><p><a href="https://news.example/storm">Read on</a></p></td></tr></table>',
      ),
    },
  )
  writer.addRaw(
    { hoursAgo: 44, flags: seen },
    people.clara,
    'format=flowed',
    ['Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=no'],
    Buffer.from(
      'This paragraph is written in lines that end in a space, so that a \r\nprogram may break them anew to fit its window, however wide or \r\nnarrow that is. RFC 3676 says how.\r\n\r\n> A quotation flows as well, \r\n> and keeps its depth.\r\n\r\n-- \r\nClara\r\n',
    ),
  )
  const signed =
    'Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is signed, or looks like it: the signature is made up.\r\n'
  const signature = Buffer.from('a signature of the demo, which nobody can verify').toString('base64')
  writer.addRaw(
    { hoursAgo: 46 },
    people.emre,
    'Signed',
    [
      'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="signed-7f3a"',
    ],
    Buffer.from(
      `--signed-7f3a\r\n${signed}\r\n--signed-7f3a\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\n${signature}\r\n-----END PGP SIGNATURE-----\r\n\r\n--signed-7f3a--\r\n`,
    ),
  )
  writer.add(
    { hoursAgo: 70, flags: seen },
    {
      from: [people.wei],
      to,
      subject: 'The survey, 2 MB',
      body: multipart(
        'mixed',
        text('Large, sorry.\n'),
        attachment('application/octet-stream', 'survey.bin', bytesLikeNoise(2_000_000)),
      ),
    },
  )
  const many = Array.from({ length: 150 }, (_, index) => ({
    name: `Member ${index + 1}`,
    address: `member${index + 1}@club.example`,
  }))
  writer.add(
    { hoursAgo: 75 },
    {
      from: [people.clara],
      to: [ann, ...many.slice(0, 100)],
      cc: many.slice(100),
      subject: 'To all members: the annual meeting',
      body: text('The annual meeting is on the first Friday, in the boat shed if the roof holds.\n'),
    },
  )
  writer.add(
    { hoursAgo: 80 },
    {
      from: [people.library],
      to: [{ name: 'Ann', address: `ann+library@${demoDomain}` }],
      subject: 'A new library card',
      body: text(
        'Your card is ready at the desk. (This came to ann+library, an address of your own making.)\n',
      ),
    },
  )
  writer.add(
    { hoursAgo: 85, flags: seen },
    { from: [ben], to, subject: '', body: text('No subject, because there is none.\n') },
  )
  writer.add({ hoursAgo: 86 }, { from: [ben], to, subject: 'Nothing inside', body: text('') })
  writer.add(
    { hoursAgo: 87, flags: seen, keywords: ['$Forwarded', 'boats'] },
    {
      from: [people.clara],
      to,
      subject: `A subject that goes on ${'and on '.repeat(30)}until it is folded`,
      body: text(`${'A long line. '.repeat(120)}\n`),
    },
  )
  writer.add(
    { hoursAgo: 88 },
    {
      from: [people.minji],
      to,
      subject: '🎣🐟🌊 Sunday?',
      body: text('🐟 or no 🐟, we go out at six. Bring ☕!\n'),
    },
  )
}

/** The same each time, and hard to compress. */
function bytesLikeNoise(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  let state = 42
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

function writeMachines(writer: DemoWriter): void {
  const to = [ann]
  const machines: readonly (readonly [ComposeMailbox, string, string])[] = [
    [
      { name: 'Ferry account', address: 'no-reply@ferry.example' },
      'Your code: 481 516',
      'Your one-time code is 481516. It is good for ten minutes.\n\nOr open https://ferry.example/login?token=3f9c2d71 on this device.\n',
    ],
    [
      { name: 'Ferry account', address: 'no-reply@ferry.example' },
      'Confirm your address',
      'Please confirm that this address is yours:\n\nhttps://ferry.example/confirm/8d1e77\n',
    ],
    [
      people.shop,
      'Order 2231 is on its way',
      'One coil of hemp rope, 12 mm, 50 m. It should be with you on Thursday.\n\nhttps://ropes.example/track/2231\n',
    ],
    [people.shop, 'Invoice 2231', 'Thank you. 84.50 are due within 14 days.\n'],
    [people.library, 'Reminder: “Knots and Splices”', 'The book is due in three days.\n'],
    [
      { name: 'Weather', address: 'daemon@weather.example' },
      'Gale warning, west 8',
      'Gale warning for the outer harbour from 18:00.\n',
    ],
  ]
  for (const [index, [from, subject, body]] of machines.entries()) {
    writer.add(
      { hoursAgo: 2 + index * 11, flags: index > 3 ? seen : 0 },
      { fields: [['Auto-Submitted', 'auto-generated']], from: [from], to, subject, body: text(body) },
    )
  }
  const lost = writer.compose(13, {
    from: [ann],
    to: [{ address: 'nobody@gone.example' }],
    subject: 'Are you still there?',
    body: text('It has been a while.\n'),
  })
  writer.add(
    { hoursAgo: 12 },
    {
      fields: [['Auto-Submitted', 'auto-replied']],
      from: [{ name: 'Mail delivery', address: `mailer-daemon@${demoDomain}` }],
      to,
      subject: 'Undelivered mail: Are you still there?',
      body: {
        kind: 'multipart',
        subtype: 'report',
        params: [['report-type', 'delivery-status']],
        parts: [
          text(
            'Your message could not be delivered to nobody@gone.example:\n\nthe server there says that there is no such mailbox.\n',
          ),
          {
            kind: 'status',
            type: 'message/delivery-status',
            groups: [
              [['Reporting-MTA', `dns; mail.${demoDomain}`]],
              [
                ['Final-Recipient', 'rfc822; nobody@gone.example'],
                ['Action', 'failed'],
                ['Status', '5.1.1'],
                ['Diagnostic-Code', 'smtp; 550 5.1.1 No such mailbox'],
              ],
            ],
          },
          { kind: 'message', bytes: lost },
        ],
      },
    },
  )
}

function writeFolders(writer: DemoWriter): void {
  writer.add(
    { mailbox: 'Drafts', flags: draft | seen, hoursAgo: 4 },
    { from: [ann], to: [people.clara], subject: 'Thank you for the roof', body: text('Dear Clara,\n\n') },
  )
  writer.add(
    { owner: 'ben', mailbox: 'Drafts', flags: draft | seen, hoursAgo: 9 },
    { from: [ben], to: [ann], subject: 'A song for the regatta', body: text('First verse:\n\n') },
  )
  writer.add(
    { mailbox: 'Junk', keywords: ['$Junk'], hoursAgo: 15 },
    {
      from: [{ name: 'Prize office', address: 'win@prizes.example' }],
      to: [ann],
      subject: 'YOU HAVE WON A YACHT',
      body: html('<h1>Congratulations</h1><p>Only today. <a href="https://prizes.example">Click</a></p>'),
    },
  )
  writer.add(
    { mailbox: 'Junk', keywords: ['$Junk'], hoursAgo: 55 },
    {
      from: [{ address: 'loans@money.example' }],
      to: [ann],
      subject: 'Cheap loan, no questions',
      body: text('No questions asked. Not even your name.\n'),
    },
  )
  writer.add(
    { mailbox: 'Trash', flags: seen, hoursAgo: 300 },
    {
      from: [people.news],
      to: [ann],
      subject: 'The Gazette: crossword',
      body: text('Seven across: a place to tie up (4).\n'),
    },
  )
  for (const [index, subject] of [
    'Lease of the boat shed',
    'Insurance, policy 77',
    'Minutes of the last meeting',
  ].entries()) {
    writer.add(
      { mailbox: 'Archive', flags: seen, hoursAgo: 2000 + index * 700 },
      {
        from: [people.clara],
        to: [ann],
        subject,
        body: multipart(
          'mixed',
          text('For your files.\n'),
          attachment('application/pdf', `${subject}.pdf`, drawPdf(subject)),
        ),
      },
    )
  }
  writer.add(
    { owner: 'ben', hoursAgo: 5 },
    {
      from: [people.shop],
      to: [ben],
      subject: 'Your varnish is back in stock',
      body: text('You asked us to tell you. It is back.\n'),
    },
  )
  writer.add(
    { owner: 'ben', mailbox: 'Projects/Regatta/2027', flags: seen, hoursAgo: 120 },
    {
      from: [people.emre],
      to: [ben],
      subject: 'Buoys: how many?',
      body: text('Six, or eight with the long course?\n'),
    },
  )
}
