// Every command by its keyword. RFC 1939 §9; RFC 2449 §5; RFC 2595 §4; RFC 5034; RFC 6856.
import type { Command } from './command.ts'
import { apop } from './commands/apop.ts'
import { auth } from './commands/auth.ts'
import { capa } from './commands/capa.ts'
import { dele } from './commands/dele.ts'
import { lang } from './commands/lang.ts'
import { list } from './commands/list.ts'
import { noop } from './commands/noop.ts'
import { pass } from './commands/pass.ts'
import { quit } from './commands/quit.ts'
import { retr } from './commands/retr.ts'
import { rset } from './commands/rset.ts'
import { stat } from './commands/stat.ts'
import { stls } from './commands/stls.ts'
import { top } from './commands/top.ts'
import { uidl } from './commands/uidl.ts'
import { user } from './commands/user.ts'
import { utf8 } from './commands/utf8.ts'

const commands: readonly Command[] = [
  apop,
  auth,
  capa,
  dele,
  lang,
  list,
  noop,
  pass,
  quit,
  retr,
  rset,
  stat,
  stls,
  top,
  uidl,
  user,
  utf8,
]

const byName: ReadonlyMap<string, Command> = new Map(commands.map(each => [each.name, each]))

/** The command of a keyword in any case. */
export function findCommand(keyword: string): Command | undefined {
  return byName.get(keyword.toUpperCase())
}
