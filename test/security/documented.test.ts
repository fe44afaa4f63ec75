// docs/security.md names tests that exist.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../../', import.meta.url)

test('every test that docs/security.md names exists', () => {
  const page = readFileSync(new URL('docs/security.md', root), 'utf8')
  const rows = page.split('\n').filter(line => /^\| (?!Class |-)/.test(line))
  assert.ok(rows.length > 25)
  for (const row of rows) {
    const [, name = '', , tests = ''] = row.split('|').map(cell => cell.trim())
    const named = [...tests.matchAll(/`(test\/[\w./-]+)` ((?:"[^"]+"(?:, )?)+)/g)]
    assert.ok(named.length > 0, `${name} has no test`)
    for (const [, file = '', titles = ''] of named) {
      const source = readFileSync(new URL(file, root), 'utf8')
      for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g)) {
        assert.ok(source.includes(title), `${file} has no test "${title}"`)
      }
    }
  }
})
