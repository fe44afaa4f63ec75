// The command line: `restante <noun> <verb>`. Each command is a file under commands/, loaded when it is called.
import { Command, CommanderError } from 'commander'
import { settleAllocator } from './allocator.ts'
import { CliError } from './cli-error.ts'
import { type CommonOptions, createContext, type Run, withCommonOptions } from './command.ts'
import type { Terminal } from './terminal.ts'

type Load = () => Promise<Run<readonly never[]>>

/** Runs one command; its exit status: 0, 1 when it failed, 2 when it was called in a wrong way. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = createProgram(terminal)
  try {
    await program.parseAsync(args as string[], { from: 'user' })
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    return report(error, args, terminal)
  }
}

/** Errors that carry a code were foreseen, and say what to do; others are ours. */
function report(error: unknown, args: readonly string[], terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const { message, stack, code, name } = error as Error & { code?: unknown }
  const isForeseen = error instanceof CliError || typeof code === 'string' || name === 'ConfigError'
  if (args.includes('--json'))
    terminal.out(`${JSON.stringify({ error: { code: code ?? 'failed', message } })}\n`)
  terminal.err(`restante: ${isForeseen ? message : (stack ?? message)}\n`)
  return error instanceof CliError ? error.exitCode : 1
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('restante')
    .description('A complete mail system: IMAP, POP3, SMTP and LMTP over one store.')
    .showHelpAfterError('(restante --help lists what there is)')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: text => terminal.out(text),
      writeErr: text => terminal.err(text),
      getOutHelpWidth: () => Math.min(terminal.columns, 120),
      getErrHelpWidth: () => Math.min(terminal.columns, 120),
    })
    .exitOverride()
  const define = commandMaker(terminal)
  addServing(program, define, terminal)
  addDirectory(program, define)
  addMail(program, define)
  addMaintenance(program, define)
  return program
}

type Define = (parent: Command, name: string, description: string, load: Load) => Command

/** Makes a command that loads its program when it is called. */
function commandMaker(terminal: Terminal): Define {
  return (parent, name, description, load) => {
    const command = withCommonOptions(parent.command(name).description(description))
    return command.copyInheritedSettings(parent).action(async (...all: unknown[]) => {
      // Commander gives the arguments, the options and the command.
      const options = all.at(-2) as CommonOptions
      const run = await load()
      await run(createContext(terminal, options), ...(all.slice(0, -1) as never[]))
    })
  }
}

function group(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).copyInheritedSettings(parent)
}

function addServing(program: Command, define: Define, terminal: Terminal): void {
  define(program, 'serve', 'run the server', async () => {
    settleAllocator(terminal)
    return (await import('./commands/serve.ts')).serve
  })
    .option(
      '-l, --listen <NAME=ADDRESS:PORT>',
      'open only what is named, any number of times: imap, imaps, pop3, pop3s, smtp, submission, submissions, lmtp, http; port 0 is any that is free',
      collect,
      [],
    )
    .addHelpText(
      'after',
      '\nIt ends on SIGTERM or SIGINT when its sessions have (a second one ends it at once) and reads certificates and log level again on SIGHUP.',
    )
  define(program, 'demo', 'try it: two accounts with mail in them, on this machine only', async () => {
    settleAllocator(terminal)
    return (await import('./commands/demo.ts')).demo
  }).option('--keep', 'keep the data (with --data they are always kept)')
}

function collect(value: string, all: string[]): string[] {
  return [...all, value]
}

