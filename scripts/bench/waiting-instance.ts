/**
 * An instance that is awake, in a process of its own for `waiting`: it works on one mission whose model never answers, so
 * that heartbeat and control poll run. Prints what it and the server cost meanwhile. URLs in the environment.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { sweep } from '../../src/engine/sweep.ts'
import { createBenchEngine } from './bench-engine.ts'
import { watchServerCpu } from './server-cpu.ts'

/** Until what a start costs is over. */
const SETTLE_MS = 3_000
/** Ten control polls and two heartbeats; and one sweep, of which production has a third in this time. */
const WATCHED_MS = 20_000

const url = process.env['BENCH_DATABASE_URL'] ?? ''
const serverCpuMs = await watchServerCpu(process.env['BENCH_SUPER_URL'] ?? '')
const { engine, databases, missions, create } = createBenchEngine(url, { onStep: () => new Promise(() => undefined) })
const sweepOnce = () => sweep({ db: databases.engine, wakes: missions.wakes, telemetry: missions.telemetry }, 0)
await create(1)
void engine.runOne()
await sweepOnce()
await sleep(SETTLE_MS)
globalThis.gc?.()
const server = serverCpuMs()
const cpu = process.cpuUsage()
await sleep(WATCHED_MS / 2)
await sweepOnce()
await sleep(WATCHED_MS / 2)
const { user, system } = process.cpuUsage(cpu)
const seconds = WATCHED_MS / 1000
const costs = { cpuMs: (user + system) / 1000 / seconds, serverMs: (serverCpuMs() - server) / seconds }
globalThis.gc?.()
await sleep(500)
process.stdout.write(JSON.stringify({ ...costs, rss: process.memoryUsage.rss() / 2 ** 20 }), () => process.exit(0))
