// Decimal numbers as ASCII, four digits at a time: answers to SEARCH and FETCH hold hundreds of thousands.

const base = 10_000
/** The four digits of each number below `base`, as they lie in memory that is written in little endian. */
const groups = new Uint32Array(base)
/** The same without zeros in front, and how many digits are left. */
const leads = new Uint32Array(base)
const lengths = new Uint8Array(base)
for (let value = 0; value < base; value++) {
  const digits =
    (0x30 + Math.floor(value / 1000)) |
    ((0x30 + (Math.floor(value / 100) % 10)) << 8) |
    ((0x30 + (Math.floor(value / 10) % 10)) << 16) |
    ((0x30 + (value % 10)) << 24)
  const length = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4
  groups[value] = digits
  leads[value] = digits >>> (8 * (4 - length))
  lengths[value] = length
}

/** For `putDecimal`. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** The most bytes that `putDecimal` writes to. */
export const decimalBytes = 10

/** Writes a number from 0 to 2^32 - 1 at `at`, perhaps with something behind it within `decimalBytes`. Gives where it ends. */
export function putDecimal(view: DataView, at: number, value: number): number {
  if (value < base) return putLead(view, at, value)
  const high = (value / base) >>> 0
  const low = groups[value - high * base] as number
  if (high < base) {
    const end = putLead(view, at, high)
    view.setUint32(end, low, true)
    return end + 4
  }
  const top = (high / base) >>> 0
  const end = putLead(view, at, top)
  view.setUint32(end, groups[high - top * base] as number, true)
  view.setUint32(end + 4, low, true)
  return end + 8
}

function putLead(view: DataView, at: number, value: number): number {
  view.setUint32(at, leads[value] as number, true)
  return at + (lengths[value] as number)
}