function addDirectory(program: Command, define: Define): void {
  const account = group(program, 'account', 'accounts: who has mail here')
  const accounts = () => import('./commands/account.ts')
  define(
    account,
    'add [address]',
    'make an account, and its domain when it is new',
    async () => (await accounts()).addAccount,
  )
    .option('--password-stdin', 'read the password from standard input')
    .option(
      '--from <file>',
      'make one account for each line ADDRESS:PASSWORD of a file (- for standard input)',
    )
    .option('--name <name>', 'the name of its owner')
    .option('--admin', 'may administer the server')
    .option('--shared', 'nobody logs in as it: it owns mailboxes that several use (restante acl set)')
    .option('--quota <size>', 'how much mail it may hold, such as 2GB')
    .option('--no-password', 'make it without a password: nobody can log in yet')
  define(account, 'list', 'list the accounts', async () => (await accounts()).listAllAccounts)
  define(account, 'show <address>', 'show one account', async () => (await accounts()).showAccount)
  define(
    account,
    'passwd <address>',
    'change its password',
    async () => (await accounts()).changePassword,
  ).option('--password-stdin', 'read the password from standard input')
  define(
    account,
    'remove <address>',
    'remove it with all its mail',
    async () => (await accounts()).removeOneAccount,
  ).option('--yes', 'do not ask')
  define(
    account,
    'quota <address> [size]',
    'show or change how much mail it may hold: 2GB, none, default',
    async () => (await accounts()).changeQuota,
  ).option('--messages <count>', 'how many messages it may hold: a number, or default')
  define(
    account,
    'disable <address>',
    'let nobody log in; mail still arrives',
    async () => (await accounts()).disableAccount,
  )
  define(account, 'enable <address>', 'undo disable', async () => (await accounts()).enableAccount)
  const appPassword = group(program, 'app-password', 'passwords for one program each')
  const appPasswords = () => import('./commands/app-password.ts')
  define(
    appPassword,
    'add <address> <name>',
    'make one; it is shown once',
    async () => (await appPasswords()).addAppPassword,
  ).option(
    '--scope <service>',
    'only for this service, any number of times: imap, pop3, smtp, managesieve, jmap',
    collect,
    [],
  )
  define(appPassword, 'list <address>', 'list them', async () => (await appPasswords()).listAllAppPasswords)
  define(
    appPassword,
    'remove <address> <name>',
    'take one back',
    async () => (await appPasswords()).removeAppPassword,
  )
  const acl = group(program, 'acl', 'who else may use a mailbox')
  const acls = () => import('./commands/acl.ts')
  define(
    acl,
    'list <address> [mailbox]',
    'show what an account shares',
    async () => (await acls()).listRights,
  )
  define(
    acl,
    'set <address> <mailbox> <who> <rights>',
    'give rights: l(ist) r(ead) s(een) w(rite flags) i(nsert) p(ost) k (make below) x (delete it) t(rash) e(xpunge) a(dminister); +rights adds; who is an account or "anyone"; -who takes away (write -- before what begins with -)',
    async () => (await acls()).setRights,
  ).option('--create', 'make the mailbox when it is missing')
  define(
    acl,
    'remove <address> <mailbox> <who>',
    'take all of them back',
    async () => (await acls()).removeRights,
  )
  const domain = group(program, 'domain', 'domains: whose mail is accepted here')
  const domains = () => import('./commands/domain.ts')
  define(domain, 'add <name>', 'accept mail for a domain', async () => (await domains()).addDomain)
  define(domain, 'list', 'list them', async () => (await domains()).listAllDomains)
  define(domain, 'remove <name>', 'no longer accept mail for it', async () => (await domains()).removeDomain)
  const alias = group(program, 'alias', 'aliases: addresses that lead to others')
  const aliases = () => import('./commands/alias.ts')
  define(
    alias,
    'add <address> <targets...>',
    'lead an address to others; @example.org is all the rest of a domain',
    async () => (await aliases()).addAlias,
  )
  define(alias, 'list', 'list them', async () => (await aliases()).listAllAliases)
  define(
    alias,
    'remove <address> [target]',
    'remove one target, or the alias',
    async () => (await aliases()).removeAlias,
  )
}

