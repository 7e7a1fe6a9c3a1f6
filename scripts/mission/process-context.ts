import { createTerminal, type Terminal } from './terminal.ts'

/** All that a command takes from the process around it; asked for once, by the file that npm runs. */
export function processContext(): { env: NodeJS.ProcessEnv; cwd: string; terminal: Terminal } {
  const { stdin, stdout, stderr } = process
  // A reader that went away, as in `| head`: nobody is left to write for. 141 is what SIGPIPE gives in a shell.
  stdout.on('error', () => process.exit(141))
  return { env: process.env, cwd: process.cwd(), terminal: createTerminal({ stdin, stdout, stderr }, process.env) }
}
