// Arguments of commands. RFC 1939 §3; RFC 2449 §3 (`param = 1*VCHAR`, single spaces).
import { bad } from './error.ts'

const maxNumberDigits = 10

export function noArguments(args: Buffer | undefined): void {
  // A space at the end of the line is common and harmless.
  if (args !== undefined && args.length > 0) throw bad(texts => texts.syntax)
}

export function oneNumber(args: Buffer | undefined): number {
  const [first, ...rest] = words(args)
  if (first === undefined || rest.length > 0) throw bad(texts => texts.syntax)
  return parseNumber(first)
}

export function optionalNumber(args: Buffer | undefined): number | undefined {
  return args === undefined || args.length === 0 ? undefined : oneNumber(args)
}

export function twoNumbers(args: Buffer | undefined): readonly [number, number] {
  const [first, second, ...rest] = words(args)
  if (first === undefined || second === undefined || rest.length > 0) throw bad(texts => texts.syntax)
  return [parseNumber(first), parseNumber(second)]
}

/** The words of the arguments. Spaces at the end are forgiven. */
export function words(args: Buffer | undefined): readonly string[] {
  const text = args?.toString('latin1').trimEnd() ?? ''
  return text === '' ? [] : text.split(' ')
}

function parseNumber(text: string): number {
  if (text.length > maxNumberDigits || !/^[0-9]+$/.test(text)) throw bad(texts => texts.syntax)
  return Number(text)
}
