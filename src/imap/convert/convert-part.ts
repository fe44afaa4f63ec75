// Makes something else of one part of a message. RFC 5259 §6, §9.
import { htmlTextPieces } from '../../message/html.ts'
import { encodeCharset } from '../../message/charset-encode.ts'
import { decodeCharset } from '../../message/charset.ts'
import type { PartNode } from '../../message/sections.ts'
import { decodeTransfer, isEncodingKnown } from '../../message/transfer.ts'
import { limits } from '../../base/limits.ts'
import type { Session } from '../session.ts'
import { type Conversion, defaultTarget } from './conversions.ts'

export type Parameters = ReadonlyMap<string, string>

export interface ConversionWish {
  /** Undefined: the server chooses (RFC 5259 §6). */
  readonly to: string | undefined
  /** By names in lower case. */
  readonly parameters: Parameters
}

export interface Converted {
  readonly kind: 'converted'
  readonly to: string
  /** Of text. */
  readonly charset: string | undefined
  readonly bytes: Buffer
}

/** RFC 5259 §9: why nothing came of it. */
export type ConversionFailure =
  | {
      readonly kind: 'BADPARAMETERS'
      readonly text: string
      /** Undefined: there is no such part. */
      readonly from: string | undefined
      readonly to: string
      readonly parameters: Parameters
    }
  | { readonly kind: 'MISSINGPARAMETERS'; readonly text: string; readonly names: readonly string[] }
  | { readonly kind: 'TEMPFAIL'; readonly text: string }

const noParameters: Parameters = new Map()

/** Which conversion is meant; of the targets that could be, those that know all the parameters. */
export function chooseConversions(
  conversions: readonly Conversion[],
  part: PartNode | undefined,
  { to, parameters }: ConversionWish,
): readonly Conversion[] | ConversionFailure {
  if (!part) {
    const text = 'There is no such part'
    return { kind: 'BADPARAMETERS', text, from: undefined, to: to ?? 'text/plain', parameters }
  }
  const from = `${part.type}/${part.subtype}`
  const target = to ?? defaultTarget(from) ?? 'text/plain'
  const possible = conversions.filter(one => one.from === from && (to === undefined || one.to === to))
  if (possible.length === 0)
    return {
      kind: 'BADPARAMETERS',
      text: 'That conversion is not possible',
      from,
      to: target,
      parameters: noParameters,
    }
  const fitting = possible.filter(one => [...parameters.keys()].every(name => one.parameters.includes(name)))
  if (fitting.length > 0) return fitting
  // §9: all that are not for this conversion are named.
  const known = possible.find(one => one.to === target) ?? possible[0]
  const foreign = [...parameters].filter(([name]) => !known?.parameters.includes(name))
  return {
    kind: 'BADPARAMETERS',
    text: 'Some parameters are not for that conversion',
    from,
    to: target,
    parameters: new Map(foreign),
  }
}

/** Converts the bytes of a part. `raw` reads them as they are stored. */
export async function convertPart(
  session: Session,
  part: PartNode,
  { from, to }: Conversion,
  parameters: Parameters,
  raw: () => Promise<Buffer>,
): Promise<Converted | ConversionFailure> {
  const refuse = (text: string, ...names: readonly string[]): ConversionFailure => ({
    kind: 'BADPARAMETERS',
    text,
    from,
    to,
    parameters: new Map([...parameters].filter(([name]) => names.includes(name))),
  })
  const isText = to.startsWith('text/')
  const most = isText ? limits.convert.textBytes : limits.convert.sourceBytes
  if (part.bodyEnd - part.bodyStart > most) return refuse('The part is too large to be converted')
  if (!isEncodingKnown(part.encoding)) return refuse('The part has an unknown transfer encoding')
  const bytes = decodeTransfer(await raw(), part.encoding)
  if (bytes.length > most) return refuse('The part is too large to be converted')
  return isText
    ? convertText(session, part, bytes, { from, to }, parameters, refuse)
    : convertImage(session, bytes, to, parameters, refuse)
}

type Refuse = (text: string, ...names: readonly string[]) => ConversionFailure

async function convertText(
  session: Session,
  part: PartNode,
  bytes: Buffer,
  { from, to }: Pick<Conversion, 'from' | 'to'>,
  parameters: Parameters,
  refuse: Refuse,
): Promise<Converted | ConversionFailure> {
  const charset = (parameters.get('charset') ?? 'utf-8').toLowerCase()
  const replacement = parameters.get('unknown-character-replacement')
  if (replacement !== undefined && Buffer.byteLength(replacement) > limits.convert.replacementBytes)
    return refuse('The replacement for unknown characters is too long', 'unknown-character-replacement')
  let text = decodeCharset(bytes, part.charset)
  if (from === 'text/html' && to === 'text/plain') {
    const pieces: string[] = []
    for (const piece of htmlTextPieces(text)) {
      pieces.push(piece)
      await session.connection.breathe()
    }
    // Tags leave many empty lines.
    const lines = pieces.join('').split('\n')
    text = `${lines
      .map(line => line.trimEnd())
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()}\n`
  }
  await session.connection.breathe()
  const encoded = encodeCharset(text.replace(/\r\n?|\n/g, '\r\n'), charset, replacement)
  if (!encoded)
    return refuse(
      'The charset lacks characters of the text, or is not known here',
      'charset',
      'unknown-character-replacement',
    )
  return { kind: 'converted', to, charset, bytes: encoded }
}

async function convertImage(
  { context }: Session,
  bytes: Buffer,
  to: string,
  parameters: Parameters,
  refuse: Refuse,
): Promise<Converted | ConversionFailure> {
  const sides: (number | undefined)[] = []
  for (const name of ['pix-x', 'pix-y']) {
    const value = parameters.get(name)
    const side = value === undefined ? undefined : /^[1-9]\d{0,5}$/.test(value) ? Number(value) : Number.NaN
    if (side !== undefined && !(side <= limits.convert.sidePixels))
      return refuse('A side of the image is out of bounds', name)
    sides.push(side)
  }
  const [width, height] = sides
  const image = await context.images?.convert({ bytes, target: to, width, height })
  if (image === undefined || image === 'busy')
    return { kind: 'TEMPFAIL', text: 'Images can be converted later' }
  if (image === 'refused') return refuse('The image can not be read, or is too large')
  return { kind: 'converted', to, charset: undefined, bytes: image }
}
