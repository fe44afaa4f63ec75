import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount } from '../../src/account/directory.ts'
import type { LoginError } from '../../src/account/login-error.ts'
import { allocateLimiterTable, LoginLimiter } from '../../src/account/login-limiter.ts'
import type { LoginPeer } from '../../src/account/login-peer.ts'
import { manualClock } from './manual-clock.ts'
import { openTestLogin, peerOf } from './open-login.ts'

const config = accountConfigSchema.parse({}).login.limiter
const minuteMs = 60_000

function open() {
  const clock = manualClock()
  return { clock, limiter: new LoginLimiter(clock, config) }
}

function from(address: string): LoginPeer {
  return peerOf({ address })
}

/** Makes `count` failing attempts and says how many were let through. */
function fail(limiter: LoginLimiter, peer: LoginPeer, name: string | undefined, count: number): number {
  let admitted = 0
  for (let i = 0; i < count; i++) {
    const admission = limiter.admit(peer, name, false)
    if (admission.kind === 'refused') continue
    admission.settle('failure')
    admitted++
  }
  return admitted
}

test('failures are first free, then delayed twice as long each time, then refused', () => {
  const { limiter } = open()
  const delays: (number | string)[] = []
  for (let i = 0; i < 17; i++) {
    const admission = limiter.admit(from('192.0.2.1'), 'ann', false)
    delays.push(admission.kind === 'go' ? admission.delayMs : 'refused')
    if (admission.kind === 'go') admission.settle('failure')
  }
  assert.deepEqual(delays, [
    0,
    0,
    0,
    0,
    0,
    250,
    500,
    1000,
    2000,
    4000,
    8000,
    10000,
    10000,
    10000,
    10000,
    'refused',
    'refused',
  ])
})

test('who is refused is let in again after a while, and sooner from another network', () => {
  const { limiter, clock } = open()
  assert.equal(fail(limiter, from('192.0.2.1'), 'ann', 50), 15)
  assert.equal(limiter.admit(from('192.0.2.2'), 'ann', false).kind, 'go')
  clock.advance(5 * minuteMs)
  assert.equal(limiter.admit(from('192.0.2.1'), 'ann', false).kind, 'go')
})

test('a success forgets the failures of its name and network', () => {
  const { limiter } = open()
  fail(limiter, from('192.0.2.1'), 'ann', 4)
  const admission = limiter.admit(from('192.0.2.1'), 'ann', false)
  assert.equal(admission.kind, 'go')
  if (admission.kind === 'go') admission.settle('success')
  assert.equal(fail(limiter, from('192.0.2.1'), 'ann', 50), 15)
})

test('failures on one node count on the others, once, and a success there is heard of as well; no word tells a name', () => {
  const clock = manualClock()
  const told: string[] = []
  const nodes: LoginLimiter[] = []
  const tell = (word: string) => {
    told.push(word)
    // As the store's words come back: to every node, the own one too.
    for (const node of nodes) node.hear(word)
  }
  nodes.push(...[0, 1].map(() => new LoginLimiter(clock, config, allocateLimiterTable(), { tell })))
  const [one, two] = nodes as [LoginLimiter, LoginLimiter]
  assert.equal(fail(one, from('192.0.2.1'), 'ann', 10), 10)
  const tried = two.admit(from('192.0.2.1'), 'ann', false)
  assert.equal(tried.kind === 'go' && tried.delayMs, 8000, 'ten failures, and five are free')
  if (tried.kind === 'go') tried.settle('void')
  assert.equal(fail(two, from('192.0.2.1'), 'ann', 50), 5)
  assert.equal(one.admit(from('192.0.2.1'), 'ann', false).kind, 'refused')

  assert.equal(fail(one, from('192.0.2.2'), 'bob', 10), 10)
  const right = two.admit(from('192.0.2.2'), 'bob', false)
  if (right.kind === 'go') right.settle('success')
  assert.equal(fail(one, from('192.0.2.2'), 'bob', 50), 15)

  for (let i = 0; i < 70; i++) fail(one, from('192.0.2.3'), undefined, 5)
  assert.equal(fail(two, from('192.0.2.3'), undefined, 1), 0, 'bad tokens')
  for (const word of told) assert.match(word, /^[a-z-]+:[\w-]{20}:[\w-]{20}$/)
})

test('a success tells the other nodes nothing where there was nothing to forget', () => {
  const told: string[] = []
  const peers = { tell: (word: string) => told.push(word) }
  const limiter = new LoginLimiter(manualClock(), config, allocateLimiterTable(), peers)
  for (const name of ['ann', 'bob', 'ann']) {
    const admission = limiter.admit(from('192.0.2.1'), name, false)
    if (admission.kind === 'go') admission.settle('success')
  }
  assert.deepEqual(told, [])
})

test('a word that is none is not heard', () => {
  const { limiter } = open()
  for (const word of ['', 'login-failed', 'login-failed::', 'login-failed:x:y', 'other:x:y', '::::'])
    limiter.hear(word)
  assert.equal(fail(limiter, from('192.0.2.1'), 'ann', 50), 15)
})

test('attempts at the same time are each counted when they begin', () => {
  const { limiter } = open()
  const admitted = Array.from({ length: 50 }, () => limiter.admit(from('192.0.2.1'), 'ann', false))
  assert.equal(admitted.filter(each => each.kind === 'go').length, 15)
})

