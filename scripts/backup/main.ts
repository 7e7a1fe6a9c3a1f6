import type { Context } from './context.ts'
import { createProgram } from './program.ts'
import { runWords } from './run-words.ts'

/** Runs `npm run backup` with the words after `--` and answers its exit code. */
export function main(words: string[], context: Context): Promise<number> {
  return runWords((done) => createProgram(context, done), words, context)
}
