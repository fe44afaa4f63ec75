import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { BlobHash } from '../../src/base/ids.ts'
import { checkStore } from '../../src/store/check.ts'
import { openStore } from '../../src/store/open-store.ts'
import { addAccount, mailboxId, temporaryFolder } from './fixture.ts'

const kills = 10

test('kill -9 loses nothing that was acknowledged, and no UID is given twice', async t => {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const account = await addAccount(first)
  const mailbox = await mailboxId(first, account, 'INBOX')
  await first.close()
  const acknowledged = new Map<number, string>()
  for (let run = 0; run < kills; run++) {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'appending-child.ts'),
      dataDir,
      String(account),
      String(mailbox),
      String(run),
    ])
    // A different moment each time, in acknowledgements rather than in milliseconds.
    const killAfter = 3 + run * 7
    let lines = 0
    const ended = new Promise(resolve => child.on('close', resolve))
    for await (const line of createInterface({ input: child.stdout })) {
      const [uid, hash] = line.split(' ')
      if (!uid || !hash || hash.length !== 64) continue
      assert.ok(!acknowledged.has(Number(uid)), `UID ${uid} was given twice`)
      acknowledged.set(Number(uid), hash)
      if (++lines === killAfter) child.kill('SIGKILL')
    }
    await ended
    assert.ok(lines >= killAfter, 'the child ended by itself')
  }
  assert.deepEqual(
    (await checkStore(dataDir)).findings.filter(finding => finding.severity === 'damage'),
    [],
  )
  const store = await openStore({ dataDir })
  const snapshot = await store.snapshot(account, mailbox)
  for (const [uid, hash] of acknowledged) {
    assert.ok(snapshot.positionOf(uid) >= 0, `UID ${uid} is lost`)
    assert.ok((await store.readBody(account, hash as BlobHash)).length > 0)
  }
  await store.close()
})
