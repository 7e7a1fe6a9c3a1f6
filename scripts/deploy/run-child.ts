import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Command } from './commands/command.ts'
import { spawnForm } from './spawn-form.ts'

export interface Surroundings {
  env: NodeJS.ProcessEnv
  cwd: string
  platform: NodeJS.Platform
  /** Where what people read while it runs goes. */
  show: (text: string) => void
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  /** It was ended at the command's limit. */
  timedOut: boolean
}

/** Runs a command to its end, or to its limit. Rejects where it can't be started. */
export async function runChild(command: Command, { env, cwd, platform, show }: Surroundings): Promise<Ended> {
  const { file, args, ...form } = spawnForm(command.program, command.args, platform)
  // The Azure CLI is a script around the program that works, so its whole group has to end.
  const detached = command.limitMs !== undefined && platform !== 'win32'
  const child = spawn(file, args, {
    ...form,
    env: { ...env, ...command.env },
    cwd,
    detached,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const limit = command.limitMs === undefined ? undefined : endAt(child, command.limitMs, platform)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk)
    if (command.shown === true) show(chunk.toString())
  })
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    const timedOut = limit?.isReached() ?? false
    return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), timedOut }
  } finally {
    limit?.clear()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ends a process and all that it started when its time is over; and with this one, whose terminal does not reach another group. */
function endAt(child: ChildProcess, ms: number, platform: NodeJS.Platform) {
  let reached = false
  const timer = setTimeout(() => {
    reached = true
    endTree(child, platform)
  }, ms)
  const onSignal = (signal: NodeJS.Signals) => {
    endTree(child, platform)
    clear()
    process.kill(process.pid, signal)
  }
  const clear = () => {
    clearTimeout(timer)
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return { isReached: () => reached, clear }
}

function endTree({ pid }: ChildProcess, platform: NodeJS.Platform): void {
  if (pid === undefined) return
  if (platform === 'win32') return void spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' })
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
