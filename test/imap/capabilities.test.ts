import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilities } from '../../src/imap/capabilities.ts'
import { commands } from '../../src/imap/commands.ts'

/** Commands that both IMAP4rev1 and IMAP4rev2 have without any extension. */
const basic = new Set([
  'APPEND',
  'CAPABILITY',
  'CLOSE',
  'COPY',
  'UID COPY',
  'CREATE',
  'DELETE',
  'EXAMINE',
  'EXPUNGE',
  'FETCH',
  'UID FETCH',
  'LIST',
  'LOGIN',
  'LOGOUT',
  'NOOP',
  'RENAME',
  'SEARCH',
  'UID SEARCH',
  'SELECT',
  'STATUS',
  'STORE',
  'UID STORE',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
])

test('every command that a capability brings is there, and every command has one', () => {
  const registered = new Set(
    commands.flatMap(({ name, uid }) => [
      ...(uid === 'only' ? [] : [name]),
      ...(uid === undefined ? [] : [`UID ${name}`]),
    ]),
  )
  const announced = new Set(capabilities.flatMap(row => row.commands ?? []))
  for (const name of announced) assert.ok(registered.has(name), `${name} is announced and missing`)
  for (const name of registered)
    assert.ok(basic.has(name) || announced.has(name), `${name} belongs to no capability`)
})

test('no capability stands twice, and each names its RFC', () => {
  const names = capabilities.map(row => row.name).filter(name => typeof name === 'string')
  assert.equal(new Set(names).size, names.length)
  for (const row of capabilities) assert.match(row.rfc, /^(?:\d{4,5}|vendor)$/)
})

test('LITERAL+ and LITERAL- are not announced together (RFC 7888 §5)', () => {
  const names = new Set(capabilities.map(row => row.name))
  assert.ok(!(names.has('LITERAL+') && names.has('LITERAL-')))
})
