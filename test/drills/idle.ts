// How soon the server is ready and how much memory it has while nobody asks anything of it: at most 1 s and 200 MB.
// node test/drills/idle.ts [--count STARTS] [--fault tight]
import { rssBytes } from '../../bench/process-tree.ts'
import { addAccounts, remove, serve, terminate } from '../../bench/restante.ts'
import { password, temporaryFolder, user } from '../../bench/server.ts'
import { median } from '../../bench/statistics.ts'
import { Drill } from './drill.ts'

const drill = new Drill('idle', { count: 5, faults: ['tight'] })
const maxReadyMs = drill.fault === 'tight' ? 1 : 1000
const maxRssMegabytes = drill.fault === 'tight' ? 1 : 200

const folder = temporaryFolder('drill-idle')
const readyMs: number[] = []
const rss: number[] = []
try {
  await addAccounts(folder, `${user(0)}:${password}\n`)
  // The first start fills Node's compile cache; it is what every later start has.
  await terminate((await serve(folder)).child)
  for (let start = 0; start < drill.count; start++) {
    const serving = await serve(folder)
    await new Promise(resolve => setTimeout(resolve, 3000))
    readyMs.push(serving.readyMs)
    rss.push(rssBytes([serving.child.pid ?? 0]) / 2 ** 20)
    drill.say(`ready after ${serving.readyMs.toFixed(0)} ms, ${rss.at(-1)?.toFixed(0)} MB after 3 s`)
    await terminate(serving.child)
  }
} finally {
  remove(folder)
}
if (median(readyMs) > maxReadyMs) drill.violation(`ready after ${median(readyMs).toFixed(0)} ms`)
if (median(rss) > maxRssMegabytes) drill.violation(`${median(rss).toFixed(0)} MB while idle`)
drill.figure('ready, median of starts', `${median(readyMs).toFixed(0)} ms`)
drill.figure('resident memory, median', `${median(rss).toFixed(0)} MB`)
drill.finish()
