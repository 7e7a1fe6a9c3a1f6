import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/engine/ports.ts'
import { lineOf, type Command } from './commands.ts'
import type { DeployLog } from './deploy-log.ts'
import { spawnForm } from './spawn-form.ts'

/** Runs a command and answers its standard output. Throws TerminalError `command_failed`, `program_missing`. */
export type RunCommand = (command: Command) => Promise<string>

export interface RunnerOptions {
  env: NodeJS.ProcessEnv
  cwd: string
  platform: NodeJS.Platform
  clock: Clock
  log: DeployLog
  /** Where what people read while it runs goes. */
  show: (text: string) => void
}

/** Role assignments take up to ten minutes to be known everywhere; most take one. */
const WAITS_MS = [10_000, 20_000, 30_000, 60_000, 60_000, 60_000, 60_000]

const NOT_YET =
  /\b(403|503)\b|Forbidden|AuthorizationFailed|AuthorizationPermissionMismatch|ServiceUnavailable|does not have .*permission/i

/** Runs commands one after another; each is a line of the log, with its output where that is no secret. */
export function createRunner(options: RunnerOptions): RunCommand {
  const { clock, log } = options
  return async (command) => {
    const waits = command.patient === true ? [...WAITS_MS] : []
    for (;;) {
      const { code, stdout, stderr } = await runOnce(command, options)
      log.write(`$ ${lineOf(command)}`, `exit ${code}`, command.secret === true ? '(not shown)' : stdout, stderr)
      if (code === 0) return stdout
      const wait = NOT_YET.test(stderr) ? waits.shift() : undefined
      if (wait === undefined) throw failed(command, code, stderr)
      log.say(`Azure refuses still, as it does for minutes after a role was given: once more in ${wait / 1000} s.`)
      await clock.sleep(wait)
    }
  }
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

async function runOnce(command: Command, { env, cwd, platform, show }: RunnerOptions): Promise<Ended> {
  const { file, args, ...form } = spawnForm(command.program, command.args, platform)
  const child = spawn(file, args, { ...form, env: { ...env, ...command.env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk)
    if (command.shown === true) show(chunk.toString())
  })
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    throw missing(command, cause)
  })) as [number | null]
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

function missing({ program }: Command, cause: unknown): TerminalError {
  const hint =
    program === 'az'
      ? 'Install the Azure CLI (https://aka.ms/azure-cli), then: az login'
      : 'Install git, and run this in a clone.'
  return new TerminalError('program_missing', `${program} can't be started.`, { hint, cause })
}

/** The last lines say why; those of a secret's command are kept away too. */
function failed(command: Command, code: number | null, stderr: string): TerminalError {
  const why = command.secret === true ? '' : `: ${stderr.trim().split('\n').slice(-8).join('\n')}`
  const hint = NOT_YET.test(stderr)
    ? 'Azure refuses this: a role is missing, or this machine is outside the virtual network.'
    : undefined
  return new TerminalError('command_failed', `${lineOf(command)} ended with ${code}${why}`, { hint })
}
