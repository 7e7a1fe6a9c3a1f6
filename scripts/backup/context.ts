import type { Terminal } from '../mission/terminal.ts'

/** All that the commands take from the process around them. */
export interface Context {
  env: NodeJS.ProcessEnv
  cwd: string
  terminal: Terminal
}

/** Of every command. */
export interface SharedOptions {
  /** Data folder of the local environment. */
  data: string
  json?: boolean
  /** The copies offsite in place of the main store, by commands that only read. */
  offsite?: boolean
}