test('one device with an old password does not lock out the others behind its proxy', () => {
  const { limiter, clock } = open()
  for (let hour = 0; hour < 24 * 60; hour++) {
    fail(limiter, from('192.0.2.1'), 'ann', 1)
    clock.advance(minuteMs)
  }
  const other = limiter.admit(from('192.0.2.1'), 'bob', false)
  assert.deepEqual([other.kind, other.kind === 'go' && other.delayMs], ['go', 0])
})

test('many failures of a few names behind one address count little against it', () => {
  const { limiter } = open()
  for (let i = 0; i < 11; i++) fail(limiter, from('192.0.2.1'), `name${i}`, 100)
  const other = limiter.admit(from('192.0.2.1'), 'bob', false)
  assert.deepEqual([other.kind, other.kind === 'go' && other.delayMs], ['go', 0])
})

test('a network that tries many names is refused', () => {
  const { limiter } = open()
  let admitted = 0
  for (let i = 0; i < 1000; i++) admitted += fail(limiter, from('192.0.2.1'), `name${i}`, 1)
  assert.equal(admitted, config.network.refuseAt)
})

test('an IPv6 network is a /64: changing the address within it helps nobody', () => {
  const { limiter } = open()
  let admitted = 0
  for (let i = 0; i < 100; i++) admitted += fail(limiter, from(`2001:db8::${i.toString(16)}`), 'ann', 1)
  assert.equal(admitted, 15)
  assert.equal(fail(limiter, from('2001:db8:0:1::1'), 'ann', 1), 1)
})

test('guessing at one name from many networks is refused, but not where its owner has logged in', () => {
  const { limiter, clock } = open()
  const home = from('198.51.100.7')
  const admission = limiter.admit(home, 'ann', false)
  if (admission.kind === 'go') admission.settle('success')
  clock.advance(24 * 60 * minuteMs)
  let admitted = 0
  for (let i = 0; i < 250; i++) admitted += fail(limiter, from(`192.0.2.${i}`), 'ann', 1)
  assert.equal(admitted, config.account.refuseAt)
  assert.equal(limiter.admit(from('203.0.113.1'), 'ann', false).kind, 'refused')
  const own = limiter.admit(home, 'ann', false)
  assert.deepEqual([own.kind, own.kind === 'go' && own.delayMs], ['go', 0])
})

test('loopback is never held up, an administrator never refused from where he has logged in', () => {
  const { limiter } = open()
  const local = peerOf({ address: '127.0.0.1', isLoopback: true })
  assert.equal(fail(limiter, local, 'ann', 1000), 1000)
  const home = from('198.51.100.7')
  const admission = limiter.admit(home, 'root', true)
  if (admission.kind === 'go') admission.settle('success')
  for (let i = 0; i < 100; i++) {
    const attempt = limiter.admit(home, 'root', true)
    assert.equal(attempt.kind, 'go')
    if (attempt.kind === 'go') attempt.settle('failure')
  }
  assert.equal(limiter.admit(from('203.0.113.1'), 'root', true).kind, 'go')
})

test('a small table stays small, whatever names come', () => {
  const clock = manualClock()
  const table = allocateLimiterTable(64)
  const limiter = new LoginLimiter(clock, config, table)
  for (let i = 0; i < 5000; i++) {
    clock.advance(1000)
    fail(limiter, from(`10.0.${i >> 8}.${i & 255}`), `name${i}`, 1)
  }
  assert.equal(table.byteLength, 32 + 64 * 16)
  clock.advance(1000)
  assert.equal(fail(limiter, from('192.0.2.1'), 'ann', 50), 15)
})

test('threads share one table', async () => {
  const table = allocateLimiterTable()
  const source = new URL('../../src/account/login-limiter.ts', import.meta.url)
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    import(workerData.source).then(({ LoginLimiter }) => {
      const limiter = new LoginLimiter({ now: () => workerData.now }, workerData.config, workerData.table)
      for (let i = 0; i < 15; i++) {
        const admission = limiter.admit(workerData.peer, 'ann', false)
        if (admission.kind === 'go') admission.settle('failure')
      }
      parentPort.postMessage('done')
    })`
  const clock = manualClock()
  const worker = new Worker(code, {
    eval: true,
    workerData: { source: source.href, now: clock.now(), config, table, peer: from('192.0.2.1') },
  })
  await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  const limiter = new LoginLimiter(clock, config, table)
  assert.equal(limiter.admit(from('192.0.2.1'), 'ann', false).kind, 'refused')
})

test('Login waits as the limiter says and refuses with `limited`, for known and unknown names alike', async () => {
  const { login, directory, delays } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const codesOf = async (name: string) => {
    const codes: string[] = []
    for (let i = 0; i < 17; i++) {
      await login.password(peerOf(), name, `wrong ${i}`).catch((error: LoginError) => codes.push(error.code))
    }
    return codes
  }
  const known = await codesOf('ann')
  const waited = delays.splice(0)
  assert.deepEqual(known, [...Array<string>(15).fill('bad-credentials'), 'limited', 'limited'])
  assert.deepEqual(await codesOf('nobody'), known)
  assert.deepEqual(delays, waited)
  assert.equal(waited.at(-1), 10_000)
})
