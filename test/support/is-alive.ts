import { readFile } from 'node:fs/promises'

/** Whether a process runs; one that ended and was not waited for yet is none. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat !== undefined) return !/\) Z/.test(stat)
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
