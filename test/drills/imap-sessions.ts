// Random sessions of good commands against what a client may believe: four clients, several mailboxes, all that can be enabled, QRESYNC after every
// broken connection, several commands without waiting. Half of the episodes have one client at a time, so that the meaning of each command is checked;
// in the other half four are at it at once.
// node test/drills/imap-sessions.ts [--count STEPS] [--seed N] [--fault number|expunge|modseq|flags|uid]
import { runEpisode, shrink, type Plan } from '../imap/model/episode.ts'
import { faults } from '../imap/model/faults.ts'
import { Drill } from './drill.ts'

const stepsPerEpisode = 500
const shrinkMs = 60_000

const drill = new Drill('imap-sessions', { count: 100_000, faults: Object.keys(faults) })
let steps = 0
let lines = 0
let episodes = 0
for (; steps < drill.count && drill.violations === 0; episodes++) {
  const plan: Plan = {
    seed: drill.seed + episodes * 1_000_003,
    steps: Array.from({ length: Math.min(stepsPerEpisode, drill.count - steps) }, (_, at) => at),
    clients: 4,
    atOnce: episodes % 2 === 0 ? 1 : 4,
    fault: drill.fault,
  }
  const { violation, transcript } = await runEpisode(plan)
  steps += plan.steps.length
  lines += transcript.length
  if (violation === undefined) {
    if (episodes % 20 === 19) drill.say(`${steps} steps`)
    continue
  }
  drill.violation(violation)
  const shrunk = await shrink(plan, shrinkMs)
  drill.say(
    `episode ${episodes} (seed ${plan.seed}), ${plan.atOnce} at once; ${shrunk.plan.steps.length} of its ${plan.steps.length} steps are enough: ${shrunk.plan.steps.join(' ')}`,
  )
  drill.say(`there it is: ${shrunk.outcome.violation ?? 'not met again'}`)
  for (const line of shrunk.outcome.transcript.slice(-200)) console.log(`    ${line.slice(0, 300)}`)
}
drill.figure('steps', steps)
drill.figure('episodes', episodes)
drill.figure('lines said and heard', lines)
drill.finish()
