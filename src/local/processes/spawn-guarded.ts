import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { TerminalError } from '../../domain/errors.ts'
import { isAlive } from './process-info.ts'

export type Program = {
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** Switches the program's user; needs root. */
  uid?: number
  gid?: number
  /** The gentle signal; SIGTERM by default. */
  stopSignal?: NodeJS.Signals
  /** Milliseconds between the gentle signal and SIGKILL in an orderly `stop()`; 20,000 by default. */
  stopGraceMs?: number
}

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type GuardedProcess = {
  pid: number
  exited: Promise<Exit>
  /** Gentle signal, then SIGKILL after the grace time; resolves when the program is gone. */
  stop: () => Promise<void>
  /** SIGKILL of the program itself; resolves when it is gone. */
  kill: () => Promise<void>
}

export type GuardOrder = { kind: 'run'; program: Program } | { kind: 'stop' }
export type GuardReport =
  { kind: 'started'; pid: number } | { kind: 'failed'; message: string } | { kind: 'exited'; exit: Exit }

export const guardScript = fileURLToPath(new URL('./guard.ts', import.meta.url))

/**
 * Starts a program that ends within 5 s of this process's death, `kill -9` included, and that a Ctrl-C in the terminal
 * does not reach. Each line of its output goes to `log`. Throws TerminalError `program_not_started` where the system
 * cannot run the command.
 */
export async function spawnGuarded(program: Program & { log: (line: string) => void }): Promise<GuardedProcess> {
  const { log, ...order } = program
  const guard = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', guardScript], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A session of its own: the terminal sends SIGINT to every process of the parent's group.
    detached: true,
    windowsHide: true,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  for (const stream of [guard.stdout, guard.stderr]) if (stream) createInterface({ input: stream }).on('line', log)
  const reported = reportedExit(guard)
  const pid = await start(guard, order)
  let gone = false
  const exited = reported
    .then((exit) => exit ?? endUnguarded(pid, order.stopSignal ?? 'SIGTERM'))
    .finally(() => (gone = true))
  return {
    pid,
    exited,
    stop: async () => {
      if (guard.connected) tell(guard, { kind: 'stop' })
      await exited
    },
    kill: async () => {
      if (!gone) signalIfAlive(pid, 'SIGKILL')
      await exited
    },
  }
}

function start(guard: ChildProcess, program: Program): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new TerminalError('program_not_started', `Could not start ${program.command}: ${why}.`))
    guard.once('error', (error) => fail(error.message))
    guard.once('exit', () => fail('its guard process ended early'))
    guard.on('message', (report: GuardReport) => {
      if (report.kind === 'started') resolve(report.pid)
      if (report.kind === 'failed') fail(report.message)
    })
    tell(guard, { kind: 'run', program })
  })
}

/** Listens before the start is asked for: a program may have ended by the time that its start is seen. */
function reportedExit(guard: ChildProcess): Promise<Exit | undefined> {
  return new Promise((resolve) => {
    let exit: Exit | undefined
    guard.on('message', (report: GuardReport) => {
      if (report.kind === 'exited') exit = report.exit
    })
    // 'close' comes after the last line of output, so callers can read the reason in their log.
    guard.once('close', () => resolve(exit))
  })
}

/** The guard itself was killed: this process does its work. */
async function endUnguarded(pid: number, stopSignal: NodeJS.Signals): Promise<Exit> {
  signalIfAlive(pid, stopSignal)
  for (let waited = 0; waited < 3000 && isAlive(pid); waited += 50) await new Promise((wake) => setTimeout(wake, 50))
  if (!isAlive(pid)) return { code: null, signal: stopSignal }
  signalIfAlive(pid, 'SIGKILL')
  return { code: null, signal: 'SIGKILL' }
}

function tell(guard: ChildProcess, order: GuardOrder) {
  // A guard that is just ending closes the channel first; its exit is reported by 'close'.
  guard.send(order, () => undefined)
}

function signalIfAlive(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
