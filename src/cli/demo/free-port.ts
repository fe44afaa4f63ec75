// A port near the one that people would guess.
import { createServer } from 'node:net'
import { CliError } from '../cli-error.ts'

const host = '127.0.0.1'
const tries = 200

/** The first port from `port` on that nothing listens on and that is not in `taken`. Throws CliError. */
export async function findFreePort(port: number, taken: ReadonlySet<number>): Promise<number> {
  for (let candidate = port; candidate < port + tries; candidate++) {
    if (!taken.has(candidate) && (await isFree(candidate))) return candidate
  }
  throw new CliError(`no port from ${port} to ${port + tries - 1} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port }, () => server.close(() => resolve(true)))
  })
}
