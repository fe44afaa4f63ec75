import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { runCli } from '../../src/cli/program.ts'

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

const folder = mkdtempSync(join(tmpdir(), 'restante-cli-'))

/** Runs a command in this process, in a folder of the test's own. */
async function cli(
  args: readonly string[],
  { stdin = '', cwd = folder }: { stdin?: string; cwd?: string } = {},
): Promise<Result> {
  let out = ''
  let err = ''
  const before = process.exitCode
  process.exitCode = undefined
  const code = await runCli(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    isInteractive: false,
    isTty: false,
    columns: 100,
    out: text => (out += text),
    err: text => (err += text),
    env: {},
    cwd,
  })
  process.exitCode = before
  return { code, out, err }
}

async function json(args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await cli([...args, '--json'])
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

function newData(): string {
  return mkdtempSync(join(folder, 'data-'))
}

async function withAnn(): Promise<string> {
  const data = newData()
  const { code, err } = await cli(['account', 'add', 'ann@example.org', '--password-stdin', '--data', data], {
    stdin: 'secret-pass\n',
  })
  assert.equal(code, 0, err)
  return data
}

test('every command has a help that names its options', async () => {
  const commands = [
    'serve',
    'demo',
    'check',
    'backup',
    'restore',
    'migrate',
    'nodes',
    'doctor',
    'version',
    'account add',
    'account list',
    'account show',
    'account passwd',
    'account remove',
    'account quota',
    'app-password add',
    'app-password list',
    'app-password remove',
    'domain add',
    'domain list',
    'domain remove',
    'alias add',
    'alias list',
    'alias remove',
    'import mbox',
    'import maildir',
    'import eml',
    'export mbox',
    'export maildir',
    'queue list',
    'queue show',
    'queue retry',
    'queue hold',
    'queue release',
    'queue drop',
    'config check',
    'config show',
    'config docs',
  ]
  for (const command of commands) {
    const { code, out } = await cli([...command.split(' '), '--help'])
    assert.equal(code, 0, command)
    assert.match(out, new RegExp(`^Usage: restante ${command} `), command)
    assert.match(out, /--json/, command)
    assert.match(out, /--data/, command)
  }
})

test('a wrong call ends with 2 and a hint, a failure with 1', async () => {
  const unknown = await cli(['acount', 'list'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.err, /Did you mean account\?/)
  assert.equal((await cli(['account', 'add', '--data', newData()])).code, 2)
  assert.equal((await cli(['import', 'eml', 'x'])).code, 2)
  const absent = await cli(['account', 'list', '--data', join(folder, 'nowhere')])
  assert.equal(absent.code, 1)
  assert.match(absent.err, /there is no store at .*nowhere: name its folder with --data/)
})

test('a failure is JSON too where JSON was asked for', async () => {
  const data = await withAnn()
  const { code, out } = await cli(['account', 'show', 'anm@example.org', '--data', data, '--json'])
  assert.equal(code, 1)
  assert.match(
    (JSON.parse(out) as { error: { message: string } }).error.message,
    /did you mean ann@example\.org\?/,
  )
})

test('accounts are made, shown, changed and removed', async () => {
  const data = await withAnn()
  const again = await cli(['account', 'add', 'ann@example.org', '--password-stdin', '--data', data], {
    stdin: 'secret-pass',
  })
  assert.equal(again.code, 1)
  assert.match(again.err, /the account ann@example\.org exists/)
  const quota = (await json([
    'account',
    'quota',
    'ann',
    '5MB',
    '--messages',
    '10',
    '--data',
    data,
  ])) as Record<string, unknown>
  assert.deepEqual([quota['quotaBytes'], quota['quotaMessages']], [5_000_000, 10])
  assert.equal((await cli(['account', 'quota', 'ann', 'much', '--data', data])).code, 2)
  assert.equal((await cli(['account', 'disable', 'ann', '--data', data])).code, 0)
  assert.match((await cli(['account', 'list', '--data', data])).out, /^ann@example\.org +disabled /m)
  assert.equal(
    (await cli(['account', 'passwd', 'ann', '--password-stdin', '--data', data], { stdin: '\n' })).code,
    1,
  )
  const unsure = await cli(['account', 'remove', 'ann', '--data', data])
  assert.equal(unsure.code, 2)
  assert.match(unsure.err, /say so with --yes/)
  assert.equal((await cli(['account', 'remove', 'ann', '--yes', '--data', data])).code, 0)
  assert.deepEqual(await json(['account', 'list', '--data', data]), [])
})

test('rights are given, listed and taken back, of mailboxes that people or nobody own', async () => {
  const data = await withAnn()
  // What begins with - comes behind --.
  const run = (...args: string[]) => cli([...args.slice(0, 2), '--data', data, ...args.slice(2)])
  const shared = await run('account', 'add', '--shared', 'team@example.org')
  assert.equal(shared.code, 0, shared.err)
  assert.match((await run('account', 'list')).out, /^team@example\.org +active +shared /m)
  for (const refused of [
    ['account', 'passwd', 'team', '--password-stdin'],
    ['app-password', 'add', 'team', 'phone'],
  ]) {
    const { code, err } = await cli([...refused, '--data', data], { stdin: 'secret-pass' })
    assert.equal(code, 1)
    assert.match(err, /nobody logs in as team@example\.org/)
  }
  assert.match(
    (await run('acl', 'set', 'team', 'Bills', 'ann', 'lrs')).err,
    /there is no mailbox Bills; --create/,
  )
  const set = await run('acl', 'set', 'team', 'Bills', 'ann', 'lrswd', '--create')
  assert.equal(set.out, 'ann@example.org has lrswted in Bills of team@example.org\n')
  assert.equal((await run('acl', 'set', 'team', 'Bills', 'ann', '+k')).code, 0)
  assert.equal((await run('acl', 'set', 'team', 'Bills', 'ann', '--', '-w')).code, 0)
  assert.equal((await run('acl', 'set', 'team', 'INBOX', 'anyone', 'lr')).code, 0)
  assert.equal((await run('acl', 'set', 'team', 'INBOX', '--', '-ann', 'r')).code, 0)
  assert.deepEqual(await json(['acl', 'list', 'team', '--data', data]), [
    { mailbox: 'Bills', identifier: 'ann@example.org', rights: 'lrsktecd' },
    { mailbox: 'INBOX', identifier: 'anyone', rights: 'lr' },
    { mailbox: 'INBOX', identifier: '-ann@example.org', rights: 'r' },
  ])
  assert.match((await run('acl', 'list', 'team', 'Bills')).out, /^Bills +ann@example\.org +lrsktecd$/m)
  assert.equal((await run('acl', 'set', 'team', 'Bills', 'ann', 'lrQ')).code, 2)
  assert.match((await run('acl', 'set', 'team', 'Bills', 'nobody', 'lr')).err, /there is no account nobody/)
  assert.match((await run('acl', 'set', 'team', 'Bills', 'team', 'lr')).err, /owns the mailbox/)
  assert.equal((await run('acl', 'remove', 'team', 'Bills', 'ann')).code, 0)
  assert.equal((await run('acl', 'list', 'ann')).out, 'ann shares nothing\n')
  assert.equal((await run('acl', 'list', 'team', 'Bills')).out, 'team shares nothing\n')
})

test('accounts come from a file, and each bad line is named', async () => {
  const data = newData()
  writeFileSync(
    join(folder, 'accounts.txt'),
    '# people\nann@example.org:secret:with:colons\r\n\nbroken\nben@example.org:another-pass\nben@example.org:twice\nBen@EXAMPLE.org:thrice\n',
  )
  const { code, out, err } = await cli(['account', 'add', '--from', 'accounts.txt', '--data', data])
  assert.equal(code, 1)
  assert.equal(out, '2 accounts made, 3 lines not\n')
  assert.match(err, /^accounts\.txt:4: expected ADDRESS:PASSWORD$/m)
  for (const line of [6, 7])
    assert.match(err, new RegExp(`^accounts\\.txt:${line}: the account ben@example\\.org exists$`, 'm'))
})

test('a password is not taken from the command line, nor asked for where nobody answers', async () => {
  const { code, err } = await cli(['account', 'add', 'ann@example.org', '--data', newData()])
  assert.equal(code, 2)
  assert.match(err, /--password-stdin/)
})

test('app passwords are shown once, listed and taken back', async () => {
  const data = await withAnn()
  const made = (await json(['app-password', 'add', 'ann', 'phone', '--scope', 'imap', '--data', data])) as {
    password: string
  }
  assert.match(made.password, /^([a-z2-7]{5}-){3}[a-z2-7]{5}$/)
  const listed = await cli(['app-password', 'list', 'ann', '--data', data])
  assert.match(listed.out, /^phone +imap /m)
  assert.ok(!listed.out.includes(made.password))
  assert.equal((await cli(['app-password', 'add', 'ann', 'x', '--scope', 'fax', '--data', data])).code, 2)
  assert.equal((await cli(['app-password', 'remove', 'ann', 'phone', '--data', data])).code, 0)
  assert.equal((await cli(['app-password', 'remove', 'ann', 'phone', '--data', data])).code, 1)
})

test('domains and aliases are kept', async () => {
  const data = await withAnn()
  assert.equal((await cli(['domain', 'add', 'example.net', '--data', data])).code, 0)
  assert.equal((await cli(['domain', 'remove', 'example.org', '--data', data])).code, 1)
  assert.equal(
    (await cli(['alias', 'add', 'info@example.org', 'ann@example.org', 'far@away.example', '--data', data]))
      .code,
    0,
  )
  assert.equal((await cli(['alias', 'add', '@example.net', 'ann@example.org', '--data', data])).code, 0)
  assert.match((await cli(['alias', 'list', '--data', data])).out, /^info@example\.org +far@away\.example/m)
  assert.equal(
    (await cli(['alias', 'remove', 'info@example.org', 'far@away.example', '--data', data])).code,
    0,
  )
  assert.equal(((await json(['alias', 'list', '--data', data])) as unknown[]).length, 2)
})

test('mail goes in, comes out, goes in again, and nothing has changed', async () => {
  const data = await withAnn()
  const cwd = mkdtempSync(join(folder, 'mail-'))
  mkdirSync(join(cwd, 'in'))
  for (const name of ['a', 'b', 'c'])
    writeFileSync(join(cwd, 'in', `${name}.eml`), `Subject: ${name}\n\nFrom here on: ${name}\n`)
  const into = await cli(
    ['import', 'eml', 'in', '--account', 'ann', '--mailbox', 'Lists/x', '--seen', '--data', data],
    { cwd },
  )
  assert.equal(into.out, 'ann: 3 added, 0 there already, 0 failed\n', into.err)
  assert.match(
    (await cli(['import', 'eml', 'in', '-a', 'ann', '-m', 'Lists/x', '--data', data], { cwd })).out,
    /^ann: 0 added, 3 there already/,
  )
  assert.equal((await cli(['export', 'mbox', 'out', '-a', 'ann', '--data', data], { cwd })).code, 0)
  assert.equal(
    (await cli(['export', 'maildir', 'out2', '-a', 'ann', '-m', 'Lists/x', '--data', data], { cwd })).code,
    0,
  )
  assert.match(readFileSync(join(cwd, 'out', 'Lists.x.mbox'), 'utf8'), /^Status: RO\n/m)
  assert.match(readFileSync(join(cwd, 'out', 'Lists.x.mbox'), 'utf8'), /^>From here on: a$/m)
  assert.equal(readdirSync(join(cwd, 'out2', '.Lists.x', 'cur')).length, 3)
  assert.match(
    (await cli(['import', 'mbox', 'out/Lists.x.mbox', '-a', 'ann', '-m', 'Lists/x', '--data', data], { cwd }))
      .out,
    /^ann: 0 added, 3 there already/,
  )
  assert.match(
    (await cli(['import', 'maildir', 'out2', '-a', 'ann', '--data', data], { cwd })).out,
    /^ann: 0 added, 3 there already/,
  )
  const full = await cli(['export', 'mbox', 'out', '-a', 'ann', '--data', data], { cwd })
  assert.equal(full.code, 1)
  assert.match(full.err, /is not empty/)
})

test('an import says what it cannot read, and goes on', async () => {
  const data = await withAnn()
  writeFileSync(join(folder, 'no.mbox'), 'Subject: no mbox\n\n')
  writeFileSync(join(folder, 'yes.mbox'), 'From x Thu Jan  1 12:34:56 2026\nSubject: yes\n\nx\n')
  const { code, out, err } = await cli(['import', 'mbox', 'no.mbox', 'yes.mbox', '-a', 'ann', '--data', data])
  assert.equal(code, 1)
  assert.match(out, /1 added, 0 there already, 1 failed/)
  assert.match(err, /no\.mbox message 1: .*it is no mbox/)
  assert.match(
    (await cli(['import', 'mbox', 'absent', '-a', 'ann', '--data', data])).err,
    /absent cannot be read \(ENOENT\)/,
  )
  assert.match(
    (await cli(['import', 'maildir', 'yes.mbox', '-a', 'ann', '--data', data])).err,
    /restante import mbox yes\.mbox/,
  )
})

test('the store is checked, backed up and restored', async () => {
  const data = await withAnn()
  writeFileSync(join(folder, 'one.eml'), 'Subject: one\n\nx\n')
  await cli(['import', 'eml', 'one.eml', '-a', 'ann', '--data', data])
  const checked = (await json(['check', '--data', data])) as { isWhole: boolean; messages: number }
  assert.deepEqual([checked.isWhole, checked.messages], [true, 1])
  const backup = join(folder, 'backup')
  assert.equal((await cli(['backup', backup, '--data', data])).code, 0)
  const restored = join(folder, 'restored')
  assert.equal((await cli(['restore', backup, '--data', restored])).code, 0)
  assert.equal((await cli(['restore', backup, '--data', restored])).code, 1)
  assert.equal(((await json(['check', '--data', restored])) as { messages: number }).messages, 1)
})

test('a damaged store is found, with exit status 1', async () => {
  const data = await withAnn()
  writeFileSync(join(folder, 'two.eml'), `Subject: two\n\n${'y'.repeat(1000)}\n`)
  await cli(['import', 'eml', 'two.eml', '-a', 'ann', '--data', data])
  const [segment = ''] = readdirSync(join(data, 'segments'))
  const file = join(data, 'segments', segment)
  const bytes = readFileSync(file)
  bytes[500] = 0
  writeFileSync(file, bytes)
  const { code, out } = await cli(['check', '--data', data])
  assert.equal(code, 1)
  assert.match(out, /^damage: /m)
})

test('an empty queue is said to be empty, and what is not there cannot be steered', async () => {
  const data = await withAnn()
  assert.equal((await cli(['queue', 'list', '--data', data])).out, 'the queue is empty\n')
  assert.equal((await cli(['queue', 'retry', '--data', data])).code, 2)
  assert.equal((await cli(['queue', 'drop', '7', '--data', data])).code, 1)
  assert.equal((await cli(['queue', 'hold', 'x', '--data', data])).code, 2)
  assert.equal((await cli(['queue', 'retry', '--all', '--data', data])).code, 0)
})

test('the configuration is checked and shown without its secrets', async () => {
  writeFileSync(
    join(folder, 'good.toml'),
    'hostname = "mail.example.org"\n[queue]\noutbound = "smarthost"\nsmarthost = { host = "relay.example", user = "u", password = "canary-secret" }\n',
  )
  const shown = await cli(['config', 'show', '--config', 'good.toml', '--data', 'x'])
  assert.equal(shown.code, 0, shown.err)
  assert.match(shown.out, /^hostname = "mail\.example\.org"$/m)
  assert.ok(!shown.out.includes('canary-secret'))
  writeFileSync(join(folder, 'bad.toml'), 'hostnam = "x"\n')
  const bad = await cli(['config', 'check', '--config', 'bad.toml'])
  assert.equal(bad.code, 1)
  assert.match(bad.err, /bad\.toml: hostnam: unknown key; did you mean hostname\?/)
})

test('the version names what it runs on', async () => {
  const { version, node } = (await json(['version'])) as Record<string, string>
  assert.match(version ?? '', /^\d+\.\d+\.\d+$/)
  assert.equal(node, process.versions.node)
})

test('doctor answers in JSON, and its status says whether something fails', async () => {
  const data = await withAnn()
  const report = (await json(['doctor', '--data', data])) as { items: { id: string; fix: string }[] }
  assert.ok(report.items.some(({ id }) => id === 'disk-sync'))
  chmodSync(data, 0o755)
  const { code, out } = await cli(['doctor', '--data', data])
  assert.equal(code, 1)
  assert.match(out, /^fail {2}folder-access +0755$\n {6}expected: .*\n {6}to do: chmod 700 /m)
})
