import { TerminalError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/engine/ports.ts'
import { lineOf, type Command } from './commands/command.ts'
import type { DeployLog } from './deploy-log.ts'
import { runChild, type Surroundings } from './run-child.ts'

/** Runs a command and answers its standard output. Throws TerminalError `command_failed`, `network_refused`, `permission_refused`, `command_timed_out`, `program_missing`, `interrupted`. */
export type RunCommand = (command: Command) => Promise<string>

export interface RunnerOptions extends Surroundings {
  clock: Clock
  log: DeployLog
}

/** Role assignments take up to ten minutes to be known everywhere; most take one. */
const WAITS_MS = [10_000, 20_000, 30_000, 60_000, 60_000, 60_000, 60_000]

const REFUSED =
  /\b403\b|Forbidden|AuthorizationFailed|AuthorizationPermissionMismatch|do(?:es)? not have .*permission|not authorized to perform/i

const BUSY = /\b503\b|ServiceUnavailable/i

/** A network that keeps this machine out does so however long one waits. */
const NETWORK =
  /blocked by network rules|ForbiddenBy(?:Firewall|Connection)|Ip Forbidden|Failed to resolve '?[\w.-]+\.(?:blob\.core\.windows|vault\.azure|azurewebsites)\.net/i

/** What cmd.exe says, which starts all the same. */
const NO_PROGRAM = /is not recognized as an internal or external command/

/** Runs commands one after another; each is a line of the log, with its output where that is no secret. */
export function createRunner(options: RunnerOptions): RunCommand {
  const { clock, log, stop } = options
  return async (command) => {
    const waits = command.patient === true && !stop.aborted ? [...WAITS_MS] : []
    const endIfStopped = () => (command.clearsUp === true ? undefined : stop.throwIfAborted())
    for (;;) {
      endIfStopped()
      const { code, stdout, stderr, timedOut } = await runChild(command, options).catch((cause: unknown) => {
        throw missing(command, cause)
      })
      log.write(`$ ${lineOf(command)}`, `exit ${code}`, command.secret === true ? '(not shown)' : stdout, stderr)
      endIfStopped()
      if (timedOut) throw late(command)
      if (code === 0) return stdout
      if (options.platform === 'win32' && NO_PROGRAM.test(stderr)) throw missing(command, stderr)
      const wait = mayPass(command, stderr) ? waits.shift() : undefined
      if (wait === undefined) throw failed(command, code, stderr)
      log.say(
        `Azure refuses still, as it does for minutes after a role was given or a package published: once more in ${wait / 1000} s.`,
      )
      await clock.sleep(wait, stop)
    }
  }
}

function mayPass({ notYet, asksOnce }: Command, stderr: string): boolean {
  if (NETWORK.test(stderr)) return false
  if (REFUSED.test(stderr)) return asksOnce !== true
  return BUSY.test(stderr) || notYet?.test(stderr) === true
}

function missing({ program }: Command, cause: unknown): TerminalError {
  const hint =
    program === 'az'
      ? 'Install the Azure CLI (https://aka.ms/azure-cli), then: az login'
      : 'Install git, and run this in a clone.'
  return new TerminalError('program_missing', `${program} can't be started.`, { hint, cause })
}

function late({ limitMs = 0, ...command }: Command): TerminalError {
  const words = `${lineOf(command)} did not end within ${limitMs / 60_000} minutes, and was ended.`
  return new TerminalError('command_timed_out', words, {
    hint: 'What it began may be done or not, or go on in Azure. Repeat; where that does not help, look at it in the portal and at https://status.azure.com.',
  })
}

/** The last lines say why. */
function failed(command: Command, code: number | null, stderr: string): TerminalError {
  const words = `${lineOf(command)} ended with ${code}: ${stderr.trim().split('\n').slice(-8).join('\n')}`
  if (NETWORK.test(stderr)) return new TerminalError('network_refused', words, { hint: OUTSIDE })
  if (REFUSED.test(stderr)) return new TerminalError('permission_refused', words, { hint: NO_RIGHT })
  return new TerminalError('command_failed', words)
}

const OUTSIDE =
  'This machine is outside the virtual network, or does not get its names (DNS): run the same command in it; or npm run deploy, without --skip-infra, with its address in ALLOWED_ADDRESSES.'

const NO_RIGHT = 'Azure refuses this: a role is missing, or this machine is outside the virtual network.'
