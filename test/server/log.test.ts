import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { GatheredLines } from '../../src/server/gathered-lines.ts'
import { createLog, type LogFormat, prettyLine } from '../../src/server/log.ts'

function logTo(lines: string[], format: LogFormat = 'json') {
  return createLog({ level: 'debug', format, write: line => lines.push(line) })
}

test('a line is JSON with its fields, those of the parents too', () => {
  const lines: string[] = []
  logTo(lines).child({ door: 'imap' }).warn({ connection: 'x1' }, 'slow')
  const { level, msg, door, connection } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.deepEqual(
    { level, msg, door, connection },
    { level: 'warn', msg: 'slow', door: 'imap', connection: 'x1' },
  )
})

test('secrets are struck out by the name of their field', () => {
  const lines: string[] = []
  const log = logTo(lines).child({ token: 'canary' })
  log.info(
    {
      password: 'canary',
      newPassword: 'canary',
      apiKey: 'canary',
      secret: 'canary',
      authorization: 'canary',
    },
    'x',
  )
  assert.ok(!lines.join('').includes('canary'))
  assert.ok(lines.join('').includes('[redacted]'))
})

test('an error is told with its stack and its causes', () => {
  const lines: string[] = []
  logTo(lines).error({ err: new Error('outer', { cause: new TypeError('inner') }) }, 'failed')
  const { err } = JSON.parse(lines[0] ?? '') as {
    err: { message: string; stack: string; cause: { type: string } }
  }
  assert.equal(err.message, 'outer')
  assert.match(err.stack, /log\.test\.ts/)
  assert.equal(err.cause.type, 'TypeError')
})

test('a change of level reaches the children that exist', () => {
  const lines: string[] = []
  const log = createLog({ level: 'warn', format: 'json', write: line => lines.push(line) })
  const child = log.child({ door: 'imap' })
  child.info({}, 'one')
  log.setLevel('info')
  child.info({}, 'two')
  log.setLevel('silent')
  child.error({}, 'three')
  assert.deepEqual(
    lines.map(line => (JSON.parse(line) as { msg: string }).msg),
    ['two'],
  )
})

test('a peer cannot forge a line for people', () => {
  const lines: string[] = []
  logTo(lines, 'pretty').info({ name: 'x\n00:00:00.000 error forged', ok: true }, 'log-in')
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.split('\n').length, 2)
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} info  log-in name="x\\n00:00:00\.000 error forged" ok=true\n$/,
  )
})

test('a line that is no JSON stays as it is', () => {
  assert.equal(prettyLine('plain text\n'), 'plain text\n')
})

test('lines are gathered for a while, in order', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const written: string[] = []
  const lines = new GatheredLines(text => written.push(text))
  lines.write('one\n')
  lines.write('two\n')
  t.mock.timers.tick(limits.log.gatherMs - 1)
  assert.deepEqual(written, [])
  t.mock.timers.tick(1)
  lines.write('three\n')
  assert.deepEqual(written, ['one\ntwo\n'])
  lines.flush()
  t.mock.timers.tick(limits.log.gatherMs)
  assert.deepEqual(written, ['one\ntwo\n', 'three\n'])
  lines.write('x'.repeat(limits.log.gatherCharacters))
  assert.equal(written.length, 3)
})

const logged = `
  const { createLog } = await import(${JSON.stringify(new URL('../../src/server/log.ts', import.meta.url).href)})
  const log = createLog({ level: 'info', format: 'json' })
  for (let at = 0; at < 3; at++) log.info({ at }, 'line')
`
const inThread = (ending: string) => `
  const { Worker } = await import('node:worker_threads')
  new Worker(${JSON.stringify(logged + ending)}, { eval: true }).on('error', () => {})
`
const endings = {
  'by process.exit': `${logged} process.exit(3)`,
  'by an error that nobody caught': `${logged} throw new Error('a fault')`,
  'because there is nothing left to do': logged,
  'by a signal, after a line that warns': `${logged} log.warn({}, 'last'); process.kill(process.pid, 'SIGKILL')`,
  'in a thread': inThread('process.exit(3)'),
  'in a thread, by an error that nobody caught': inThread("throw new Error('a fault')"),
}

for (const [how, program] of Object.entries(endings)) {
  test(`no line is lost when the program ends ${how}`, () => {
    const args = ['--input-type=module', '--eval', program]
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const numbers = [...stderr.matchAll(/"at":(\d)/g)].map(match => match[1])
    assert.deepEqual(numbers, ['0', '1', '2'], stderr)
  })
}
