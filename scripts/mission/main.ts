import { statSync } from 'node:fs'
import { CommanderError } from 'commander'
import { exit, interruptedCode, type Context } from './context.ts'
import { ProblemError, RefusedError, UsageError } from './errors.ts'
import { createProgram } from './program.ts'
import { fromUser } from './from-user.ts'
import { renderProblem } from './render-mission.ts'
import { spreadFiles, type KindOf } from './spread-files.ts'

/** Runs `npm run mission` with the words after `--` and answers its exit code. */
export async function main(words: string[], context: Context): Promise<number> {
  let code: number = exit.done
  try {
    await createProgram(context, (result) => (code = result)).parseAsync(spreadFiles(words, kindOf), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage
    if (context.interrupt.signal.aborted) return interruptedCode(context)
    return tell(context, error)
  }
}

function tell({ terminal }: Context, error: unknown): number {
  if (error instanceof ProblemError) {
    terminal.error(renderProblem(error.problem).join('\n'))
    return exit.failed
  }
  terminal.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) return exit.usage
  return error instanceof RefusedError ? exit.refused : exit.failed
}

/** Words that can be no path, such as a goal of more than 255 characters, make `stat` throw. */
const kindOf: KindOf = (path) => {
  try {
    const stats = statSync(fromUser(path), { throwIfNoEntry: false })
    return stats === undefined ? undefined : stats.isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined
  }
}
