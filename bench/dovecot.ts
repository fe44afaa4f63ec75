// Debian's Dovecot 2.3 at its best, as a child process with everything of it in one temporary folder.
// Its processes are reused (service_count), its limits are out of the way, mail is synced and flags are not (mail_fsync=optimized).
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  accepting,
  accountCount,
  type Durability,
  ended,
  endWithUs,
  freePorts,
  password,
  type Ports,
  type Server,
  temporaryFolder,
  user,
} from './server.ts'

const binary = '/usr/sbin/dovecot'

/** Why Dovecot can't be run here, or undefined where it can. */
export function dovecotMissing(): string | undefined {
  if (!existsSync(binary)) return 'apt-get install dovecot-imapd dovecot-pop3d dovecot-lmtpd'
  if (process.getuid?.() !== 0) return 'Dovecot has to be started as root'
  return undefined
}

/** Starts Dovecot with the accounts of server.ts. */
export async function startDovecot(accounts = accountCount): Promise<Server> {
  const missing = dovecotMissing()
  if (missing !== undefined) throw new Error(missing)
  const folder = temporaryFolder('bench-dovecot')
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0, lmtp = 0] = await freePorts(5)
  const ports = { imap, imaps, pop3, pop3s, lmtp }
  furnish(folder, accounts)
  writeConfiguration(folder, ports, 'mail')
  let child = await launch(folder, ports)
  return {
    name: 'Dovecot',
    version: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim(),
    settings,
    ports,
    get pids() {
      return [child.pid ?? 0]
    },
    async restart(durability = 'mail') {
      await terminate(child)
      writeConfiguration(folder, ports, durability)
      child = await launch(folder, ports)
    },
    async stop() {
      await terminate(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const settings = [
  'sdbox, mail_fsync=optimized (mail is synced before it is acknowledged, flags are not)',
  'service imap and pop3 { service_count = 1000 }, imap-login and pop3-login { service_count = 0, process_min_avail = 2 }',
  'limits for 5,000 connections; passwd-file with {PLAIN} and auth_cache; plain text allowed on loopback; TLS with a P-256 certificate',
  'no full-text search plugin (Debian has none for it without Solr)',
]

async function launch(folder: string, ports: Ports): Promise<ChildProcess> {
  const child = spawn(binary, ['-F', '-c', join(folder, 'dovecot.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  endWithUs(child)
  await Promise.all(Object.values(ports).map(port => accepting(port, child)))
  return child
}

async function terminate(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended(child)
}

/** What does not change: the users, the certificate, and the folder for their mail. */
function furnish(folder: string, accounts: number): void {
  const [uid, gid] = idsOf('nobody')
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'mail'))
  chownSync(join(folder, 'mail'), uid, gid)
  makeCertificate(folder)
  const lines = Array.from({ length: accounts }, (_, number) => `${user(number)}:{PLAIN}${password}::::::\n`)
  writeFileSync(join(folder, 'users'), lines.join(''), { mode: 0o644 })
}

function writeConfiguration(folder: string, ports: Ports, durability: Durability): void {
  const [uid, gid] = idsOf('nobody')
  writeFileSync(
    join(folder, 'dovecot.conf'),
    `
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = ${folder.split('/').at(-1)}
log_path = ${folder}/log
info_log_path = /dev/null
protocols = imap pop3 lmtp
listen = 127.0.0.1
disable_plaintext_auth = no
ssl = yes
ssl_cert = <${folder}/certificate.pem
ssl_key = <${folder}/key.pem
ssl_min_protocol = TLSv1.2
mail_location = sdbox:~/sdbox
mail_home = ${folder}/mail/%u
mail_uid = ${uid}
mail_gid = ${gid}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = ${durability === 'strict' ? 'always' : 'optimized'}
mail_max_userip_connections = 10000
default_process_limit = 5000
default_client_limit = 20000
default_vsz_limit = 2G
postmaster_address = postmaster@bench.test
hostname = bench.test
auth_mechanisms = plain login
auth_cache_size = 10M
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${folder}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
}
protocol imap {
  mail_max_userip_connections = 10000
}
protocol pop3 {
  mail_max_userip_connections = 10000
}
service imap-login {
  service_count = 0
  process_min_avail = 2
  process_limit = 4
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service pop3-login {
  service_count = 0
  process_min_avail = 2
  process_limit = 4
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = ${ports.pop3s}
    ssl = yes
  }
}
service imap {
  service_count = 1000
  process_limit = 5000
}
service pop3 {
  service_count = 1000
  process_limit = 5000
}
service lmtp {
  process_limit = 200
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${ports.lmtp}
  }
}
service stats {
  client_limit = 20000
}
`,
  )
}

function makeCertificate(folder: string): void {
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost -keyout ${folder}/key.pem -out ${folder}/certificate.pem`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  )
}

function idsOf(name: string): [uid: number, gid: number] {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return [id('-u'), id('-g')]
}
