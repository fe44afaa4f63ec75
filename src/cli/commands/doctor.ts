// doctor: whether what the store stands on is fit.
import { examine } from '../../server/doctor/doctor.ts'
import type { CommandContext } from '../command.ts'
import { printable } from '../output.ts'

/** Examines disk, database and bucket of the configuration. Exit status 1 when something fails. */
export async function doctor(context: CommandContext): Promise<void> {
  const items = await examine(await context.config())
  const failed = items.filter(({ status }) => status === 'fail').length
  const warned = items.filter(({ status }) => status === 'warn').length
  const width = Math.max(...items.map(({ id }) => id.length))
  const lines = items.flatMap(({ id, status, actual, expected, fix }) => [
    `${status.padEnd(4)}  ${id.padEnd(width)}  ${printable(actual)}`,
    ...(status === 'ok' ? [] : [`      expected: ${expected}`, `      to do: ${printable(fix)}`]),
  ])
  const verdict =
    failed + warned === 0 ? 'all is well' : `${failed} failed, ${warned} to be better, of ${items.length}`
  context.output.result({ ok: failed === 0, items }, [...lines, verdict].join('\n'))
  if (failed > 0) process.exitCode = 1
}
