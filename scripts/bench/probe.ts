import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { withClient } from './database.ts'

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
  const postmaster = await postmasterPid(superUrl)
  const before = await databaseNow(superUrl, ownerUrl)
  const cpu = process.cpuUsage()
  const serverCpu = serverCpuMs(postmaster)
  const trips = roundTrips
  const begun = performance.now()
  await work()
  const ms = performance.now() - begun
  const mine = process.cpuUsage(cpu)
  const cpuMs = (mine.user + mine.system) / 1000 + serverCpuMs(postmaster) - serverCpu
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

/** While a session of it is open: nobody is the parent of a backend that has ended. */
function postmasterPid(superUrl: string): Promise<number> {
  return withClient(superUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return parentOf(rows[0]?.pid ?? NaN) ?? NaN
  })
}

/**
 * Milliseconds of CPU of the postmaster and its living children, from the scheduler: the ticks in /proc/PID/stat are 10 ms,
 * and 32 backends lose most of what they used to rounding.
 */
function serverCpuMs(postmaster: number): number {
  let nanoseconds = 0
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (pid === postmaster || parentOf(pid) === postmaster) nanoseconds += cpuOf(pid)
  }
  return nanoseconds / 1e6
}

function cpuOf(pid: number): number {
  return Number(read(`/proc/${pid}/schedstat`)?.split(' ')[0] ?? 0)
}

/** The second field behind the name, which is in brackets and may hold spaces. */
function parentOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
