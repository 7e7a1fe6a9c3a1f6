import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

type Info = { parent: number; state: string; commandLine: string }

/** Whether the process runs; one that has ended and waits for its parent (a zombie) counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  if (process.platform === 'win32') return true
  const info = processInfo(pid)
  return info !== undefined && !info.state.startsWith('Z')
}

/** Parent, state letter and full command line; undefined where there is no such process. Not for Windows. */
export function processInfo(pid: number): Info | undefined {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
  } catch {
    return undefined
  }
}

/** Slim container images have no `ps`, so Linux reads /proc (proc_pid_stat(5): the name in brackets may hold spaces). */
function fromProc(pid: number): Info {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  return { state, parent: Number(parent), commandLine }
}

function fromPs(pid: number): Info {
  const line = execFileSync('ps', ['-ww', '-o', 'ppid=,stat=,args=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  const [, parent, state = '', commandLine = ''] = /^(\d+)\s+(\S+)\s+(.*)$/s.exec(line) ?? []
  return { state, parent: Number(parent), commandLine }
}
