import type { Clock } from '../../src/engine/ports.ts'
import { duration } from '../mission/text.ts'
import type { Terminal } from '../mission/terminal.ts'
import type { DeployLog } from './deploy-log.ts'
import type { Environment } from './environments.ts'
import type { Options } from './options.ts'
import type { Package, Source } from './package/build-package.ts'
import type { DeploymentRecord } from './records.ts'
import type { RunCommand } from './run-command.ts'
import type { Stage } from './stages.ts'
import type { Target } from './target.ts'

/** One run of a command. */
export interface Session {
  environment: Environment
  options: Options
  run: RunCommand
  clock: Clock
  now: () => Date
  log: DeployLog
  terminal: Terminal
  env: NodeJS.ProcessEnv
  /** The clone. */
  cwd: string
  /** Where packages are built and fetched to. */
  packages: string
  build: (source: Source, folder: string) => Promise<Package>
  /** Of this run on the environment, while it has one. */
  lock?: { target: Target; id: string }
  /**
   * What this run did to the app's package, once it tried: with the SHA-256 of the last one that was published. `isInDoubt` while one is
   * sent, and where az failed then: the platform may have taken it all the same.
   */
  app?: { sha256?: string; isInDoubt?: true }
  /** The package that a rollback goes back to, once it is chosen. */
  goal?: DeploymentRecord
  /** Aborted with TerminalError `interrupted` when somebody wants this run to end. */
  stopping: AbortController
  /** Aborted where nobody reads the output any more. */
  readerGone: AbortSignal
  /** The stage that runs, or ran last. */
  stage: Stage
}

/** How often it is looked at whether a stage has something to say; the first line comes after that. */
export const LOOK_MS = 4_000
/** A log that CI keeps is read by people. */
const LINE_MS = 60_000

/** Runs one stage, with a line while it takes long, at most one a minute, and one with its duration when it is done. */
export async function inStage<T>(session: Session, stage: Stage, work: () => Promise<T>): Promise<T> {
  const { clock, log } = session
  session.stage = stage
  session.stopping.signal.throwIfAborted()
  const begun = clock.monotonic()
  log.write(`== ${stage}`)
  const ended = new AbortController()
  // A line that can't be said stops no stage.
  tellWhile(session, stage, ended.signal).catch((error: Error) =>
    log.write(`${stage} is not named any more: ${error.message}`),
  )
  try {
    const result = await work()
    log.say(`✔ ${stage.padEnd(15)} ${duration(clock.monotonic() - begun)}`)
    return result
  } finally {
    ended.abort()
  }
}

/** Says which stage runs, until it has ended. */
async function tellWhile({ clock, log }: Session, stage: Stage, ended: AbortSignal): Promise<void> {
  const begun = clock.monotonic()
  for (let due = LOOK_MS; ;) {
    await clock.sleep(LOOK_MS, ended)
    if (ended.aborted) return
    const passed = clock.monotonic() - begun
    if (passed < due) continue
    log.say(`… ${stage}${passed < LINE_MS ? '' : ` ${duration(passed)}`}`)
    due = passed + LINE_MS
  }
}
