import type { Terminal } from '../mission/terminal.ts'

/** All that the commands take from the process around them. */
export interface Context {
  env: NodeJS.ProcessEnv
  cwd: string
  terminal: Terminal
}
