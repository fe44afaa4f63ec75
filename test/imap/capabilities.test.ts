import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../src/account/identity.ts'
import { scopes } from '../../src/account/scope.ts'
import { announcedCapabilities, capabilities } from '../../src/imap/capabilities.ts'
import { commands } from '../../src/imap/commands.ts'
import { Session } from '../../src/imap/session.ts'
import type { Connection } from '../../src/net/connection.ts'
import { startImap } from './harness.ts'

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

test('what is announced is that of the session, whoever came before', async t => {
  const { context, account } = await startImap(t)
  const announced = (peer: { isLoopback: boolean; secure?: boolean }, isAdmin?: boolean) => {
    const connection = { remoteAddress: '192.0.2.1', secure: false, tls: undefined, ...peer }
    const session = new Session(connection as Connection, context)
    const identity: Identity = { account, address: 'alice@example.test', isAdmin: isAdmin === true, scopes }
    if (isAdmin !== undefined) session.state = { kind: 'authenticated', identity }
    return announcedCapabilities(session).split(' ')
  }
  const near = { isLoopback: true }
  const far = { isLoopback: false }
  for (let time = 0; time < 2; time++) {
    assert.ok(announced(near).includes('AUTH=PLAIN'))
    assert.ok(announced(far).includes('LOGINDISABLED'))
    assert.ok(!announced(far).includes('AUTH=PLAIN'))
    assert.ok(announced({ ...far, secure: true }).includes('AUTH=PLAIN'))
    assert.ok(!announced(far, false).includes('QUOTASET'))
    assert.ok(announced(far, true).includes('QUOTASET'))
    assert.ok(!announced(far, true).includes('LOGINDISABLED'))
  }
})
