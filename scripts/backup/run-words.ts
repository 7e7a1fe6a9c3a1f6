import { CommanderError, type Command } from 'commander'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Context } from './context.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3 } as const

/** What a command's words name and is not there, or can't be. */
const USAGE: ReadonlySet<string> = new Set(['no_such_backup', 'time_wrong', 'tenant_not_found'])

/** What is refused since something would be lost; the hint says how to go on. */
const REFUSED: ReadonlySet<string> = new Set([
  'newest_backup_too_old',
  'target_not_empty',
  'schema_too_new',
  'leases_live',
  'file_exists',
  'default_tenant',
  'not_confirmed',
])

/**
 * Runs a command line; the exit code is what `done` was told, or what an error stands for.
 * @param isRefusal what this command refuses beside what every one does
 */
export async function runWords(
  create: (done: (code: number) => void) => Command,
  words: string[],
  { terminal }: Context,
  isRefusal: (error: unknown) => boolean = () => false,
): Promise<number> {
  let code: number = EXIT.done
  try {
    await create((given) => (code = given)).parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    terminal.error(error instanceof Error ? error.message : String(error))
    if (!(error instanceof TerminalError)) return EXIT.failed
    if (error.hint !== undefined) terminal.error(error.hint)
    if (USAGE.has(error.code)) return EXIT.usage
    return REFUSED.has(error.code) || isRefusal(error) ? EXIT.refused : EXIT.failed
  }
}
