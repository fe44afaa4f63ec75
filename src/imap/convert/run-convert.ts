// Carries a CONVERT out. RFC 5259 §6, §8, §9. The messages themselves stay as they are, and unseen.
import { limits } from '../../base/limits.ts'
import type { BlobHash } from '../../base/ids.ts'
import { findPart, findSection, type PartNode, unpackParts } from '../../message/sections.ts'
import { recodeHeader } from '../../message/recode-header.ts'
import { StoreError } from '../../store/error.ts'
import type { Completion } from '../command.ts'
import type { Encoder } from '../encoder.ts'
import { no } from '../error.ts'
import { type EmailRow, readEmailRows } from '../fetch/email-rows.ts'
import { partialSpan } from '../fetch/section-bytes.ts'
import { translate } from '../language/translate.ts'
import type { SequenceSet } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { ConversionCache } from './conversion-cache.ts'
import { type Conversion, listConversions } from './conversions.ts'
import type { ConvertItem, ConvertItems } from './convert-items.ts'
import {
  chooseConversions,
  type ConversionFailure,
  type ConversionWish,
  type Converted,
  convertPart,
} from './convert-part.ts'

export interface ConvertArgs extends ConvertItems {
  readonly tag: string
  readonly set: SequenceSet
  readonly wish: ConversionWish
}

type Result =
  | Converted
  | ConversionFailure
  | { readonly kind: 'targets'; readonly types: readonly string[] }
  | { readonly kind: 'header'; readonly bytes: Buffer }

export async function runConvert(session: Session, args: ConvertArgs, isUid: boolean): Promise<Completion> {
  const { view } = session
  const { messages, parts } = limits.convert
  const selection = view.select(args.set, isUid)
  if (selection.count > messages)
    throw no(`MAXCONVERTMESSAGES ${messages}`, 'That are too many messages to convert at once')
  if (new Set(args.items.map(sectionOf)).size > parts)
    throw no(`MAXCONVERTPARTS ${parts}`, 'That are too many parts to convert at once')
  const conversions = await listConversions(session)
  const snapshot = await view.refresh()
  let succeeded = 0
  let failed = 0
  for (let at = 0; at < selection.count; at++) {
    const uid = selection.uids[at] as number
    const position = snapshot.positionOf(uid)
    const message = position < 0 ? undefined : await readMessage(session, uid, snapshot.emailAt(position))
    // Expunged meanwhile: what is told at the end of the command.
    if (!message) continue
    const results: { readonly item: ConvertItem; readonly result: Result }[] = []
    const made = new Map<string, Converted | ConversionFailure>()
    for (const item of args.items)
      results.push({ item, result: await resultOf(session, message, item, args.wish, conversions, made) })
    for (const { result } of results) {
      if (isFailure(result)) failed++
      else succeeded++
    }
    writeConverted(session, args, isUid, selection.numbers[at] as number, uid, results)
    await session.out.drain()
  }
  if (failed > 0 && succeeded === 0) throw no(undefined, 'All conversions failed')
  return failed > 0 ? { text: 'Some conversions failed' } : {}
}

function sectionOf(item: ConvertItem): string {
  return item.kind === 'BODY' ? item.label : item.path.join('.')
}

interface StoredMessage {
  readonly uid: number
  readonly root: PartNode
  read(start: number, end: number): Promise<Buffer>
}

/** Undefined where its content is gone. */
async function readMessage(
  { store, view }: Session,
  uid: number,
  email: Parameters<typeof readEmailRows>[2][number],
): Promise<StoredMessage | undefined> {
  const { account } = view.mailbox
  const rows = await readEmailRows(store.reader, account, [email], new Set(['blob', 'parts']))
  const row: EmailRow | undefined = rows.get(email)
  if (!row) return undefined
  const hash = Buffer.from(row.blob).toString('hex') as BlobHash
  return {
    uid,
    root: unpackParts(row.parts),
    read: async (start, end) => store.readBody(account, hash, start, end),
  }
}

async function resultOf(
  session: Session,
  message: StoredMessage,
  item: ConvertItem,
  wish: ConversionWish,
  conversions: readonly Conversion[],
  /** Of this message, by part. */
  made: Map<string, Converted | ConversionFailure>,
): Promise<Result> {
  if (item.kind === 'BODY') return headerResult(message, item, wish)
  const part = findPart(message.root, item.path)
  const chosen = chooseConversions(conversions, part, wish)
  if (isFailure(chosen) || !part) return chosen as ConversionFailure
  if (item.kind === 'AVAILABLECONVERSIONS')
    return { kind: 'targets', types: [...new Set(chosen.map(({ to }) => to))] }
  const path = item.path.join('.')
  const known = made.get(path)
  if (known) return known
  const result = await convertOnce(session, message, part, path, chosen[0] as Conversion, wish)
  made.set(path, result)
  return result
}

async function convertOnce(
  session: Session,
  message: StoredMessage,
  part: PartNode,
  path: string,
  conversion: Conversion,
  { parameters }: ConversionWish,
): Promise<Converted | ConversionFailure> {
  const cache = (session.view.conversions ??= new ConversionCache())
  const key = JSON.stringify([message.uid, path, conversion.to, [...parameters]])
  const { metrics } = session.context
  const type = conversion.to.startsWith('text/') ? 'text' : 'image'
  const known = cache.find(key)
  if (known) {
    metrics.count('imap_conversions_total', { type, outcome: 'cached' })
    return known
  }
  const startMs = performance.now()
  try {
    const raw = () => message.read(part.bodyStart, part.bodyEnd)
    const result = await convertPart(session, part, conversion, parameters, raw)
    if (result.kind === 'converted') cache.add(key, result)
    metrics.observe('imap_conversion_seconds', (performance.now() - startMs) / 1000, { type })
    metrics.count('imap_conversions_total', { type, outcome: outcomeOf(result) })
    return result
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'no-such-body') throw error
    return { kind: 'TEMPFAIL', text: 'Some of the messages are gone' }
  }
}

