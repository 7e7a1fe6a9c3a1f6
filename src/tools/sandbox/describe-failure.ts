import { TerminalError } from '../../domain/errors.ts'
import type { ScriptLimits } from './run-script.ts'
import { SCRIPT, type Outcome } from './script.ts'

type Failure = Exclude<Outcome, { kind: 'done' }>

/** Most frames of a stack that are shown; the first ones tell where. */
const FRAMES = 5
/** Most characters of the logs that an error ends with: the last ones tell how far the code came. */
const LOG_CHARS = 1000

/**
 * What a model is told about a script that gave no result, with what to do about it: `script_failed`, `script_timeout` or
 * `script_out_of_memory`.
 */
export function describeFailure(failure: Failure, { deadlineMs }: ScriptLimits): TerminalError {
  const fail = (code: string, message: string) => new TerminalError(code, message + lastLogs(failure.logs))
  if (failure.kind === 'timeout') {
    return fail(
      'script_timeout',
      `The code ran for more than ${deadlineMs / 1000} s and was stopped. Look for a loop that never ends, or do less work in one call.`,
    )
  }
  if (failure.kind === 'out_of_memory') {
    return fail(
      'script_out_of_memory',
      'The code used more than its 64 MiB of memory and was stopped. Keep less at a time: go through the text line by line, and keep sums instead of rows.',
    )
  }
  if (failure.kind === 'unsettled') {
    return fail(
      'script_failed',
      'The code waits for a promise that nothing settles: there are no timers and no events here. Call resolve in the code itself, or do without the promise.',
    )
  }
  return fail('script_failed', failure.stage === 'script' ? scriptError(failure) : resultError(failure.error))
}

function scriptError({ error, stack }: { error: string; stack: string }): string {
  const line = new RegExp(`\\b${SCRIPT.replace('.', '\\.')}:(\\d+)`).exec(stack)?.[1]
  const frames = stack.split('\n').filter((frame) => frame.includes(SCRIPT))
  return [`${error}${line === undefined ? '' : ` (line ${line})`}`, ...frames.slice(0, FRAMES), advice(error)].join(
    '\n',
  )
}

function advice(error: string): string {
  if (error.startsWith('SyntaxError: return not in a function')) {
    return 'The code is no function: write the value that you want back as the last line, without return.'
  }
  if (error.startsWith('SyntaxError:')) {
    return 'Correct the code and call the tool again. It is a script, not a module: import and export do not exist.'
  }
  if (/^ReferenceError: .*(is not defined|load module)/.test(error)) {
    return 'Only plain JavaScript exists here: no require, import, fetch, process or timers. Correct the code and call the tool again.'
  }
  return 'Correct the code and call the tool again.'
}

function resultError(error: string): string {
  return `The code ran, but its result can't be written as JSON: ${error}. Give back plain objects, arrays, strings and numbers.`
}

function lastLogs(logs: string[]): string {
  if (logs.length === 0) return ''
  return `\nIt had logged: ${logs.join('\n').slice(-LOG_CHARS)}`
}
