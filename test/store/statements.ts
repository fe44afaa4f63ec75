// The statements of the store, read from its source.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', 'src', 'store')

/** The mutations, by the names of their files. */
export const mutationFiles: readonly string[] = readdirSync(join(root, 'mutations')).map(
  name => `mutations/${name}`,
)

/** The SQL in a source file that is whole. Where a column list is put in, any column does. */
export function statementsOf(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8')
  const statements: string[] = []
  for (const [, quote, start, rest] of source.matchAll(
    /(['`])(SELECT|INSERT|UPDATE|DELETE|WITH)(\s[\s\S]*?)\1/g,
  )) {
    if (quote === undefined || start === undefined || rest === undefined) continue
    statements.push((start + rest).replace(/\$\{\w*[cC]olumns\}/g, '1'))
  }
  return statements.filter(sql => !sql.includes('${'))
}