/** As metrics name it: `later` where it may work another time. */
function outcomeOf({ kind }: Converted | ConversionFailure): 'converted' | 'later' | 'refused' {
  if (kind === 'converted') return kind
  return kind === 'TEMPFAIL' ? 'later' : 'refused'
}

/** RFC 5259 §6: encoded words in another charset. */
async function headerResult(
  message: StoredMessage,
  { section }: Extract<ConvertItem, { readonly kind: 'BODY' }>,
  { parameters }: ConversionWish,
): Promise<Result> {
  const from = section.path.length === 0 ? 'message/rfc822' : undefined
  const refuse = (text: string, names: readonly string[]): ConversionFailure => ({
    kind: 'BADPARAMETERS',
    text,
    from,
    to: 'message/rfc822',
    parameters: new Map([...parameters].filter(([name]) => names.includes(name))),
  })
  const charset = parameters.get('charset')
  if (charset === undefined)
    return { kind: 'MISSINGPARAMETERS', text: 'Headers are converted to a charset', names: ['charset'] }
  const foreign = [...parameters.keys()].filter(
    name => !name.startsWith('charset') && name !== 'unknown-character-replacement',
  )
  if (foreign.length > 0) return refuse('Some parameters are not for that conversion', foreign)
  const place = findSection(message.root, section.path, section.kind === 'MIME' ? 'MIME' : 'HEADER')
  if (!place) return refuse('There is no such part', [])
  if (place.end - place.start > limits.message.headerBytes)
    return refuse('The part is too large to be converted', [])
  const block = await message.read(place.start, place.end)
  const recoded = recodeHeader(
    block.toString('latin1'),
    charset,
    parameters.get('unknown-character-replacement'),
  )
  if (recoded === undefined)
    return refuse('The charset lacks characters of the text, or is not known here', [
      'charset',
      'unknown-character-replacement',
    ])
  return { kind: 'header', bytes: Buffer.from(recoded, 'latin1') }
}

function isFailure(result: Result | readonly Conversion[]): result is ConversionFailure {
  return 'kind' in result && ['BADPARAMETERS', 'MISSINGPARAMETERS', 'TEMPFAIL'].includes(result.kind)
}

// The answer

function writeConverted(
  session: Session,
  { tag, wantsUid }: ConvertArgs,
  isUid: boolean,
  number: number,
  uid: number,
  results: readonly { readonly item: ConvertItem; readonly result: Result }[],
): void {
  const { out } = session
  // After UIDONLY the client knows no message numbers (RFC 9586 §3.2).
  out.ascii(`* ${session.has('UIDONLY') ? uid : number} CONVERTED (TAG "${tag}") (`)
  if (isUid || wantsUid) out.ascii(`UID ${uid} `)
  for (const [at, { item, result }] of results.entries()) {
    if (at > 0) out.byte(0x20)
    out.ascii(`${item.label} `)
    writeResult(session, item, result)
  }
  out.byte(0x29).crlf()
}

function writeResult(session: Session, item: ConvertItem, result: Result): void {
  const { out } = session
  switch (result.kind) {
    case 'targets':
      out.ascii(`((${result.types.map(type => `"${type}"`).join(' ')}))`)
      return
    case 'header':
      out.literal(result.bytes)
      return
    case 'converted':
      if (item.kind === 'BINARY.SIZE') out.number(result.bytes.length)
      else if (item.kind === 'BODYPARTSTRUCTURE') writeStructure(out, result)
      else if (item.kind === 'BINARY') {
        const { start, end } = partialSpan({ start: 0, end: result.bytes.length }, item.partial)
        const bytes = result.bytes.subarray(start, end)
        out.literal(bytes, result.charset === undefined || bytes.includes(0))
      }
      return
    default:
      writeFailure(session, result)
  }
}

/** RFC 5259 §8.2: as BODYSTRUCTURE would have it. */
function writeStructure(out: Encoder, { to, charset, bytes }: Converted): void {
  const [type, subtype] = to.split('/')
  const parameters = charset === undefined ? 'NIL' : `("charset" "${charset}")`
  let lines = ''
  if (type === 'text') {
    let count = 0
    for (const byte of bytes) if (byte === 0x0a) count++
    lines = ` ${count}`
  }
  const encoding = charset === undefined ? 'binary' : '8bit'
  out.ascii(
    `("${type}" "${subtype}" ${parameters} NIL NIL "${encoding}" ${bytes.length}${lines} NIL NIL NIL NIL)`,
  )
}

function writeFailure({ out, language }: Session, failure: ConversionFailure): void {
  out.ascii('(ERROR ').string(translate(failure.text, language)).ascii(` ${failure.kind}`)
  if (failure.kind === 'MISSINGPARAMETERS')
    out.ascii(` (${failure.names.map(name => `"${name}"`).join(' ')})`)
  if (failure.kind === 'BADPARAMETERS') {
    out.ascii(` ${failure.from === undefined ? 'NIL' : `"${failure.from}"`} "${failure.to}"`)
    if (failure.parameters.size > 0) {
      out.ascii(' (')
      for (const [at, [name, value]] of [...failure.parameters].entries()) {
        if (at > 0) out.byte(0x20)
        out.string(name).byte(0x20).string(value)
      }
      out.byte(0x29)
    }
  }
  out.byte(0x29)
}
