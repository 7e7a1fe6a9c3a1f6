import { TerminalError } from '../../src/domain/errors.ts'
import type { Terminal } from '../mission/terminal.ts'

/**
 * Asks whether to go on. Throws TerminalError `not_confirmed` for a no, and where there is nobody to ask.
 * @param what would be done, as a sentence without its end
 * @param signal takes the question back, which is a no
 * @param json standard output is for one JSON value: the question goes to standard error
 */
export async function confirm(
  { interactive, streams: { stdin, stdout, stderr } }: Terminal,
  what: string,
  { json = false, signal }: { json?: boolean | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  if (!interactive || (json && !stderr.isTTY)) {
    throw new TerminalError('not_confirmed', `Nothing was done: ${what}, and there is no terminal to ask.`, {
      hint: 'Give --yes.',
    })
  }
  const { confirm: ask } = await import('@clack/prompts')
  const answer = await ask({
    message: `${what[0]?.toUpperCase()}${what.slice(1)}. Go on?`,
    initialValue: false,
    input: stdin,
    output: json ? stderr : stdout,
    ...(signal === undefined ? {} : { signal }),
  })
  if (answer !== true) throw new TerminalError('not_confirmed', 'Nothing was changed.')
}
