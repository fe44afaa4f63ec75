// Which version this program is.
import { readFileSync } from 'node:fs'

/** Of package.json, two folders up from `src/server` and from `dist/server` alike. */
export function programVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
