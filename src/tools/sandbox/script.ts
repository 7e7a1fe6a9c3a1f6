/** What a sandbox thread is given, as one string of JSON. */
export interface Script {
  code: string
  /** Text of each file that the code may read as `files[name]`. */
  files: Record<string, string>
  /** Milliseconds that the code may run, from its first line until its result is written. */
  deadlineMs: number
}

/** How a script ended. All texts are the script's own and are not to be trusted. */
export type Ending =
  /** `result` is JSON; `note` says how it differs from what the code gave. */
  | { kind: 'done'; result: string; note?: string }
  /** `result`: the code ran, but its result can't be written as JSON. */
  | { kind: 'failed'; stage: 'script' | 'result'; error: string; stack: string }
  | { kind: 'timeout' }
  | { kind: 'out_of_memory' }
  /** It waits for a promise that nothing settles. */
  | { kind: 'unsettled' }

/** What a sandbox thread answers, as one string of JSON. */
export type Outcome = Ending & { logs: string[] }

/** The script's name in stack traces. */
export const SCRIPT = 'script.js'
/** Most bytes of the result's JSON. With the logs it stays below the tool's 64 KiB, and 4 KiB are left for the frame. */
export const RESULT_BYTES = 49_152
export const LOG_BYTES = 12_288
/** Most characters of one line of the logs, and of an error or a stack. */
export const LINE_CHARS = 1000
/** Most characters of what QuickJS hands out at the end: a result in quotes again may have twice its length. */
export const ANSWER_CHARS = 4 * RESULT_BYTES
