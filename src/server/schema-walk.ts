// What a zod schema can tell about itself: its keys, defaults and descriptions, for unknown keys and for the documentation.
import { z } from 'zod'

/** The schema and what it wraps, from the outside in, through `optional`, `default`, `prefault`, `nullable`, `readonly` and `pipe`. */
function* layersOf(schema: z.ZodType): Generator<z.ZodType> {
  let layer: z.ZodType = schema
  for (;;) {
    yield layer
    if (layer instanceof z.ZodPipe) layer = layer.in as z.ZodType
    else if (
      layer instanceof z.ZodOptional ||
      layer instanceof z.ZodDefault ||
      layer instanceof z.ZodPrefault ||
      layer instanceof z.ZodNullable ||
      layer instanceof z.ZodReadonly
    ) {
      layer = layer.unwrap() as z.ZodType
    } else return
  }
}

/** The innermost layer: what the value itself is to be. */
export function unwrapSchema(schema: z.ZodType): z.ZodType {
  return [...layersOf(schema)].at(-1) ?? schema
}

/** The keys of an object schema; undefined for any other. */
export function findShape(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  const inner = unwrapSchema(schema)
  return inner instanceof z.ZodObject ? (inner.shape as Readonly<Record<string, z.ZodType>>) : undefined
}

/** The schema of a list's elements; undefined for what is no list. */
export function findElement(schema: z.ZodType): z.ZodType | undefined {
  const inner = unwrapSchema(schema)
  return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined
}

/** The description nearest to the outside. */
export function descriptionOf(schema: z.ZodType): string {
  return layersOf(schema).find(layer => layer.description !== undefined)?.description ?? ''
}

/** The default of a key, undefined where it has none. */
export function defaultOf(schema: z.ZodType): unknown {
  for (const layer of layersOf(schema)) {
    if (layer instanceof z.ZodDefault || layer instanceof z.ZodPrefault) return layer.def.defaultValue
  }
  return undefined
}

/** What may stand there, in a word or two: `true or false`, `integer`, `one of "a", "b"`, `list of text`. */
export function kindOf(schema: z.ZodType): string {
  const inner = unwrapSchema(schema)
  if (inner instanceof z.ZodEnum)
    return `one of ${inner.options.map(option => JSON.stringify(option)).join(', ')}`
  if (inner instanceof z.ZodLiteral) return [...inner.values].map(value => JSON.stringify(value)).join(' or ')
  if (inner instanceof z.ZodUnion) {
    return [...new Set(inner.options.map(option => kindOf(option as z.ZodType)))].join(' or ')
  }
  if (inner instanceof z.ZodArray) return `list of ${kindOf(inner.element as z.ZodType)}`
  if (inner instanceof z.ZodRecord) return `table of ${kindOf(inner.valueType as z.ZodType)}`
  if (inner instanceof z.ZodBoolean) return 'true or false'
  if (inner instanceof z.ZodNumber) return inner.isInt ? 'integer' : 'number'
  if (inner instanceof z.ZodObject) return 'table'
  return 'text'
}
