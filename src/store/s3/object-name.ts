// What an object of a body is called: 104 random bits, which the row of the body keeps as two numbers. The name says nothing about the mail, is given once
// and never again, so an object that no row refers to any more stays unreferred to (`sweep.ts`).
import { randomBytes } from 'node:crypto'

/** The two numbers of a name, each below 2^52. A `BodyLocation` has them as its segment and offset. */
export interface ObjectNumbers {
  readonly segment: number
  readonly offset: number
}

const digits = 13

export function newObjectNumbers(): ObjectNumbers {
  const hex = randomBytes(digits).toString('hex')
  const segment = Number.parseInt(hex.slice(0, digits), 16)
  // The smallest numbers mean places elsewhere (`postgres/bodies.ts`).
  if (segment < 16) return newObjectNumbers()
  return {
    segment,
    offset: Number.parseInt(hex.slice(digits), 16),
  }
}

/** `aa/bbbbbbbbbbbcccccccccccccc`: servers that keep files make a folder of the first part. */
export function objectName({ segment, offset }: ObjectNumbers): string {
  const hex = segment.toString(16).padStart(digits, '0') + offset.toString(16).padStart(digits, '0')
  return `${hex.slice(0, 2)}/${hex.slice(2)}`
}

/** Undefined for the names of objects that are not ours. */
export function findObjectNumbers(name: string): ObjectNumbers | undefined {
  if (!/^[0-9a-f]{2}\/[0-9a-f]{24}$/.test(name)) return undefined
  const hex = name.replace('/', '')
  return {
    segment: Number.parseInt(hex.slice(0, digits), 16),
    offset: Number.parseInt(hex.slice(digits), 16),
  }
}
