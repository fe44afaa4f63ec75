import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../../src/server/config-docs.ts'

test('docs/configuration.md is what the schema says', () => {
  const file = new URL('../../docs/configuration.md', import.meta.url)
  // Compared as a whole, without pages of difference.
  const isCurrent = readFileSync(file, 'utf8').trimEnd() === configurationPage().trimEnd()
  assert.ok(isCurrent, 'run: npm run -s restante -- config docs > docs/configuration.md')
})

test('every key is described', () => {
  const undescribed = configurationPage()
    .split('\n')
    .filter(line => line.startsWith('| `') && line.endsWith('|  |'))
  assert.deepEqual(undescribed, [])
})
