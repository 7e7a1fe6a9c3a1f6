import type { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Command } from './commands/command.ts'
import type { RunCommand } from './run-command.ts'
import { parseJson } from './parse-json.ts'

/** Runs a command and reads its JSON. Throws TerminalError `output_unknown` where it is none of what is expected. */
export async function readOutput<T>(run: RunCommand, command: Command, schema: z.ZodType<T>): Promise<T> {
  return parseOutput(command, await run(command), schema)
}

/** The JSON that a command has printed. Throws TerminalError `output_unknown`. */
export function parseOutput<T>(command: Command, text: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const verb = [command.program, ...command.args.filter((_, index, all) => all.findIndex(isFlag) > index)].join(' ')
  throw new TerminalError(
    'output_unknown',
    `"${verb}" answers something else than this version of the scripts knows.`,
    {
      hint: 'Bring the Azure CLI up to date: az upgrade',
    },
  )
}

/** Runs a command that answers one secret. An error of a parser would show its beginning, so there is none. */
export async function readSecret(run: RunCommand, command: Command): Promise<string> {
  const secret = (await run(command)).trim()
  if (secret !== '') return secret
  throw new TerminalError('output_unknown', `"${command.args.slice(0, 4).join(' ')}" answers nothing.`)
}

function isFlag(word: string): boolean {
  return word.startsWith('--')
}
