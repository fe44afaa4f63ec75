import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { capabilities } from '../../src/imap/capabilities.ts'

const root = `${import.meta.dirname}/../..`
const document = readFileSync(`${root}/docs/imap.md`, 'utf8')

/** The rows of the table under a heading, without its head, as cells. */
function tableUnder(heading: string): string[][] {
  const section = document.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

test('docs/imap.md has a row for each capability, with its RFC, and for nothing else', () => {
  const documented = tableUnder('Extensions').map(([name, rfc]) => `${name?.replaceAll('`', '')} ${rfc}`)
  const announced = capabilities.map(
    ({ name, title, rfc }) => `${typeof name === 'string' ? name : title} ${rfc}`,
  )
  assert.deepEqual(documented.toSorted(), announced.toSorted())
})

test('every file and test that docs/imap.md names is there', () => {
  for (const [name, , , files, tests] of tableUnder('Extensions')) {
    for (const file of files?.split(' ') ?? [])
      assert.ok(existsSync(`${root}/src/imap/${file}`), `${name}: ${file}`)
    for (const file of tests?.split(' ') ?? [])
      assert.ok(existsSync(`${root}/test/imap/${file}`), `${name}: ${file}`)
  }
})

test('every row of the table of interactions names tests that are there', () => {
  const rows = tableUnder('Interactions')
  assert.ok(rows.length > 80)
  const met = new Set<string>()
  for (const [meet = '', what, tests = ''] of rows) {
    assert.ok(!met.has(meet) && what, meet)
    met.add(meet)
    const named = [...tests.matchAll(/([\w/-]+\.test\.ts) "([^"]+)"/g)]
    assert.equal(named.map(([text]) => text).join(' '), tests, meet)
    for (const [, file = '', title = ''] of named) {
      const source = readFileSync(`${root}/test/imap/${file}`, 'utf8').replaceAll(/\\(['\\])/g, '$1')
      assert.ok(source.includes(`${title}`), `${file} has no test "${title}"`)
    }
  }
})

test('the README names every extension', () => {
  const readme = readFileSync(`${root}/README.md`, 'utf8')
  for (const { name, title, rfc } of capabilities) {
    if (rfc === '9051' || title === 'AUTH=') continue
    const label = typeof name === 'string' ? name : title?.slice(0, -1)
    assert.ok(readme.includes(label as string), `${label} is missing in README.md`)
  }
})
