// check: whether the store is whole.
import { type CheckOptions, checkStore } from '../../store/check.ts'
import { checkDatabase } from '../../store/postgres/check-database.ts'
import { bucketOf } from '../../store/s3/bucket.ts'
import type { CommandContext } from '../command.ts'
import { printable } from '../output.ts'
import { Steps } from '../progress.ts'

interface CheckArguments {
  /** False with --no-bodies. */
  readonly bodies: boolean
}

/** Reads only, also beside a running server. Exit status 1 when something is damaged. */
export async function check(context: CommandContext, { bodies }: CheckArguments): Promise<void> {
  const { dataDir, store } = await context.config()
  const steps = new Steps(context.terminal, 'checking')
  const options: CheckOptions = { withBodies: bodies, onProgress: (...step) => steps.show(...step) }
  const report =
    store.url === undefined
      ? await checkStore(dataDir, options)
      : await checkDatabase({ url: store.url, tls: store.tls, bucket: bucketOf(store) }, options)
  steps.end()
  const damages = report.findings.filter(finding => finding.severity === 'damage')
  const lines = report.findings.map(
    ({ severity, kind, detail }) => `${severity}: ${kind}: ${printable(detail)}`,
  )
  const counts = `${report.accounts} accounts, ${report.messages} messages, ${report.bodies} bodies read`
  const verdict =
    damages.length === 0 ? `the store is whole: ${counts}` : `${damages.length} damaged: ${counts}`
  context.output.result(
    { ...report, isWhole: damages.length === 0 },
    [...lines, ...(report.isTruncated ? ['… and more'] : []), verdict].join('\n'),
  )
  if (damages.length > 0) process.exitCode = 1
}
