// Thunderbird, with a fresh profile under Xvfb: an account is set up, folders listed, messages read, flagged, searched, moved, deleted, and news heard
// in IDLE. It is driven from inside by scripts, with the functions that its own buttons call; what came of it is looked up on the server.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import { password, user } from '../../bench/server.ts'
import { Marionette } from './marionette.ts'
import { missing, scratch } from './program.ts'
import { append, login, startServer } from './server.ts'

const skip = missing('thunderbird', 'thunderbird') || missing('Xvfb', 'xvfb')

/** It may take long to start where the machine is busy. */
const patienceMs = 120_000

/** What the scripts have at hand. */
const prelude = `
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const until = async (is, what) => {
  for (let left = 400; left > 0; left--) {
    const found = await is();
    if (found) return found;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error("waited in vain for " + (typeof what === "function" ? what() : what));
};
const server = MailServices.accounts.allServers.find(one => one.type === "imap");
const folder = name => server?.rootFolder.subFolders.find(one => one.name.toLowerCase() === name.toLowerCase());
const headers = from => [...from.msgDatabase.enumerateMessages()];
const update = from => new Promise((resolve, reject) => {
  from.QueryInterface(Ci.nsIMsgImapMailFolder ?? Ci.nsIMsgFolder).updateFolderWithListener(null, {
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, code) { code === 0 ? resolve() : reject(new Error("update " + code)) },
  });
});
`

test('Thunderbird', { skip, timeout: 2 * patienceMs }, async context => {
  const server = await startServer(context)
  await append(
    server,
    0,
    'INBOX',
    Array.from({ length: 6 }, (_, at) => smallMessage(at)),
  )
  const client = await login(server, 0)
  const ask = async (command: string) => (await client.run(command)).bytes.toString('latin1')
  const thunderbird = await startThunderbird(context)
  const run = (body: string, ...args: readonly unknown[]) => thunderbird.run(prelude + body, ...args)

  await context.test('sets the account up and lists the folders', async () => {
    const names = await run(
      `
      const [port, name, secret] = args;
      const made = MailServices.accounts.createIncomingServer(name, "127.0.0.1", "imap");
      made.port = port;
      made.password = secret;
      made.socketType = Ci.nsMsgSocketType.plain;
      made.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
      made.valid = true;
      const identity = MailServices.accounts.createIdentity();
      identity.email = name;
      identity.valid = true;
      const account = MailServices.accounts.createAccount();
      account.incomingServer = made;
      account.addIdentity(identity);
      const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
      login.init("imap://127.0.0.1", null, "imap://127.0.0.1", name, secret, "", "");
      await Services.logins.addLoginAsync(login);
      made.performExpand(null);
      // It asks for the folders once it has a connection.
      await update(await until(() => made.rootFolder.subFolders.find(one => one.name === "Inbox" || one.name === "INBOX"), "the inbox"));
      const known = () => made.rootFolder.subFolders.map(one => one.name.toLowerCase());
      await until(() => ["inbox", "drafts", "sent", "trash"].every(name => known().includes(name)), () => "folders; there are " + known());
      return made.rootFolder.subFolders.map(one => one.name).sort();`,
      server.ports.imap,
      user(0),
      password,
    )
    for (const name of ['Inbox', 'Drafts', 'Sent', 'Trash'])
      assert.ok(
        (names as string[]).some(one => one.toLowerCase() === name.toLowerCase()),
        `${name}: ${String(names)}`,
      )
  })

  await context.test('reads a message, and flags one', async () => {
    const text = await run(`
      const inbox = await until(() => folder("INBOX"), () => "INBOX among " + server?.rootFolder.subFolders.map(one => one.name));
      await update(inbox);
      await until(() => headers(inbox).length === 6, "six messages");
      const [first, second] = headers(inbox);
      const { MsgHdrToMimeMessage } = ChromeUtils.importESModule("resource:///modules/gloda/MimeMessage.sys.mjs");
      const message = await new Promise(resolve => MsgHdrToMimeMessage(first, null, (_, one) => resolve(one), true));
      inbox.markMessagesRead([first], true);
      inbox.markMessagesFlagged([second], true);
      return message.headers["message-id"][0] + " " + message.size;`)
    assert.match(String(text), /^<.+> [1-9]/)
    await client.run('SELECT INBOX')
    await until(async () => /\* SEARCH 1\r/.test(await ask('SEARCH SEEN')), 'SEEN')
    await until(async () => /\* SEARCH 2\r/.test(await ask('SEARCH FLAGGED')), 'FLAGGED')
  })

  await context.test('searches on the server', async () => {
    const subject = /^Subject: (.*)$/m.exec(smallMessage(3).toString())?.[1] ?? 'none'
    const found = await run(
      `
      const inbox = await until(() => folder("INBOX"), () => "INBOX among " + server?.rootFolder.subFolders.map(one => one.name));
      const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
      session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, inbox);
      const term = session.createTerm();
      term.attrib = Ci.nsMsgSearchAttrib.Subject;
      term.op = Ci.nsMsgSearchOp.Contains;
      const wanted = term.value;
      wanted.attrib = term.attrib;
      wanted.str = args[0];
      term.value = wanted;
      session.appendTerm(term);
      const hits = [];
      await new Promise(resolve => {
        session.registerListener({
          QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
          onSearchHit(header) { hits.push(header.subject); },
          onSearchDone() { resolve(); },
          onNewSearch() {},
        });
        session.search(null);
      });
      return hits;`,
      subject,
    )
    assert.ok((found as string[]).length >= 1, String(found))
    assert.ok((found as string[]).every(one => subject.includes(one) || one.includes(subject)))
  })

  await context.test('moves a message, and deletes one', async () => {
    await run(`
      const inbox = await until(() => folder("INBOX"), () => "INBOX among " + server?.rootFolder.subFolders.map(one => one.name));
      const [, , third, fourth] = headers(inbox);
      const listener = resolve => ({ onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() {}, onStopCopy: resolve });
      const target = folder("Archive") ?? folder("Drafts");
      await new Promise(resolve => MailServices.copy.copyMessages(inbox, [third], target, true, listener(resolve), null, false));
      await new Promise(resolve => inbox.deleteMessages([fourth], null, false, false, listener(resolve), false));`)
    await until(async () => /MESSAGES 4\b/.test(await ask('STATUS INBOX (MESSAGES)')), 'four messages')
    const all = await ask('LIST "" * RETURN (STATUS (MESSAGES))')
    assert.match(all, /STATUS "?(?:Archive|Drafts)"? \(MESSAGES 1\)/)
    assert.match(all, /STATUS "?Trash"? \(MESSAGES 1\)/)
  })

  await context.test('hears of new mail in IDLE', async () => {
    await append(server, 0, 'INBOX', [smallMessage(9)])
    const count = await run(`
      const inbox = await until(() => folder("INBOX"), () => "INBOX among " + server?.rootFolder.subFolders.map(one => one.name));
      return until(() => { const { length } = headers(inbox); return length === 5 && length; }, "the fifth message");`)
    assert.equal(count, 5)
  })

  const picture = process.env['SCREENSHOT']
  if (picture !== undefined) writeFileSync(picture, await thunderbird.screenshot())
  await client.logout()
})

