// The tree of MIME parts, by offsets. RFC 2045, RFC 2046 §5.1 (multipart), §5.2.1 (message/rfc822); RFC 5322 §2.
//
// - One pass over the bytes, no copies of bodies, no recursion: the time is linear and the stack is flat for any input.
// - Parts nest: a part lies wholly inside its parent's body, and brothers follow one another without overlap.
// - The line end before a boundary belongs to the boundary. A boundary of any open multipart ends all that is open
//   inside it, also in the middle of a header (its part then has an empty body).
// - A boundary matches as a prefix of its line, the longest of the open ones first, the innermost of equals:
//   senders append white space and more to it, and some use one boundary that is the beginning of another.
import { limits } from '../base/limits.ts'
import { boundaryOf, readFields, type MessageFields, type PartFields } from './part-fields.ts'

/** One MIME part. Offsets are into the whole message; texts are Latin-1 as they stand there. */
export interface Part extends PartFields {
  readonly headerStart: number
  /** Where the body starts: after the blank line. */
  readonly headerEnd: number
  /** The same as `headerEnd`. */
  readonly bodyStart: number
  readonly bodyEnd: number
  /** Line ends in the body of a text or a message part; 0 for others, where IMAP does not ask for it. */
  readonly lines: number
  /** The parts of a multipart; the one message of a message/rfc822. */
  readonly children: readonly Part[]
  /** The fields of a message's own header: of the top part, and of the child of a message/rfc822. */
  readonly message: MessageFields | undefined
}

interface MutablePart extends PartFields {
  headerStart: number
  headerEnd: number
  bodyStart: number
  bodyEnd: number
  lines: number
  children: MutablePart[]
  message: MessageFields | undefined
}

interface Boundary {
  readonly bytes: Buffer
  /** How many parts are open when the boundary's own multipart is the innermost. */
  readonly depth: number
  /** How many bytes it has in common, from the first, with each boundary outside it. */
  readonly shared: readonly number[]
}

const LF = 10
const CR = 13
const DASH = 45
const NEW_LINE_DASHES = Buffer.from('\n--')
/** Bytes that are gone over at once: a few milliseconds at the worst. */
const STEP_BYTES = 256 * 1024
/** Longer boundaries are cut (RFC 2046 §5.1.1 allows 70). */
const BOUNDARY_MAX = 80

/** The part tree of a whole message. Never throws. */
export function parseMessage(bytes: Buffer): Part {
  return lastOf(parseInSteps(bytes))
}

/** Like `parseMessage`, yielding after each `STEP_BYTES` or so, so that others can run before the next. */
export function parseInSteps(bytes: Buffer): Generator<undefined, Part> {
  return new Parser(bytes).parse(0, true)
}

/** The part tree of one MIME entity (its header and body), which is no message of its own. Never throws. */
export function parsePart(bytes: Buffer): Part {
  return lastOf(new Parser(bytes).parse(0, false))
}

function lastOf<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

