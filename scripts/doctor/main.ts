import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { Terminal } from '../mission/terminal.ts'
import { examine } from './examine.ts'
import { toLines } from './render.ts'
import { exitCode, toJson } from './report.ts'

import { readSurroundings } from './surroundings.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** All that the command takes from the process around it. */
export interface Context {
  env: NodeJS.ProcessEnv
  cwd: string
  terminal: Terminal
  nodeVersion: string
  /** Replaced by tests, as is the deadline of each check in milliseconds. */
  tokens?: Tokens
  deadlineMs?: number
}

const EXIT = { done: 0, usage: 2 }
const DEADLINE_MS = 5_000

const GUIDE = `
Settings come from the environment, then from Values of local.settings.json in this folder, then from the local environment
that runs (npm start). Secrets are shown as set or not set. Each check takes at most 5 s, with --ask the model 60 s.

Exit codes: 0 everything needed is there, 1 something that is needed fails, 2 wrong usage.`

interface Options {
  data: string
  url?: string
  ask?: boolean
  json?: boolean
}

/** Runs `npm run doctor` with the words after `--` and answers its exit code. */
export async function main(words: string[], context: Context): Promise<number> {
  const program = createProgram(context)
  try {
    program.parse(words, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    throw error
  }
  const options = program.opts<Options>()
  if (options.url !== undefined && !isAddress(options.url)) {
    // Not repeated: it may hold a password.
    context.terminal.error('--url takes an address such as http://127.0.0.1:7071, with no user name or password in it.')
    return EXIT.usage
  }
  return run(options, context)
}

function createProgram({ terminal: { streams } }: Context): Command {
  return new Command('npm run doctor --')
    .description('Tells what is configured, what is reachable, and what is missing and how to set it.')
    .showHelpAfterError('Everything else is in: npm run doctor -- --help')
    .allowExcessArguments(false)
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--url <url>', 'an API to look at, such as a deployment')
    .option('--ask', 'asks the model one small question, which costs what such a call costs')
    .option('--json', 'JSON on standard output')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
}

async function run({ data, url, ask = false, json }: Options, context: Context): Promise<number> {
  const { env, cwd, terminal, nodeVersion, tokens = createTokens(), deadlineMs = DEADLINE_MS } = context
  const surroundings = readSurroundings({ env, cwd, dataDir: resolve(cwd, data) })
  if (ask) terminal.note('Asking the model …')
  const report = await examine({ surroundings, tokens, nodeVersion, deadlineMs, url, ask })
  if (json) terminal.json(toJson(report))
  else terminal.print(toLines(report, terminal))
  return exitCode(report)
}

function isAddress(text: string): boolean {
  const url = URL.parse(text)
  return /^https?:$/.test(url?.protocol ?? '') && url?.username === '' && url.password === ''
}
