// What PostgreSQL 15 does not take, though the later server of these tests does.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..', 'src')

/** What comes behind each `FROM (SELECT …)` of a source file. */
function namesOfSubqueries(source: string): readonly string[] {
  return Array.from(source.matchAll(/\b(?:FROM|JOIN) \((?=\s*(?:SELECT|VALUES|WITH)\b)/g), found => {
    let end = found.index + found[0].length
    for (let depth = 1; depth > 0 && end < source.length; end++) {
      if (source[end] === '(') depth++
      else if (source[end] === ')') depth--
    }
    return source.slice(end, end + 20).trim()
  })
}

test('every subquery in FROM has a name, which PostgreSQL 16 is the first not to ask for', () => {
  let count = 0
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    for (const behind of namesOfSubqueries(readFileSync(join(root, file), 'utf8'))) {
      count++
      assert.match(behind, /^(?:AS )?(?!(?:GROUP|WHERE|ORDER|LIMIT|UNION|ON)\b)[a-z]+\b/, file)
    }
  }
  assert.ok(count >= 4, 'it finds them')
})
