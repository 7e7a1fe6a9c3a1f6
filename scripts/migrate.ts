import { relative, resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { writeCatalogFile } from '../src/db/migrate/catalog-file.ts'
import { checkDatabase } from '../src/db/migrate/check.ts'
import { findDatabase, type Database } from '../src/db/migrate/find-database.ts'
import { migrateDown, type DownOptions } from '../src/db/migrate/down.ts'
import type { ConnectOptions } from '../src/db/migrate/connect.ts'
import { createMigration } from '../src/db/migrate/new-migration.ts'
import { migrationLabel, revisionLabel } from '../src/db/migrate/read-migrations.ts'
import { readHistory, type Status } from '../src/db/migrate/status.ts'
import { migrateUp, LOCK_TIMEOUT_MS } from '../src/db/migrate/up.ts'
import { TerminalError } from '../src/domain/errors.ts'

// A reader that went away, as in `| head`: nobody is left to write for.
process.stdout.on('error', () => process.exit(141))

const EXIT = { done: 0, failed: 1, usage: 2, refused: 3 }

const GUIDE = `
The database is DATABASE_DIRECT_URL, else DATABASE_URL, else the one that npm start runs; with DATABASE_AUTH=entra, a
token of Entra ID is the password.
A revision is given by its number (2 or 0002). For "down", a number of less than four digits is a count of steps;
"down 0001" ends at revision 1, "down 0" takes all back.

Exit codes: 0 done, 1 failed or drift found, 2 wrong usage, 3 refused because data would be lost.`

interface Options {
  data: string
  json?: boolean
  lockTimeout: number
  yes?: boolean
}

function createProgram(): Command {
  const program = new Command('npm run migrate --')
    .description("Brings the database's schema up to date, or looks at it.")
    .helpCommand(false)
    .showHelpAfterError('Everything else is in: npm run migrate -- --help')
    .option('--json', 'JSON on standard output')
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--lock-timeout <seconds>', 'how long a statement waits for a lock', seconds, LOCK_TIMEOUT_MS / 1000)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText('after', GUIDE)
  addChanges(program)
  addQuestions(program)
  addFiles(program)
  return program
}

function addChanges(program: Command): void {
  program
    .command('up')
    .description('applies what is pending, all of it or up to a revision')
    .argument('[revision]', 'the last one to apply', revisionNumber)
    .action(async (to: number | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { url, connect } = await databaseOf(options)
      const report = await migrateUp(url, { to, connect, ...running(options) })
      print(options, report, [report.done.length === 0 ? `Nothing to do. ${standing(report)}` : standing(report)])
    })
  program
    .command('down')
    .description('takes migrations back, the newest first; one unless told otherwise')
    .argument('[steps|revision]', 'how many, or where to end', downGoal)
    .option('--yes', 'also where there are missions')
    .action(async (given: DownOptions['goal'] | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const goal = given ?? { steps: 1 }
      const { url, connect } = await databaseOf(options)
      const report = await migrateDown(url, { goal, yes: options.yes, connect, ...running(options) })
      print(options, report, [report.done.length === 0 ? `Nothing to do. ${standing(report)}` : standing(report)])
    })
}

function addQuestions(program: Command): void {
  program
    .command('current')
    .description('tells where the database stands')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { history: _history, ...status } = await readHistory(...asked(await databaseOf(options)))
      print(options, status, [standing(status)])
    })
  program
    .command('history')
    .description('lists the migrations')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const report = await readHistory(...asked(await databaseOf(options)))
      const lines = report.history.map((item) => `${migrationLabel(item)}  ${item.appliedAt ?? 'pending'}`)
      print(options, report, lines)
    })
  program
    .command('check')
    .description('compares the database with the files; exit code 1 where they differ')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const report = await checkDatabase(...asked(await databaseOf(options)))
      const verdict =
        report.drift.length === 0
          ? 'The database is what the files say.'
          : 'The database (+) is not what the files (-) say.'
      print(options, report, [...report.drift, verdict, standing(report)])
      if (report.drift.length > 0) process.exitCode = EXIT.failed
    })
}

function addFiles(program: Command): void {
  program
    .command('new')
    .description('writes the two files of the next migration')
    .argument('<name>', 'what it does, such as add-labels')
    .action(async (name: string, _: unknown, command: Command) => {
      const { revision, files } = await createMigration(name)
      const paths = files.map((file) => relative('.', file))
      print(command.optsWithGlobals<Options>(), { revision, files: paths }, [
        ...paths,
        `Write both, raise CODE_REVISION in src/db/schema-revision.ts to ${revision} where the code needs it, then run up and catalog.`,
      ])
    })
  program
    .command('catalog')
    .description("writes the newest revision's catalogue, which check compares with, from a fresh database")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const file = relative('.', await writeCatalogFile(...asked(await databaseOf(options))))
      print(options, { file }, [file])
    })
}

function databaseOf(options: Options): Promise<Database> {
  return findDatabase(process.env, resolve(options.data))
}

function asked({ url, connect }: Database): [url: string, options: { connect: ConnectOptions }] {
  return [url, { connect }]
}

function running(options: Options): { lockTimeoutMs: number; log: (line: string) => void } {
  // Standard error, so that standard output stays one JSON value.
  return { lockTimeoutMs: options.lockTimeout * 1000, log: (line) => console.error(line) }
}

function standing({ revision, minCode, pending }: Status): string {
  const waiting = pending.length === 0 ? 'nothing pending' : `pending: ${pending.join(', ')}`
  return revision === 0
    ? `No migration is applied; ${waiting}.`
    : `The database is at revision ${revisionLabel(revision)} (needs code ${minCode} or newer); ${waiting}.`
}

function print(options: Options, report: object, lines: string[]): void {
  console.log(options.json ? JSON.stringify(report) : lines.join('\n'))
}

function revisionNumber(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A revision is a number, such as 2 or 0002.')
}

function downGoal(text: string): DownOptions['goal'] {
  const number = revisionNumber(text)
  return text.length === 4 || number === 0 ? { revision: number } : { steps: number }
}

function seconds(text: string): number {
  if (/^\d{1,5}(\.\d{1,3})?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes seconds, such as 30; 0 waits for ever.')
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  const code = error instanceof TerminalError ? error.code : undefined
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof TerminalError && error.hint !== undefined) console.error(error.hint)
  if (code === 'would_lose_data') return EXIT.refused
  return code === 'unknown_revision' || code === 'migration_name_wrong' ? EXIT.usage : EXIT.failed
}

try {
  await createProgram().parseAsync(process.argv.slice(2), { from: 'user' })
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
