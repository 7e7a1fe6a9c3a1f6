import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { lineOf, type Command } from './commands/command.ts'
import { endTree } from './end-tree.ts'
import type { NoteCommand } from './running-commands.ts'
import { spawnForm } from './spawn-form.ts'

export interface Surroundings {
  env: NodeJS.ProcessEnv
  cwd: string
  platform: NodeJS.Platform
  /** Ends what runs; but not a command that clears up. */
  stop: AbortSignal
  /** Where what people read while it runs goes. */
  show: (text: string) => void
  /** Tells a later run what runs, should this one be killed. */
  note?: NoteCommand
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  /** It was ended at the command's limit. */
  timedOut: boolean
}

/** Runs a command to its end, or to its limit. Rejects where it can't be started. */
export async function runChild(command: Command, surroundings: Surroundings): Promise<Ended> {
  const { env, cwd, platform, stop, show, note } = surroundings
  const { file, args, ...form } = spawnForm(command.program, command.args, platform)
  // The Azure CLI is a script around the program that works, so its whole group has to end; and Ctrl-C of a terminal, which reaches
  // whole groups, is this process's to pass on.
  const detached = platform !== 'win32'
  const child = spawn(file, args, {
    ...form,
    env: { ...env, ...command.env },
    cwd,
    detached,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = child.pid === undefined ? undefined : note?.(child.pid, lineOf(command))
  const ending = endInTime(child, command, { platform, stop })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk)
    if (command.shown === true) show(chunk.toString())
  })
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    const timedOut = ending.isLate()
    return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), timedOut }
  } finally {
    ending.clear()
    ended?.()
  }
}

/** Ends a process and all that it started when its time is over, or this run is to end. */
function endInTime(
  child: ChildProcess,
  { limitMs, clearsUp }: Command,
  { platform, stop }: Pick<Surroundings, 'platform' | 'stop'>,
) {
  let late = false
  const end = () => child.pid !== undefined && endTree(child.pid, platform)
  const onStop = () => void end()
  const onLate = () => {
    late = true
    end()
  }
  const timer = limitMs === undefined ? undefined : setTimeout(onLate, limitMs)
  if (clearsUp !== true) stop.addEventListener('abort', onStop, { once: true })
  const clear = () => {
    clearTimeout(timer)
    stop.removeEventListener('abort', onStop)
  }
  return { isLate: () => late, clear }
}
