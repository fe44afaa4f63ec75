// serve: the server, until a signal ends it.
import { keepHeapsSmall } from '../../server/heaps.ts'
import type { CommandContext } from '../command.ts'

interface ServeOptions {
  readonly listen: readonly string[]
}

/** Runs the server; resolves when it has ended. */
export async function serve(context: CommandContext, options: ServeOptions): Promise<void> {
  keepHeapsSmall()
  const { loadConfig } = await import('../../server/config.ts')
  const { runServer } = await import('../../server/run-server.ts')
  const { terminal } = context
  const readConfig = () =>
    loadConfig({
      file: context.options.config,
      dataDir: context.options.data,
      listen: options.listen,
      env: terminal.env,
      cwd: terminal.cwd,
    })
  process.exitCode = await runServer({
    readConfig,
    print: text => terminal.out(text),
    env: terminal.env,
    json: context.options.json === true,
  })
}
