import { Command, InvalidArgumentError } from 'commander'
import { backUpNow } from './commands/now.ts'
import { downloadBackup } from './commands/download.ts'
import { drillBackup } from './commands/drill.ts'
import { hold } from './commands/hold.ts'
import { list } from './commands/list.ts'
import { prune } from './commands/prune.ts'
import { makeSectionFiles } from './commands/sections.ts'
import { show } from './commands/show.ts'
import { verify } from './commands/verify.ts'
import type { Context, SharedOptions } from './context.ts'

const GUIDE = `
NAME is a backup's name, or LATEST for the newest verified one. Backups lie in the container BACKUP_CONTAINER of JOBS_STORAGE,
in the folder BACKUP_FOLDER, or, with npm start, in backups/ of its data folder. Restoring is another command:
npm run restore -- LATEST. By hand: zstd -dc FILE | psql -X -v ON_ERROR_STOP=1 --single-transaction DATABASE

Exit codes: 0 done, 1 failed or something is wrong with a backup, 2 wrong usage, 3 refused because it would lose something.`

const OFFSITE = ['--offsite', 'of the copies in BACKUP_OFFSITE_URL'] as const

/** The command line; `done` is told the exit code of the command that ran. */
export function createProgram(context: Context, done: (code: number) => void): Command {
  const { streams } = context.terminal
  const program = new Command('npm run backup --')
    .description('Makes backups, looks at them, and proves that they restore.')
    .helpCommand(false)
    .showHelpAfterError('Everything else is in: npm run backup -- --help')
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--json', 'JSON on standard output')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
  const run: Run =
    (work) =>
    async (...given) => {
      const command = given.at(-1) as Command
      const [name = ''] = given.slice(0, -2) as string[]
      done(await work(context, command.optsWithGlobals<SharedOptions>(), name))
    }
  addMaking(program, run)
  addLooking(program, run)
  return program
}

/** What commander calls: the command's word, if it takes one, its own options, and the command itself. */
type Run = (
  work: (context: Context, options: SharedOptions, name: string) => Promise<number>,
) => (...given: unknown[]) => Promise<void>

function addMaking(program: Command, run: Run): void {
  program
    .command('now')
    .description('makes a backup, reads it back, and copies it offsite where that is configured')
    .action(run(backUpNow))
  program
    .command('drill')
    .description('restores a backup into a database of its own, looks at everything, and drops it')
    .argument('[name]', 'which', 'LATEST')
    .option(...OFFSITE)
    .action(run(drillBackup))
  program
    .command('prune')
    .description('removes backups that are kept no longer: never one of the newest 7, nor what is held; 3 at most')
    .option('--dry-run', 'only says which')
    .action(run(prune))
  program
    .command('sections')
    .description("writes what backups have of the schema, with pg_dump of Postgres 15; for this project's developers")
    .option('--to <folder>', 'where to', 'src/backup/schema')
    .option('--postgres <folder>', 'of Postgres 15: its programs are in bin/', '/usr/lib/postgresql/15')
    .action(run(makeSectionFiles))
}

function addLooking(program: Command, run: Run): void {
  program
    .command('list')
    .description('lists the backups, the newest first')
    .option(...OFFSITE)
    .action(run(list))
  program
    .command('show')
    .description('tells what is in one')
    .argument('<name>')
    .option(...OFFSITE)
    .action(run(show))
  program
    .command('verify')
    .description('reads one to its last byte and compares it with its manifest')
    .argument('<name>')
    .option(...OFFSITE)
    .action(run(verify))
  program
    .command('download')
    .description('copies one to a file that psql can read, without its encryption')
    .argument('<name>')
    .requiredOption('--to <file>', 'where to', file)
    .option(...OFFSITE)
    .action(run(downloadBackup))
  program
    .command('hold')
    .description('keeps one and its offsite copy until they are released')
    .argument('<name>')
    .action(run(hold(true)))
  program
    .command('release')
    .description('lets a held one and its offsite copy go in their time')
    .argument('<name>')
    .action(run(hold(false)))
}

function file(path: string): string {
  if (path !== '-') return path
  throw new InvalidArgumentError('It takes a file: what is not all there yet must not look as if it were.')
}
