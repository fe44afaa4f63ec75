// Random histories of the queue against what must hold of them: nothing that was accepted is lost, and its sender hears of what failed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { QueueRunner } from '../../src/queue/runner.ts'
import { hangUp, type RemoteOptions, remoteServer } from '../smtpclient/remote-server.ts'
import { withoutRecords } from './dying-store.ts'
import { setUpQueue } from './queue-setup.ts'

const domains = ['one.example', 'two.example', 'three.example'] as const

const moods: Readonly<Record<string, RemoteOptions>> = {
  good: {},
  busy: { greeting: '421 4.3.2 busy' },
  gone: { greeting: hangUp },
  greylisting: { mail: '451 4.7.1 later' },
  refusing: { mail: '550 5.7.1 never' },
  full: { end: '452 4.3.1 no room' },
  'dropping within the message': { hangUpAfterBytes: 0 },
  'dropping after the dot': { end: hangUp },
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      domain: fc.constantFrom(...domains),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('mood' as const),
      domain: fc.constantFrom(...domains),
      mood: fc.constantFrom(...Object.keys(moods)),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      hours: fc.double({ min: 0, max: 30, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('steer' as const),
      action: fc.constantFrom('hold' as const, 'release' as const, 'retry' as const),
      domain: fc.constantFrom(...domains),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('drop' as const), domain: fc.constantFrom(...domains) }),
  },
)

test('property: whatever servers, crashes and administrators do, each recipient gets the message or its sender a report', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
      const setup = await setUpQueue(t, { queue: { retryMinutes: [60] } })
      const remotes = new Map<string, Awaited<ReturnType<typeof remoteServer>>>()
      for (const domain of domains) {
        const remote = await remoteServer(t)
        remotes.set(domain, remote)
        setup.ports.set(domain, remote.port)
      }
      const sent: string[] = []
      const dropped = new Set<string>()
      let mayRepeat = 0
      let count = 0
      for (const one of steps) {
        if (one.kind === 'send') {
          const to = Array.from({ length: one.count }, () => `u${count++}@${one.domain}`)
          await setup.deliver(to)
          sent.push(...to)
        } else if (one.kind === 'mood') {
          const remote = remotes.get(one.domain)
          if (remote) remote.options = moods[one.mood] ?? {}
        } else if (one.kind === 'work') {
          setup.pass(one.hours)
          await setup.runner.runDue()
        } else if (one.kind === 'crash') {
          const dying = new QueueRunner({ ...setup.context, store: withoutRecords(setup.store) })
          await dying.runDue()
          await dying.stop(100)
          mayRepeat++
          await setup.store.mutate('renewLeases', { lease: 'mx.example.org/%', leaseMs: 0 })
        } else if (one.kind === 'steer') {
          await setup.store.mutate('steerQueue', { action: one.action, domain: one.domain })
        } else {
          for (const { recipients } of await setup.queue())
            for (const { address, domain, state } of recipients)
              if (domain === one.domain && (state === 'waiting' || state === 'held')) dropped.add(address)
          await setup.store.mutate('steerQueue', { action: 'drop', domain: one.domain })
        }
      }
      for (const remote of remotes.values()) remote.options = {}
      await setup.store.mutate('steerQueue', { action: 'release' })
      setup.pass(2)
      await setup.runner.runDue()
      await setup.runner.stop(1000)
      assert.deepEqual(await setup.queue(), [])
      const reports = (await setup.inbox())
        .filter(report => report.includes('\r\nAction: failed\r\n'))
        .join('')
      for (const address of sent) {
        const domain = address.slice(address.indexOf('@') + 1)
        const times =
          remotes.get(domain)?.received.filter(({ rcptLines }) => rcptLines.includes(`RCPT TO:<${address}>`))
            .length ?? 0
        const isReported = reports.includes(`\r\nFinal-Recipient: rfc822; ${address}\r\n`)
        assert.ok(times > 0 || isReported || dropped.has(address), `${address} is lost`)
        const isUnsure =
          mayRepeat > 0 || steps.some(one => one.kind === 'mood' && one.mood === 'dropping after the dot')
        if (!isUnsure)
          assert.ok(
            times + (isReported ? 1 : 0) <= 1,
            `${address} came ${times} times, reported: ${isReported}`,
          )
      }
    }),
    { numRuns: 25 },
  )
})
