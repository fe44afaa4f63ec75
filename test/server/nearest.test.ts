import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNearest } from '../../src/server/nearest.ts'

test('the nearest name is found through a swap, a gap, an addition and a change', () => {
  const names = ['hostname', 'dataDir', 'threads', 'listen']
  assert.equal(findNearest('hsotname', names), 'hostname')
  assert.equal(findNearest('hostnme', names), 'hostname')
  assert.equal(findNearest('datadirs', names), 'dataDir')
  assert.equal(findNearest('tbreads', names), 'threads')
})

test('a name far from all has no nearest', () => {
  assert.equal(findNearest('zzzzzzzz', ['hostname', 'listen']), undefined)
  assert.equal(findNearest('x'.repeat(10_000), ['hostname']), undefined)
})
