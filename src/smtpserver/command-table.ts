// All the commands.
import type { Command } from './command.ts'
import { auth } from './commands/auth.ts'
import { bdat } from './commands/bdat.ts'
import { data } from './commands/data.ts'
import { ehlo } from './commands/ehlo.ts'
import { expn } from './commands/expn.ts'
import { helo } from './commands/helo.ts'
import { help } from './commands/help.ts'
import { lhlo } from './commands/lhlo.ts'
import { mail } from './commands/mail.ts'
import { noop } from './commands/noop.ts'
import { quit } from './commands/quit.ts'
import { rcpt } from './commands/rcpt.ts'
import { rset } from './commands/rset.ts'
import { starttls } from './commands/starttls.ts'
import { vrfy } from './commands/vrfy.ts'

const commands: ReadonlyMap<string, Command> = new Map(
  [auth, bdat, data, ehlo, expn, helo, help, lhlo, mail, noop, quit, rcpt, rset, starttls, vrfy].map(one => [
    one.name,
    one,
  ]),
)

/** The command of this name (in capitals), or undefined. */
export function findCommand(name: string): Command | undefined {
  return commands.get(name)
}
