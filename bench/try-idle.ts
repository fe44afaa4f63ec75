import { ImapClient } from './imap-client.ts'
import { pssBytes } from './process-tree.ts'
import { startRestante } from './restante.ts'
import { password, user, exitOnSignals } from './server.ts'
exitOnSignals()
const server = await startRestante(20)
try {
  const open = async (count: number) => {
    const clients: ImapClient[] = []
    for (let at = 0; at < count; at++) {
      const client = await ImapClient.login({ port: server.ports.imap, tls: false }, user(at % 20), password)
      await client.run('SELECT INBOX')
      await client.idle()
      clients.push(client)
    }
    return clients
  }
  const warm = await open(50)
  await new Promise(r => setTimeout(r, 30000))
  const before = pssBytes(server.pid)
  console.log('before', before / 1e6)
  const t0 = Date.now()
  const clients = await open(1000)
  for (let i = 0; i < 16; i++) {
    console.log(
      ((Date.now() - t0) / 1000).toFixed(0),
      ((pssBytes(server.pid) - before) / 1000 / 1024).toFixed(1),
      'KB each',
    )
    await new Promise(r => setTimeout(r, 5000))
  }
  for (const c of [...warm, ...clients]) c.destroy()
  await new Promise(r => setTimeout(r, 3000))
  console.log('after close', (pssBytes(server.pid) / 1e6).toFixed(0))
} finally {
  await server.stop()
}
