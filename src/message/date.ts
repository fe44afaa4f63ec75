// Dates: of header fields, and IMAP's own. RFC 5322 §3.3, §4.3 (obsolete); RFC 9051 §9 (date-time).

/** A moment, and the zone in which it was written. */
export interface MailDate {
  /** Milliseconds since the epoch. */
  readonly epochMs: number
  /** Minutes east of Greenwich. */
  readonly zoneMinutes: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTH_NUMBERS: ReadonlyMap<string, number> = new Map(
  MONTHS.map((name, index) => [name.toLowerCase(), index]),
)
/** RFC 5322 §4.3, and those that programs still write. Military zones and the unknown mean -0000. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['ut', 0],
  ['utc', 0],
  ['gmt', 0],
  ['z', 0],
  ['est', -300],
  ['edt', -240],
  ['cst', -360],
  ['cdt', -300],
  ['mst', -420],
  ['mdt', -360],
  ['pst', -480],
  ['pdt', -420],
  ['bst', 60],
  ['cet', 60],
  ['cest', 120],
  ['eet', 120],
  ['eest', 180],
  ['msk', 180],
  ['ist', 330],
  ['jst', 540],
  ['kst', 540],
])

/** A date is no longer than this; the rest is somebody's essay. */
const DATE_MAX = 200

interface Draft {
  day: number | undefined
  month: number | undefined
  year: number | undefined
  time: readonly [hour: number, minute: number, second: number] | undefined
  zone: number | undefined
}

/**
 * The date in a header field. Lenient: day names and commas may be missing or wrong, `2-Jan-2006`, asctime's
 * order, ISO 8601, two-digit years, comments. Undefined when there is no date in it.
 */
export function parseDate(value: string): MailDate | undefined {
  const draft: Draft = { day: undefined, month: undefined, year: undefined, time: undefined, zone: undefined }
  const text = value.slice(0, DATE_MAX)
  for (let at = 0; at < text.length; ) {
    const char = text.charCodeAt(at)
    if (isDigit(char)) at = takeNumber(text, at, draft)
    else if (isLetter(char)) at = takeWord(text, at, draft)
    else if (char === 40) at = skipComment(text, at)
    else if ((char === 43 || char === 45) && draft.time !== undefined) at = takeOffset(text, at, draft)
    else at++
  }
  return finish(draft)
}

function isDigit(char: number): boolean {
  return char >= 48 && char <= 57
}

function isLetter(char: number): boolean {
  const lower = char | 32
  return lower >= 97 && lower <= 122
}

function skipComment(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 40) depth++
    else if (char === 41 && --depth === 0) return at + 1
    else if (char === 92) at++
  }
  return text.length
}

function digitsEnd(text: string, at: number): number {
  while (at < text.length && isDigit(text.charCodeAt(at))) at++
  return at
}

function takeNumber(text: string, start: number, draft: Draft): number {
  const end = digitsEnd(text, start)
  const value = Number(text.slice(start, end))
  const next = text.charCodeAt(end)
  if (
    draft.time === undefined &&
    end - start <= 2 &&
    (next === 58 || (next === 46 && draft.year !== undefined))
  ) {
    return takeTime(text, value, end, draft)
  }
  const length = end - start
  if (draft.day === undefined && length === 4 && next === 45 && draft.month === undefined) {
    return takeIsoDate(text, value, end, draft)
  }
  if (draft.day === undefined && length <= 2) draft.day = value
  // RFC 5322 §4.3: years of two and three digits.
  else if (draft.year === undefined) {
    draft.year = length <= 2 ? value + (value < 50 ? 2000 : 1900) : length === 3 ? value + 1900 : value
  }
  return end
}

function takeTime(text: string, hour: number, at: number, draft: Draft): number {
  const separator = text.charCodeAt(at)
  const minuteEnd = digitsEnd(text, at + 1)
  const minute = Number(text.slice(at + 1, minuteEnd))
  let second = 0
  let end = minuteEnd
  if (text.charCodeAt(end) === separator) {
    end = digitsEnd(text, minuteEnd + 1)
    second = Number(text.slice(minuteEnd + 1, end))
    if (text.charCodeAt(end) === 46) end = digitsEnd(text, end + 1)
  }
  draft.time = [hour, minute, second]
  return end
}