class Parser {
  readonly #bytes: Buffer
  /** From the outermost to the innermost. */
  readonly #open: MutablePart[] = []
  readonly #boundaries: Boundary[] = []
  #partCount = 0
  /** Of the last boundary found: where its line starts, where the line after it does, and whether it is the closing one. */
  #foundAt = 0
  #afterLine = 0
  #isClosing = false
  /** After the line of the last closing boundary. */
  #afterClosing = 0
  #headerBoundary: Boundary | undefined
  /** Where the step under way began. */
  #stepStart = 0
  #lineCount = 0
  #countedTo = 0
  #countedOpen = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  *parse(start: number, isMessage: boolean): Generator<undefined, Part> {
    const end = this.#bytes.length
    const root = yield* this.#begin(start, isMessage, false)
    let at = root.bodyEnd
    for (;;) {
      let boundary = this.#headerBoundary
      let isCutHeader = boundary !== undefined
      this.#headerBoundary = undefined
      const inner = this.#open.at(-1)
      if (boundary === undefined && inner !== undefined && isMessageType(inner) && this.#mayOpen()) {
        at = (yield* this.#begin(inner.bodyStart, true, false)).bodyEnd
        continue
      }
      boundary ??= yield* this.#findBoundary(at)
      // After a closing boundary comes an epilogue: only an outer boundary ends it.
      while (boundary !== undefined && this.#isClosing) {
        yield* this.#close(boundary.depth, this.#foundAt, isCutHeader)
        this.#boundaries.length = this.#boundaries.indexOf(boundary)
        this.#afterClosing = this.#afterLine
        isCutHeader = false
        boundary = yield* this.#findBoundary(this.#afterLine)
      }
      if (boundary === undefined) break
      yield* this.#close(boundary.depth, this.#foundAt, isCutHeader)
      this.#boundaries.length = this.#boundaries.indexOf(boundary) + 1
      at = (yield* this.#begin(this.#afterLine, false, true)).bodyEnd
    }
    yield* this.#close(0, end)
    return root
  }

  /** Parses the header at `start` and opens its part, with a body that is empty so far. */
  *#begin(start: number, isMessage: boolean, isChild: boolean): Generator<undefined, MutablePart> {
    const parent = this.#open.at(-1)
    const isInDigest = isChild && parent?.type === 'multipart' && parent.subtype === 'digest'
    const headerEnd = this.#findBodyStart(start)
    const { fields, message } = readFields(this.#bytes, start, headerEnd, isMessage, isInDigest)
    const part = fields as MutablePart
    part.headerStart = start
    part.headerEnd = headerEnd
    part.bodyStart = headerEnd
    part.bodyEnd = headerEnd
    part.lines = isCounted(part) ? yield* this.#startLines(headerEnd) : 0
    part.children = []
    part.message = message
    parent?.children.push(part)
    this.#open.push(part)
    this.#partCount++
    if (part.type === 'multipart' && this.#headerBoundary === undefined && this.#mayOpen()) {
      const text = boundaryOf(part)
      if (text !== undefined) {
        const bytes = Buffer.from(text.slice(0, BOUNDARY_MAX), 'latin1')
        const shared = this.#boundaries.map(outer => matchLength(outer.bytes, 0, bytes, 0))
        this.#boundaries.push({ bytes, depth: this.#open.length, shared })
      }
    }
    return part
  }

  #mayOpen(): boolean {
    return this.#open.length < limits.message.depth && this.#partCount < limits.message.parts
  }

  /** Ends every part that is open deeper than `depth` at `end`: the start of a boundary's line, or the end of all. */
  *#close(depth: number, end: number, isCutHeader = false): Generator<undefined, void> {
    const inner = this.#open.at(-1)
    if (inner === undefined) return
    let bodyEnd = end
    if (depth > 0) {
      // The line end after a closing boundary belongs to that line, also where a boundary follows at once.
      const floor = Math.max(inner.bodyStart, this.#afterClosing)
      // A message that a boundary cuts off in its header holds its last line whole.
      if (!isCutHeader || inner.message === undefined) bodyEnd = this.#withoutLineEnd(end, floor)
      // A boundary right after the blank line: that line's end is the boundary's, and the body is empty.
      if (this.#open.length > depth && inner.bodyStart === end && inner.message === undefined) {
        inner.headerEnd = inner.bodyStart = bodyEnd = this.#withoutLineEnd(end, inner.headerStart)
      }
    }
    for (let index = this.#open.length - 1; index >= depth; index--) {
      const part = this.#open[index]
      if (part === undefined) return
      part.bodyEnd = isCutHeader && part === inner ? part.bodyStart : Math.max(bodyEnd, part.bodyStart)
      if (isCounted(part)) {
        part.lines = Math.max(0, (yield* this.#linesTo(part.bodyEnd)) - part.lines)
        this.#countedOpen--
      }
    }
    this.#open.length = depth
  }

  // Lines are counted once however deep messages nest: each counted part takes the difference of one running count.

  *#startLines(at: number): Generator<undefined, number> {
    if (this.#countedOpen++ === 0) this.#countedTo = at
    return yield* this.#linesTo(at)
  }

  *#linesTo(end: number): Generator<undefined, number> {
    while (this.#countedTo < end) {
      const to = Math.min(end, this.#countedTo + STEP_BYTES)
      this.#lineCount += countLines(this.#bytes, this.#countedTo, to)
      this.#countedTo = to
      if (to < end) yield
    }
    return this.#lineCount
  }

  /** Where the body starts. A boundary inside the header ends it before the line end that belongs to the boundary. */
  #findBodyStart(start: number): number {
    const bytes = this.#bytes
    const end = bytes.length
    let at = start
    while (at < end) {
      const first = bytes[at]
      if (first === LF) return at + 1
      if (first === CR && at + 1 < end && bytes[at + 1] === LF) return at + 2
      if (first === DASH && this.#boundaries.length > 0 && this.#partCount + 1 < limits.message.parts) {
        const boundary = this.#matchBoundary(at)
        if (boundary !== undefined) {
          this.#headerBoundary = boundary
          return this.#withoutLineEnd(at, start)
        }
      }
      const newline = bytes.indexOf(LF, at)
      if (newline === -1) return end
      at = newline + 1
    }
    return end
  }

  /** `at`, or the start of the line end that is right before it and not before `floor`. */
  #withoutLineEnd(at: number, floor: number): number {
    const bytes = this.#bytes
    if (at <= floor || bytes[at - 1] !== LF) return at
    return at - 1 > floor && bytes[at - 2] === CR ? at - 2 : at - 1
  }

