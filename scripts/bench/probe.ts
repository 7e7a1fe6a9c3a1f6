import pg from 'pg'
import { withClient } from './database.ts'
import { watchServerCpu } from './server-cpu.ts'

/** What a piece of work has cost, client and server together. */
export interface Cost {
  ms: number
  roundTrips: number
  walBytes: number
  rows: number
  /** Milliseconds of CPU of this process and of all of Postgres's; NaN where /proc is not there. */
  cpuMs: number
}

let roundTrips = 0

/** Every statement of this process goes through one method of the driver, whoever sends it. */
export function countRoundTrips(): void {
  // eslint-disable-next-line typescript/unbound-method
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    roundTrips++
    return query.apply(this, args)
  } as typeof pg.Client.prototype.query
}

export async function measure(superUrl: string, ownerUrl: string, work: () => Promise<void>): Promise<Cost> {
  const serverCpuMs = await watchServerCpu(superUrl)
  const before = await databaseNow(superUrl, ownerUrl)
  const cpu = process.cpuUsage()
  const serverCpu = serverCpuMs()
  const trips = roundTrips
  const begun = performance.now()
  await work()
  const ms = performance.now() - begun
  const mine = process.cpuUsage(cpu)
  const cpuMs = (mine.user + mine.system) / 1000 + serverCpuMs() - serverCpu
  const spent = roundTrips - trips
  const after = await databaseNow(superUrl, ownerUrl)
  return { ms, roundTrips: spent, walBytes: after.wal - before.wal, rows: after.rows - before.rows, cpuMs }
}

async function databaseNow(superUrl: string, ownerUrl: string): Promise<{ wal: number; rows: number }> {
  const wal = await withClient(superUrl, async (client) => {
    const { rows } = await client.query<{ at: string }>(`select pg_current_wal_lsn() - '0/0'::pg_lsn as at`)
    return Number(rows[0]?.at)
  })
  const rows = await withClient(ownerUrl, async (client) => {
    const { rows: counts } = await client.query<{ n: string }>(
      `select (select count(*) from taskforce.events) + (select count(*) from taskforce.missions) +
         (select count(*) from taskforce.profiles) + (select count(*) from taskforce.contents) as n`,
    )
    return Number(counts[0]?.n)
  })
  return { wal, rows }
}