async function startThunderbird(context: TestContext): Promise<Marionette> {
  const profile = scratch(context)
  const port = await freePort()
  writeFileSync(
    join(profile, 'user.js'),
    Object.entries({
      'marionette.port': port,
      'app.update.enabled': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'mail.provider.suppress_dialog_on_startup': true,
      'mail.spotlight.firstRunDone': true,
      'mail.winsearch.firstRunDone': true,
      'mail.rights.version': 1,
      'mail.shell.checkDefaultClient': false,
      'mailnews.start_page.enabled': false,
      // COMPRESS it uses by itself.
      'mail.server.default.use_condstore': true,
      'network.online': true,
      'network.manage-offline-status': false,
      'app.donation.eoy.version.viewed': 999,
      'mail.inappnotifications.enabled': false,
    })
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
      .join(''),
  )
  const display = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  context.after(() => end(display))
  const [number] = (await once(display.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer]
  const program = spawn(
    'thunderbird',
    ['--profile', profile, '--marionette', '--remote-allow-system-access', '--no-remote'],
    {
      env: { ...process.env, DISPLAY: `:${number.toString().trim()}`, HOME: profile },
      stdio: 'ignore',
      detached: true,
    },
  )
  context.after(() => end(program))
  const client = await Marionette.connect(port, patienceMs)
  context.after(() => client.close())
  return client
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  for (let left = 300; left > 0; left--) {
    if (await is()) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  assert.fail(`waited in vain for ${what}`)
}

/** Ends a program and what it has started. */
async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.pid === undefined) return
  const ended = once(program, 'exit')
  try {
    process.kill(program.spawnargs[0] === 'thunderbird' ? -program.pid : program.pid, 'SIGKILL')
  } catch {
    return
  }
  await ended
}
