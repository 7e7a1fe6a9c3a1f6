import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { endLeftover } from '../processes/end-leftover.ts'

/**
 * Ends a postmaster that an earlier run left on this cluster, and removes its lock file: after a `kill -9` the process
 * number in it may belong to another program by now, and Postgres would refuse to start.
 */
export async function clearLeftovers(clusterDir: string, log: (line: string) => void): Promise<void> {
  const lockFile = join(clusterDir, 'postmaster.pid')
  const pid = Number((await readFile(lockFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!pid) return
  const marks = ['postgres', `-D ${clusterDir} `]
  await endLeftover({ pid, marks, stopSignal: 'SIGINT', name: 'Postgres', folder: clusterDir, log })
  await rm(lockFile, { force: true })
}
