import { shellWord } from './shell-word.ts'
import type { Terminal } from './terminal.ts'

/** A local environment, as `src/local/environment.ts` starts it. */
export interface Environment {
  url: string
  stop(): Promise<void>
}

export type StartEnvironment = (options: {
  dataDir: string
  port: number
  log: (line: string) => void
}) => Promise<Environment>

/** All that a command takes from the process around it. */
export interface Context {
  env: NodeJS.ProcessEnv
  terminal: Terminal
  /** Aborts with the signal's name as its reason when the person wants out. */
  interrupt: AbortController
  startEnvironment: StartEnvironment
}

/** Options that every command has. */
export interface SharedOptions {
  url?: string
  key?: string
  data: string
  json?: boolean
}

/** Exit codes of the contracts page ("Commands"). */
export const exit = { done: 0, failed: 1, usage: 2, refused: 3, cancelled: 4, waiting: 5 } as const

/** 130 after SIGINT and 143 after SIGTERM, as shells have it: 128 and the signal's number. */
export function interruptedCode(context: Context): number {
  return context.interrupt.signal.reason === 'SIGTERM' ? 143 : 130
}

/** The command to paste for another step on a mission, with the options that say where the API is. */
export function commandFor(words: string[], options: SharedOptions): string {
  const where = options.url === undefined ? [] : ['--url', options.url]
  const data = options.data === '.taskforce' || options.url !== undefined ? [] : ['--data', options.data]
  // The key is a secret and stays out of what is printed.
  const key = options.key === undefined ? [] : ['--key', '…']
  return ['npm run mission --', ...[...words, ...where, ...data, ...key].map(shellWord)].join(' ')
}
