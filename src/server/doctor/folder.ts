// The data folder: whose it is, the room, and how long the disk takes to have something.
import { constants } from 'node:fs'
import { access, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type DoctorItem, item, judge, reasonOf } from './item.ts'

const gibibyte = 2 ** 30
/** Of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  0x01021994: 'tmpfs',
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0x65735546: 'FUSE',
}
const syncs = 10

export async function examineFolder(dataDir: string): Promise<readonly DoctorItem[]> {
  const found = await stat(dataDir).catch(() => undefined)
  if (!found?.isDirectory()) {
    const facts = {
      expected: 'a folder',
      actual: `${dataDir} is none`,
      fix: 'start the server once, or name the folder with --data or dataDir',
    }
    return [item('folder', 'fail', facts)]
  }
  return [
    item('folder', 'ok', { expected: 'a folder', actual: dataDir, fix: '' }),
    await examineAccess(dataDir, found.mode),
    await examineRoom(dataDir),
    await examineFileSystem(dataDir),
    await examineSync(dataDir),
  ]
}

async function examineAccess(dataDir: string, mode: number): Promise<DoctorItem> {
  const bits = mode & 0o777
  const canWrite = await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  // Windows has no such bits.
  const isOpen = process.platform !== 'win32' && (bits & 0o077) !== 0
  return item('folder-access', canWrite && !isOpen ? 'ok' : 'fail', {
    expected: 'its owner alone reads and writes it (0700)',
    actual: `0${bits.toString(8)}${canWrite ? '' : ', and this user cannot write it'}`,
    fix: `chmod 700 ${dataDir}, and chown it to the user that the server runs as`,
  })
}

async function examineRoom(dataDir: string): Promise<DoctorItem> {
  const { bavail, bsize, blocks } = await statfs(dataDir)
  const free = bavail * bsize
  const share = blocks === 0 ? 0 : bavail / blocks
  const isScarce = free < gibibyte || share < 0.02
  const status = isScarce ? 'fail' : share < 0.1 ? 'warn' : 'ok'
  return item('disk-room', status, {
    expected: `a tenth of the disk is free, and ${toGib(gibibyte)} at least`,
    actual: `${toGib(free)} (${Math.round(share * 100)} %)`,
    fix: 'make room, or move dataDir to a larger disk: a full disk refuses mail',
  })
}

async function examineFileSystem(dataDir: string): Promise<DoctorItem> {
  const { type } = await statfs(dataDir)
  const name = fileSystems[type >>> 0]
  return item('file-system', name === undefined ? 'ok' : name === 'FUSE' ? 'warn' : 'fail', {
    expected: 'a disk of this machine',
    actual: name ?? 'a local file system',
    fix: 'put dataDir on a local disk: others lose what they promised, or cannot share memory as the store needs',
  })
}

async function examineSync(dataDir: string): Promise<DoctorItem> {
  const path = join(dataDir, `doctor-${process.pid}`)
  const times: number[] = []
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      for (let at = 0; at < syncs; at++) {
        await file.write(Buffer.alloc(4096), 0, 4096, at * 4096)
        const startMs = performance.now()
        await file.datasync()
        times.push(performance.now() - startMs)
      }
    } finally {
      await file.close()
      await rm(path, { force: true })
    }
  } catch (error) {
    return item('disk-sync', 'fail', {
      expected: 'a file can be written and synced',
      actual: reasonOf(error),
      fix: 'see the two lines above, and the log of the machine',
    })
  }
  const median = times.toSorted((a, b) => a - b)[syncs >> 1] ?? 0
  return item('disk-sync', judge(median, 20, 200), {
    expected: 'fdatasync within 20 ms',
    actual: `${median.toFixed(2)} ms`,
    fix: 'use a faster disk, or find what keeps this one busy: each commit waits for it',
  })
}

function toGib(bytes: number): string {
  return `${(bytes / gibibyte).toFixed(1)} GiB`
}