  /** The next boundary whose line starts at `from` (the start of a line) or later. */
  *#findBoundary(from: number): Generator<undefined, Boundary | undefined> {
    if (this.#boundaries.length === 0 || this.#partCount >= limits.message.parts) return undefined
    const bytes = this.#bytes
    let at = from
    if (bytes[at] !== DASH || bytes[at + 1] !== DASH) at = this.#nextCandidate(at)
    while (at !== -1) {
      const boundary = this.#matchBoundary(at)
      if (boundary !== undefined) return boundary
      at = this.#nextCandidate(at)
      if (at - this.#stepStart > STEP_BYTES) {
        this.#stepStart = at
        yield
      }
    }
    return undefined
  }

  #nextCandidate(from: number): number {
    const at = this.#bytes.indexOf(NEW_LINE_DASHES, from)
    return at === -1 ? -1 : at + 1
  }

  /**
   * The open boundary that the line at `at` is, if any: the longest prefix, the innermost of equals. Each byte of the
   * line is compared once, whatever the boundaries have in common: `nearest` is the one that matches the furthest.
   */
  #matchBoundary(at: number): Boundary | undefined {
    const bytes = this.#bytes
    if (bytes[at + 1] !== DASH) return undefined
    const start = at + 2
    let nearest: Boundary | undefined
    let matched = 0
    let best: Boundary | undefined
    for (let index = this.#boundaries.length - 1; index >= 0; index--) {
      const boundary = this.#boundaries[index]
      if (boundary === undefined) break
      const shared = nearest === undefined ? 0 : (nearest.shared[index] ?? 0)
      let length = Math.min(shared, matched)
      if (shared === matched) {
        length = matchLength(boundary.bytes, matched, bytes, start)
        matched = length
        nearest = boundary
      }
      if (length < boundary.bytes.length || length <= (best?.bytes.length ?? -1)) continue
      best = boundary
      if (isLineEnd(bytes, start + length)) break
    }
    if (best === undefined) return undefined
    const after = start + best.bytes.length
    const newline = bytes.indexOf(LF, after)
    this.#foundAt = at
    this.#afterLine = newline === -1 ? bytes.length : newline + 1
    this.#isClosing = bytes[after] === DASH && bytes[after + 1] === DASH
    return best
  }
}

function isMessageType(part: PartFields): boolean {
  return part.type === 'message' && part.subtype === 'rfc822'
}

/** How far `boundary` equals the bytes at `start`, given that it does up to `from`. */
function matchLength(boundary: Buffer, from: number, bytes: Buffer, start: number): number {
  let length = from
  while (length < boundary.length && boundary[length] === bytes[start + length]) length++
  return length
}

/** Whether a boundary that ends at `at` is its whole line, closing dashes or not. */
function isLineEnd(bytes: Buffer, at: number): boolean {
  const first = bytes[at]
  if (first === undefined || first === LF || (first === CR && bytes[at + 1] === LF)) return true
  if (first !== DASH || bytes[at + 1] !== DASH) return false
  const third = bytes[at + 2]
  return third === undefined || third === LF || (third === CR && bytes[at + 3] === LF)
}

/** Whether IMAP tells the lines of such a part (RFC 9051 §7.5.2). */
function isCounted(part: PartFields): boolean {
  return part.type === 'text' || part.type === 'message'
}

/** Bodies up to this size are searched, longer ones looped over: a search costs some 100 ns a line, a loop that has become fast 1 ns a byte. */
const SEARCHED_BYTES = 32 * 1024

function countLines(bytes: Buffer, start: number, end: number): number {
  let count = 0
  if (end - start > SEARCHED_BYTES) {
    for (let at = start; at < end; at++) if (bytes[at] === LF) count++
    return count
  }
  for (let at = bytes.indexOf(LF, start); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) count++
  return count
}
