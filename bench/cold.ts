// Rows that are measured twice: right after a restart of the server, and warm.
import { restartToRest } from './mailboxes.ts'
import type { Bench, Row } from './question.ts'

/** The rows, each with one for its first time after a restart, which has no goal of its own. */
export function withCold(rows: Readonly<Record<string, Row>>): Record<string, Row> {
  const found: Record<string, Row> = {}
  for (const [name, row] of Object.entries(rows)) {
    found[coldName(name)] = { title: `${row.title}: the first after a restart`, unit: row.unit, single: true }
    found[name] = row
  }
  return found
}

/** Begins a repetition: the first one after a restart, once the server has come to rest. */
export async function beginCold({ isFirst, server }: Bench): Promise<void> {
  if (isFirst) await restartToRest(server)
}

/** Which of the two rows a repetition is for. */
export function rowOf({ isFirst }: Bench, name: string): string {
  return isFirst ? coldName(name) : name
}

function coldName(name: string): string {
  return `${name}Cold`
}
