// Becoming an ordinary user once the ports are open. POSIX setuid(2), setgid(2); glibc changes all threads of the process.
import { chownSync, readdirSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface ServerUser {
  readonly user: string
  readonly group: string | undefined
}

/** Gives the data folder to the user and becomes him. Throws an Error that says what to do. */
export function dropPrivileges({ user, group }: ServerUser, dataDir: string): void {
  if (process.getuid === undefined || process.setuid === undefined) {
    throw new Error('this system has no users to become: remove `user` from the configuration')
  }
  const ids = findIds(user, group)
  if (process.getuid() === ids.uid) return
  if (process.getuid() !== 0)
    throw new Error(`only root can become ${user}: start the server as root, or as ${user}`)
  chownTree(dataDir, ids.uid, ids.gid)
  process.setgroups?.([ids.gid])
  process.setgid?.(ids.gid)
  process.setuid(ids.uid)
  if (process.getuid() === 0 || canBecomeRoot())
    throw new Error('the privileges of root could not be given up')
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0)
    return true
  } catch {
    return false
  }
}

function findIds(user: string, group: string | undefined): { uid: number; gid: number } {
  return {
    uid: idOf(['-u', user], user),
    gid: group === undefined ? idOf(['-g', user], user) : groupId(group),
  }
}

function idOf(args: readonly string[], user: string): number {
  try {
    return Number(execFileSync('id', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch (error) {
    throw new Error(`there is no user ${user}: create one with  useradd --system ${user}`, { cause: error })
  }
}

function groupId(group: string): number {
  try {
    return Number(execFileSync('getent', ['group', group], { encoding: 'utf8' }).split(':')[2])
  } catch (error) {
    throw new Error(`there is no group ${group}: create one with  groupadd --system ${group}`, {
      cause: error,
    })
  }
}

/** The folder and all in it. Links are changed themselves, not what they lead to. */
function chownTree(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) chownTree(child, uid, gid)
    else if (entry.isFile()) chownSync(child, uid, gid)
  }
}
