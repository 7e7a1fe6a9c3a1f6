import { join } from 'node:path'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Clock } from '../../src/engine/ports.ts'
import type { Context } from '../backup/context.ts'
import { createLog } from './deploy-log.ts'
import { environmentOf, type Shape } from './environments.ts'
import type { Options } from './options.ts'
import { buildPackage } from './package/build-package.ts'
import { createRunner } from './run-command.ts'
import { createNotes } from './running-commands.ts'
import type { Session } from './session.ts'
import { FIRST_REGION } from './settle-region.ts'

/** All that the commands take from the process around them; tests bring a clock and a small package of their own. */
export interface DeployContext extends Context {
  clock?: Clock
  platform?: NodeJS.Platform
  build?: Session['build']
  /** Aborted where nobody reads the output any more. */
  readerGone?: AbortSignal
}

/** One run of a command: its log, and how it runs programs. Nothing is started or written yet. */
export function openSession(command: string, shape: Shape, options: Options, context: DeployContext): Session {
  const { terminal, cwd, env, clock = systemClock, platform = process.platform, build = buildPackage } = context
  const now = () => new Date()
  const time = now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
  const { name, location = FIRST_REGION } = options
  const environment = environmentOf(shape, { name, location, time: time.replaceAll(/\D/g, '') })
  // Standard output is one JSON value with --json, and a list where a list is asked for.
  const isAnswer = options.json === true || command === 'deployments'
  const readerGone = context.readerGone ?? new AbortController().signal
  const tell = (line: string) => void (readerGone.aborted || (isAnswer ? terminal.note(line) : terminal.print([line])))
  const logFile = join(cwd, '.taskforce', `${command}-${environment.name}-${time}.log`)
  const log = createLog(logFile, cwd, tell, now)
  const note = createNotes(logFile, log.say)
  // The parameter files read it.
  const children = { ...env, TASKFORCE_ENVIRONMENT_NAME: environment.name }
  const stopping = new AbortController()
  const stop = stopping.signal
  const run = createRunner({
    env: children,
    cwd,
    platform,
    clock,
    log,
    stop,
    note,
    show: (text) => tell(text.trimEnd()),
  })
  const packages = join(cwd, '.taskforce', 'packages')
  return {
    environment,
    options,
    run,
    clock,
    now,
    log,
    terminal,
    env,
    cwd,
    packages,
    build,
    stopping,
    readerGone,
    stage: 'preflight',
  }
}
