import type { Clock } from '../../src/engine/ports.ts'
import { duration } from '../mission/text.ts'
import type { Terminal } from '../mission/terminal.ts'
import type { DeployLog } from './deploy-log.ts'
import type { Environment } from './environments.ts'
import type { Options } from './options.ts'
import type { Package, Source } from './package/build-package.ts'
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
  /** Aborted with TerminalError `interrupted` when somebody wants this run to end. */
  stopping: AbortController
  /** The stage that runs, or ran last. */
  stage: Stage
}

/** Runs one stage, with a line when it begins and one with its duration when it is done. */
export async function inStage<T>(session: Session, stage: Stage, work: () => Promise<T>): Promise<T> {
  const { clock, log } = session
  session.stage = stage
  session.stopping.signal.throwIfAborted()
  const begun = clock.monotonic()
  log.write(`== ${stage}`)
  const result = await work()
  log.say(`✔ ${stage.padEnd(15)} ${duration(clock.monotonic() - begun)}`)
  return result
}
