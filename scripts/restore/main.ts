import { Command, InvalidArgumentError } from 'commander'
import { isRestoreRefusal } from '../../src/backup/restore/refusals.ts'
import type { Context } from '../backup/context.ts'
import { runWords } from '../backup/run-words.ts'
import { reconcileNow } from './reconcile-now.ts'
import type { Options } from './options.ts'
import { restoreNow } from './restore-now.ts'

const GUIDE = `
WHAT is LATEST (the newest verified backup), a backup's name, or a file with its .manifest.json beside it. The target is
DATABASE_DIRECT_URL, DATABASE_URL, or the database that npm start runs, with a login that may migrate; --into names another.

It says what it will do, and asks on a terminal. The deployment drains first: nothing is claimed, no new missions are taken,
and it waits until nobody works on one. What is there is moved to a schema taskforce_before_TIME in the same transaction, and
kept. After it, missions go on; those of which a call that acts once was begun and is not in the backup are paused, so that
a person finds out what became of it. Interrupted before its end, the target is as it was.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because it would lose something (says how to go on).`

/** Runs `npm run restore` with the words after `--` and answers its exit code. */
export function main(words: string[], context: Context): Promise<number> {
  return runWords((done) => createProgram(context, done), words, context, isRestoreRefusal)
}

function createProgram(context: Context, done: (code: number) => void): Command {
  const { streams } = context.terminal
  return new Command('npm run restore --')
    .description('Restores a backup.')
    .showHelpAfterError('Everything else is in: npm run restore -- --help')
    .argument('[what]', 'LATEST, the name of a backup, or a file')
    .option('--at <time>', 'the newest verified backup before this time, such as 2026-11-22T02:00:00Z', time)
    .option('--offsite', 'a copy of BACKUP_OFFSITE_URL in place of the backup itself')
    .option('--into <url>', 'another database than the one that is configured')
    .option('--replace', 'moves what is there out of the way')
    .option('--yes', 'does not ask')
    .option('--reconcile', 'restores nothing: for a database that was set back by the server or by psql')
    .option('--wait <seconds>', 'how long to wait until nobody works on a mission', seconds, 60)
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--json', 'JSON on standard output')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
    .action(async (what: string | undefined, options: Options, command: Command) => {
      const { reconcile, at, replace, offsite, into } = options
      if (reconcile === true && [what, at, replace, offsite].some((given) => given !== undefined))
        command.error('error: --reconcile restores nothing, so it takes no backup, no time and nothing to replace')
      if (reconcile !== true && what === undefined && at === undefined)
        command.error('error: name a backup, or LATEST, or a time with --at')
      // Its own words, since commander's have the value, and a password may be in it.
      if (into !== undefined && !/^postgres(ql)?:$/.test(URL.parse(into)?.protocol ?? ''))
        command.error('error: --into takes the address of a database, such as postgresql://USER@HOST:5432/NAME')
      done(await (reconcile === true ? reconcileNow(context, options) : restoreNow(context, options, what)))
    })
}

function time(text: string): Date {
  const at = new Date(text)
  // Without a zone it would be this machine's, and backups are named by UTC.
  if (Number.isNaN(at.getTime()) || !/(Z|[+-]\d\d:?\d\d)$/i.test(text))
    throw new InvalidArgumentError('It takes a time with its zone, such as 2026-11-22T02:00:00Z.')
  return at
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes whole seconds, such as 60.')
}
