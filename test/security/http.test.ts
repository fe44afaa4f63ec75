// Cross-protocol attacks: a browser is made to send a request to a mail port (ALPACA; Jochen Topf's form attack). The connection ends, nothing of the
// request is answered with, and nothing in its body is run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import { goesOn, protocols, startAll } from './all-protocols.ts'

const canary = 'c4n4ry'
const requests = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'].map(
  verb =>
    `${verb} /<script>${canary}</script> HTTP/1.1\r\nHost: ${canary}\r\nContent-Type: text/plain\r\n\r\n` +
    `a LOGIN ann "correct horse"\r\nb CREATE ${canary}\r\nUSER ann\r\nPASS correct horse\r\n` +
    `EHLO ${canary}\r\nLHLO ${canary}\r\nMAIL FROM:<${canary}@example.com>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n${canary}\r\n.\r\nQUIT\r\n`,
)
requests.push(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${canary}\r\n`)

for (const protocol of protocols) {
  test(`${protocol}: an HTTP request ends the connection, and nothing of it is run or answered with`, async t => {
    const servers = await startAll(t)
    const other = await servers.enter(protocol, 'bob')
    for (const request of requests) {
      const peer = await servers.connect(protocol)
      peer.send(request)
      const heard = await peer.rest()
      assert.doesNotMatch(heard, new RegExp(canary), request.slice(0, 8))
      assert.doesNotMatch(heard, /^(?:[ab] OK|\+OK|250|235)/m, request.slice(0, 8))
    }
    await goesOn(other, protocol)
    assert.equal(await findMailbox(servers.store.reader, servers.ann, canary), undefined)
    const inbox = await findMailbox(servers.store.reader, servers.ann, 'INBOX')
    assert.equal((await servers.store.snapshot(servers.ann, inbox?.id as never)).count, 0)
  })
}
