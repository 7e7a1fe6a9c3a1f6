import { createTerminal, type Terminal } from './terminal.ts'

/**
 * All that a command takes from the process around it; asked for once, by the file that npm runs.
 * @param onReaderGone what becomes of it when nobody reads its output any more, as in `| head`; 141 is what SIGPIPE gives in a shell
 */
export function processContext(onReaderGone: () => void = () => process.exit(141)): {
  env: NodeJS.ProcessEnv
  cwd: string
  terminal: Terminal
} {
  const { stdin, stdout, stderr } = process
  stdout.on('error', onReaderGone)
  return { env: process.env, cwd: process.cwd(), terminal: createTerminal({ stdin, stdout, stderr }, process.env) }
}
