import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { createDatabases } from '../../src/db/connection.ts'
import { entraPassword } from '../../src/db/entra-password.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { nextDecision } from '../../src/engine/next-decision.ts'
import { readSurroundings } from '../doctor/surroundings.ts'
import type { Terminal } from '../mission/terminal.ts'
import { checkMissions, type Report } from './check.ts'
import { findOldBuild } from './find-old-build.ts'
import { OldBuild } from './old-build.ts'
import { showProgress } from './progress.ts'
import { toLines } from './render.ts'

/** All that the command takes from the process around it. */
export interface Context {
  env: NodeJS.ProcessEnv
  cwd: string
  terminal: Terminal
}

const EXIT = { done: 0, failed: 1, usage: 2 }

const GUIDE = `
Every unfinished mission of every tenant is read and folded, and nothing is written. The database is DATABASE_URL, from the
environment or local.settings.json, else the one that npm start runs.

With --from, the old build is asked as well: each mission that it can't read (after a rollback it could not go on), and each
with which the two builds would do something else next. It runs in a process of its own without your settings.

Exit codes: 0 all is well, 1 a mission is listed or the check failed, 2 wrong usage.`

interface Options {
  data: string
  from?: string
  json?: boolean
}

/** Runs `npm run check-deploy` with the words after `--` and answers its exit code. */
export async function main(words: string[], context: Context): Promise<number> {
  const program = createProgram(context)
  try {
    program.parse(words, { from: 'user' })
    return await run(program.opts<Options>(), context)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    return tell(error, context.terminal)
  }
}

/** What went wrong, and the exit code for it. */
function tell(error: unknown, terminal: Terminal): number {
  if (!(error instanceof TerminalError)) {
    terminal.error(`The check failed: ${messageOf(error)}`)
    return EXIT.failed
  }
  terminal.error(error.message)
  if (error.hint !== undefined) terminal.error(error.hint)
  return error.code === 'no_old_build' ? EXIT.usage : EXIT.failed
}

/** A host with several addresses fails with one error for each, and no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

function createProgram({ terminal: { streams } }: Context): Command {
  return new Command('npm run check-deploy --')
    .description('Tells whether every unfinished mission goes on with this build as it would with the old one.')
    .showHelpAfterError('Everything else is in: npm run check-deploy -- --help')
    .allowExcessArguments(false)
    .option('--from <bundle>', "the old package's folder, or the check-deploy.cjs in it")
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--json', 'JSON on standard output')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
}

async function run(options: Options, context: Context): Promise<number> {
  const { terminal, cwd } = context
  const old = options.from === undefined ? undefined : new OldBuild(await findOldBuild(resolve(cwd, options.from)))
  try {
    await old?.start()
    const report = await readAndCheck(options, context, old)
    if (options.json) terminal.json(report)
    else terminal.print(toLines(report, { from: options.from }))
    return report.unreadable.length + report.changed.length === 0 ? EXIT.done : EXIT.failed
  } finally {
    old?.stop()
  }
}

async function readAndCheck({ data }: Options, context: Context, old: OldBuild | undefined): Promise<Report> {
  const { env, cwd, terminal } = context
  const databases = openDatabases(readSurroundings({ env, cwd, dataDir: resolve(cwd, data) }).values)
  const progress = showProgress(terminal.streams.stderr)
  try {
    const builds = { current: nextDecision, old: old?.ask.bind(old) }
    return await checkMissions(databases.engine, builds, { onProgress: progress.show })
  } finally {
    progress.clear()
    await databases.close()
  }
}

function openDatabases(values: ReturnType<typeof readSurroundings>['values']): ReturnType<typeof createDatabases> {
  const url = values.get('DATABASE_URL')?.value
  if (url === undefined) {
    throw new TerminalError('database_unknown', 'No database is named.', {
      hint: 'Set DATABASE_URL, or start the local environment with npm start and name its data folder with --data.',
    })
  }
  return createDatabases({
    url,
    pooler: values.get('DATABASE_POOLER')?.value === 'transaction' ? 'transaction' : undefined,
    password: values.get('DATABASE_AUTH')?.value === 'entra' ? entraPassword : undefined,
    onError: () => undefined,
  })
}
