import { basename } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { isAlive, processInfo } from './process-info.ts'
import { guardScript } from './spawn-guarded.ts'

type Leftover = {
  pid: number
  /** What the process's command line must hold, so that a number given to another program since is not taken for it. */
  marks: string[]
  stopSignal: NodeJS.Signals
  /** For messages: "Postgres". */
  name: string
  folder: string
  log: (line: string) => void
}

/** A guard ends its program within 3 s of its parent's death; 6 s leave it time on a busy machine. */
const GUARD_ENDS_MS = 6000
const ENDS_AFTER_SIGNAL_MS = 20_000

/**
 * Ends a program that an earlier run left on `folder`: waits for a guard that is just doing that, else sends the
 * program its gentle signal, then SIGKILL. Does nothing where the process is gone or another program. Throws
 * TerminalError `data_in_use` where a running Taskforce still uses it.
 */
export async function endLeftover({ pid, marks, stopSignal, name, folder, log }: Leftover): Promise<void> {
  const runs = () => isAlive(pid) && marks.every((mark) => processInfo(pid)?.commandLine.includes(mark))
  if (!runs()) return
  if (isGuarded(pid)) await until(() => !runs() || !isGuarded(pid), GUARD_ENDS_MS)
  if (runs() && isGuarded(pid))
    throw new TerminalError(
      'data_in_use',
      `The data folder ${folder} is in use by another running Taskforce (${name}, process ${pid}): stop that one or choose another data folder.`,
    )
  if (!runs()) return
  log(`stopping the ${name} (process ${pid}) that an earlier run left behind`)
  process.kill(pid, stopSignal)
  await until(() => !runs(), ENDS_AFTER_SIGNAL_MS)
  if (runs()) process.kill(pid, 'SIGKILL')
  await until(() => !runs(), ENDS_AFTER_SIGNAL_MS)
}

function isGuarded(pid: number): boolean {
  const parent = processInfo(pid)?.parent
  return Boolean(parent && processInfo(parent)?.commandLine.includes(basename(guardScript)))
}

async function until(condition: () => boolean, limitMs: number) {
  for (let waited = 0; waited < limitMs && !condition(); waited += 50) await new Promise((wake) => setTimeout(wake, 50))
}
