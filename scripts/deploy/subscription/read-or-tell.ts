import type { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import type { Command } from '../commands/command.ts'
import { readOutput } from '../read-output.ts'
import type { Session } from '../session.ts'

/** What only spares a failure half an hour later: where it can't be read, that is said, and undefined. Throws `interrupted`. */
export async function readOrTell<T>(
  { run, log }: Session,
  { command, schema, what }: { command: Command; schema: z.ZodType<T>; what: string },
): Promise<T | undefined> {
  try {
    return await readOutput(run, command, schema)
  } catch (error) {
    if (!(error instanceof TerminalError) || error.code === 'interrupted') throw error
    log.say(`  ${what} could not be read: ${error.message.split('\n').at(-1)}`)
    return undefined
  }
}