function addMail(program: Command, define: Define): void {
  const kinds = ['mbox', 'maildir', 'eml'] as const
  const into = group(program, 'import', 'bring mail in from files')
  for (const kind of kinds) {
    const what = {
      mbox: 'mbox files',
      maildir: 'a Maildir with its folders',
      eml: 'messages, one file each, or a folder of them',
    }[kind]
    define(into, `${kind} <paths...>`, `bring in ${what}; run again, it adds nothing twice`, async () =>
      (await import('./commands/import.ts')).importFrom(kind),
    )
      .requiredOption('-a, --account <address>', 'whose mail it becomes')
      .option('-m, --mailbox <name>', 'into this mailbox', 'INBOX')
      .option('--seen', 'mark all of it as read')
  }
  const out = group(program, 'export', 'write mail to files')
  for (const kind of ['mbox', 'maildir'] as const) {
    const what = {
      mbox: 'one mbox file for each mailbox',
      maildir: 'a Maildir with a folder for each mailbox',
    }[kind]
    define(out, `${kind} <folder>`, `write ${what}`, async () =>
      (await import('./commands/export.ts')).exportTo(kind),
    )
      .requiredOption('-a, --account <address>', 'whose mail')
      .option('-m, --mailbox <name>', 'only this mailbox, any number of times', collect, [])
  }
  const queue = group(program, 'queue', 'mail that waits to go out')
  const queues = () => import('./commands/queue.ts')
  define(queue, 'list', 'list it', async () => (await queues()).listQueue)
  define(
    queue,
    'show <id>',
    'show one message with every attempt',
    async () => (await queues()).showQueueMessage,
  )
  for (const verb of ['retry', 'hold', 'release', 'drop'] as const) {
    const what = {
      retry: 'try again now',
      hold: 'keep back',
      release: 'no longer keep back',
      drop: 'throw away, and tell nobody',
    }[verb]
    define(queue, `${verb} [ids...]`, `${what}: messages by their numbers, or --all`, async () =>
      (await queues()).changeQueue(verb),
    )
      .option('--all', 'all that waits')
      .option('--domain <name>', 'only recipients of this domain')
  }
}

function addMaintenance(program: Command, define: Define): void {
  define(
    program,
    'check',
    'check the store: every body present and right, every count',
    async () => (await import('./commands/check.ts')).check,
  )
    .option('--no-bodies', 'do not read the bodies')
    .addHelpText('after', '\nIt reads only, also while the server runs. Exit status 1: something is damaged.')
  const backups = () => import('./commands/backup.ts')
  define(
    program,
    'backup <folder>',
    'copy the store, also while the server runs',
    async () => (await backups()).backup,
  ).addHelpText('after', '\nRun again into the same folder, it copies only what is new.')
  define(
    program,
    'restore <folder>',
    'make a store of a backup, in an empty data folder',
    async () => (await backups()).restore,
  ).option(
    '--keep-uidvalidity',
    'for a store that replaces one nobody has used since: mail programs need not fetch everything again',
  )
  define(
    program,
    'migrate',
    'move the store to another back-end: from the embedded one to PostgreSQL, or back',
    async () => (await import('./commands/migrate.ts')).migrate,
  )
    .option('--to <place>', 'postgres://USER:PASSWORD@HOST/DATABASE, or a folder for an embedded store')
    .option(
      '--to-config <file>',
      'where this other configuration says, with its TLS, its bucket and its connections',
    )
    .addHelpText(
      'after',
      '\nStop the server first: nobody may change the store meanwhile, which is only read and stays as it is. Interrupted, run it again. UIDs, UIDVALIDITY, flags, modSeqs, dates and ids stay the same; at the end every row is compared and every body hashed.',
    )
  define(
    program,
    'nodes',
    'list the servers that share the store, with version and load',
    async () => (await import('./commands/nodes.ts')).nodes,
  )
  define(
    program,
    'doctor',
    'examine what the store stands on: disk, database, bucket',
    async () => (await import('./commands/doctor.ts')).doctor,
  ).addHelpText(
    'after',
    '\nIt changes nothing but for a file and an object that it removes again. Exit status 1: something fails.',
  )
  const config = group(program, 'config', 'the configuration')
  const configs = () => import('./commands/config.ts')
  define(config, 'check', 'say whether it is right', async () => (await configs()).checkConfig)
  define(
    config,
    'show',
    'show what is in force, defaults and all, without secrets',
    async () => (await configs()).showConfig,
  )
  define(config, 'docs', 'print docs/configuration.md', async () => (await configs()).printDocs)
  define(
    program,
    'version',
    'say which version this is',
    async () => (await import('./commands/version.ts')).version,
  )
}