function takeIsoDate(text: string, year: number, at: number, draft: Draft): number {
  const monthEnd = digitsEnd(text, at + 1)
  draft.year = year
  if (text.charCodeAt(monthEnd) !== 45) return monthEnd
  const dayEnd = digitsEnd(text, monthEnd + 1)
  draft.month = Number(text.slice(at + 1, monthEnd)) - 1
  draft.day = Number(text.slice(monthEnd + 1, dayEnd))
  return dayEnd
}

function takeWord(text: string, start: number, draft: Draft): number {
  let end = start
  while (end < text.length && isLetter(text.charCodeAt(end))) end++
  const word = text.slice(start, end).toLowerCase()
  const month = MONTH_NUMBERS.get(word.slice(0, 3))
  if (draft.month === undefined && month !== undefined) draft.month = month
  else if (draft.time !== undefined) {
    const [hour, minute, second] = draft.time
    if (word === 'pm' && hour < 12) draft.time = [hour + 12, minute, second]
    else if (word === 'am' && hour === 12) draft.time = [0, minute, second]
    else if (draft.zone === undefined) draft.zone = ZONES.get(word)
  }
  return end
}

/** +hhmm; also +hh:mm and GMT+h. */
function takeOffset(text: string, start: number, draft: Draft): number {
  const sign = text.charCodeAt(start) === 45 ? -1 : 1
  let end = digitsEnd(text, start + 1)
  let digits = text.slice(start + 1, end)
  if (digits.length <= 2 && text.charCodeAt(end) === 58) {
    const minutesEnd = digitsEnd(text, end + 1)
    digits = digits.padStart(2, '0') + text.slice(end + 1, minutesEnd)
    end = minutesEnd
  }
  if (digits === '' || digits.length > 4) return end
  // `19-Oct-2012 08:00 -2012` has no second zone: only the first counts, unless it was a name such as GMT.
  if (draft.zone === undefined || draft.zone === 0) {
    const value = Number(digits)
    const minutes = digits.length <= 2 ? value * 60 : Math.floor(value / 100) * 60 + (value % 100)
    if (minutes < 24 * 60) draft.zone = sign * minutes
  }
  return end
}

function finish({ day, month, year, time, zone }: Draft): MailDate | undefined {
  if (day === undefined || month === undefined || year === undefined) return undefined
  const [hour, minute, second] = time ?? [0, 0, 0]
  if (day < 1 || day > 31 || month < 0 || month > 11 || year < 1900 || year > 9999) return undefined
  if (hour > 24 || minute > 59 || second > 60) return undefined
  const zoneMinutes = zone ?? 0
  return { epochMs: Date.UTC(year, month, day, hour, minute - zoneMinutes, second), zoneMinutes }
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0')
}

function zoneText(zoneMinutes: number): string {
  const minutes = Math.abs(zoneMinutes)
  return `${zoneMinutes < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${pad(minutes % 60)}`
}

/** `Mon, 02 Jan 2006 15:04:05 +0000` (RFC 5322 §3.3). */
export function formatDate(epochMs: number, zoneMinutes = 0): string {
  const local = new Date(epochMs + zoneMinutes * 60_000)
  const day = `${DAYS[local.getUTCDay()]}, ${pad(local.getUTCDate())} ${MONTHS[local.getUTCMonth()]}`
  return `${day} ${pad(local.getUTCFullYear(), 4)} ${clockText(local)} ${zoneText(zoneMinutes)}`
}

/** ` 2-Jan-2006 15:04:05 +0000`: an INTERNALDATE, without its quotes (RFC 9051 §9, date-time). */
export function formatInternalDate(epochMs: number, zoneMinutes = 0): string {
  const local = new Date(epochMs + zoneMinutes * 60_000)
  const day = String(local.getUTCDate()).padStart(2, ' ')
  const year = pad(local.getUTCFullYear(), 4)
  return `${day}-${MONTHS[local.getUTCMonth()]}-${year} ${clockText(local)} ${zoneText(zoneMinutes)}`
}

function clockText(date: Date): string {
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`
}
