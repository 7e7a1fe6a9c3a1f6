import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process of this machine, told from a later one with the same number where the platform says when it was started. */
export interface ProcessMark {
  pid: number
  started?: string | undefined
}

export function markOf(pid: number): ProcessMark {
  return { pid, started: startOf(pid) }
}

/** Whether it lives still. One whose start is not known is taken to be the one that has its number now. */
export function isAlive({ pid, started }: ProcessMark): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Others' processes live too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return started === undefined || now === undefined || now === started
}

function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return startOnLinux(pid)
    if (process.platform === 'win32') return undefined
    // Whatever the shell's language and time zone: another shell has to read the same.
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env }).trim() || undefined
  } catch {
    return undefined
  }
}

/** Ticks since the machine was started, and which start of the machine that was. */
function startOnLinux(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // It has ended, and nobody has waited for it.
  if (fields[0] === 'Z') return 'ended'
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
}
