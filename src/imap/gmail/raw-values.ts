// The values of X-GM-RAW's operators: days, ages and sizes. X-GM-EXT-1.
import { bad } from '../error.ts'

/** `2004/04/16`, `2004-04-16`, `04/16/2004`, or seconds since 1970: milliseconds since 1970. Throws BAD. */
export function parseMoment(value: string): number {
  if (/^\d{8,11}$/.test(value)) return Number(value) * 1000
  const yearFirst = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$/.exec(value)
  if (yearFirst) return midnight(Number(yearFirst[1]), Number(yearFirst[2]), Number(yearFirst[3]))
  const yearLast = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$/.exec(value)
  if (yearLast) return midnight(Number(yearLast[3]), Number(yearLast[1]), Number(yearLast[2]))
  throw bad('a day of X-GM-RAW is written 2004/04/16')
}

function midnight(year: number, month: number, day: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw bad('there is no such day')
  return date.getTime()
}

/** `3h`, `2d`, `6m`, `1y`: from now (milliseconds since 1970) to so long ago. Throws BAD. */
export function parseAge(value: string): (nowMs: number) => number {
  const match = /^(\d{1,5})([hdmy])$/i.exec(value)
  if (!match) throw bad('an age of X-GM-RAW is written 2d, 6m or 1y')
  const count = Number(match[1])
  const unit = (match[2] as string).toLowerCase()
  return nowMs => {
    if (unit === 'h') return nowMs - count * 3_600_000
    if (unit === 'd') return nowMs - count * 86_400_000
    const date = new Date(nowMs)
    date.setUTCMonth(date.getUTCMonth() - count * (unit === 'y' ? 12 : 1))
    return date.getTime()
  }
}

/** `1000000`, `500K`, `10M`: bytes. Throws BAD. */
export function parseSize(value: string): number {
  const match = /^(\d{1,12})([km])?b?$/i.exec(value)
  if (!match) throw bad('a size of X-GM-RAW is written 1000000, 500K or 10M')
  const unit = match[2]?.toLowerCase()
  return Number(match[1]) * (unit === 'k' ? 1024 : unit === 'm' ? 1024 * 1024 : 1)
}
