// date-time for answers. RFC 9051 §9.
import type { Encoder } from '../encoder.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** The grammar has four digits for a year. */
const firstMs = new Date(0).setUTCFullYear(0, 0, 1)
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59)

/** Writes `"17-Jul-1996 02:44:25 +0000"`. */
export function writeDateTime(out: Encoder, epochMs: number): void {
  const seconds = Math.floor(clamp(epochMs) / 1000)
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const { year, month, day } = civil(days)
  out
    .byte(0x22)
    .byte(day < 10 ? 0x20 : 0x30 + Math.trunc(day / 10))
    .byte(0x30 + (day % 10))
  out
    .byte(0x2d)
    .ascii(months[month - 1] as string)
    .byte(0x2d)
  writeTwo(out, Math.trunc(year / 100))
  writeTwo(out, year % 100)
  out.byte(0x20)
  writeTwo(out, Math.trunc(rest / 3600))
  out.byte(0x3a)
  writeTwo(out, Math.trunc(rest / 60) % 60)
  out.byte(0x3a)
  writeTwo(out, rest % 60)
  out.ascii(' +0000"')
}

function writeTwo(out: Encoder, value: number): void {
  out.byte(0x30 + Math.trunc(value / 10)).byte(0x30 + (value % 10))
}

function clamp(epochMs: number): number {
  return Math.min(Math.max(epochMs, firstMs), lastMs)
}

/** Year, month and day of a count of days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function civil(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.trunc(
    (dayOfEra -
      Math.trunc(dayOfEra / 1460) +
      Math.trunc(dayOfEra / 36_524) -
      Math.trunc(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100))
  const shiftedMonth = Math.trunc((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.trunc((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}
