import { readdirSync, readFileSync } from 'node:fs'
import { withClient } from './database.ts'

/**
 * A function that tells the milliseconds of CPU that the server has used so far: its postmaster and its living children,
 * from the scheduler. The ticks in /proc/PID/stat are 10 ms, which is what a quiet server uses in seconds.
 */
export async function watchServerCpu(superUrl: string): Promise<() => number> {
  const postmaster = await postmasterPid(superUrl)
  return () => {
    let nanoseconds = 0
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry)
      if (pid === postmaster || parentOf(pid) === postmaster) nanoseconds += cpuOf(pid)
    }
    return nanoseconds / 1e6
  }
}

/** While a session of it is open: nobody is the parent of a backend that has ended. */
function postmasterPid(superUrl: string): Promise<number> {
  return withClient(superUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return parentOf(rows[0]?.pid ?? NaN) ?? NaN
  })
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
