// The name of this server among those that share one store: made at its first start, kept in its data folder.
import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A random name that stays through restarts; another each time where there is no folder. */
export function nodeId(dataDir: string): string {
  const id = randomUUID()
  if (dataDir === '') return id
  const file = join(dataDir, 'node')
  if (!existsSync(file)) makeFile(file, id)
  return readFileSync(file, 'utf8').trim()
}

/** Threads may come here at once: the first one's file appears whole, and stays. */
function makeFile(file: string, id: string): void {
  const whole = `${file}.${id}`
  writeFileSync(whole, `${id}\n`, { mode: 0o600 })
  try {
    linkSync(whole, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(whole)
  }
}
