import { Command, InvalidArgumentError } from 'commander'
import type { Context } from '../backup/context.ts'
import { DEFAULT_TENANT_ID as DEFAULT_TENANT } from '../../src/db/queries/delete-tenant.ts'
import { runWords } from '../backup/run-words.ts'
import { deleteTenantNow } from './delete-tenant-now.ts'
import { changePolicy, showPolicies } from './policies.ts'
import type { EndedStatus as Status } from '../../src/db/queries/retention-missions.ts'
import { retainNow } from './retain-now.ts'

const GUIDE = `
An ended mission is kept for the days of its tenant's policy for how it ended, else for MISSION_RETENTION_DAYS, else for ever; and
as long as another mission goes on from it. Its files go with the last mission that names them. A timer does this every night.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because it would lose something (says how to go on).`

/** Runs `npm run retain` with the words after `--` and answers its exit code. */
export function main(words: string[], context: Context): Promise<number> {
  return runWords((done) => createProgram(context, done), words, context)
}

function createProgram(context: Context, done: (code: number) => void): Command {
  const { streams } = context.terminal
  const program = new Command('npm run retain --')
    .description('Says for how long missions are kept, and removes what is kept no longer.')
    .helpCommand(false)
    .showHelpAfterError('Everything else is in: npm run retain -- --help')
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--json', 'JSON on standard output')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
  program
    .command('now')
    .description('removes what is kept no longer')
    .option('--dry-run', 'only says what')
    .action(async (_: unknown, command: Command) => done(await retainNow(context, command.optsWithGlobals())))
  program
    .command('policies')
    .description('lists the policies')
    .action(async (_: unknown, command: Command) => done(await showPolicies(context, command.optsWithGlobals())))
  program
    .command('set')
    .description('sets for how many days missions are kept that ended so')
    .argument('<status>', 'completed, failed or cancelled', status)
    .argument('<days>', 'a whole number, or "default"', days)
    .option('--tenant <id>', 'whose', tenant, DEFAULT_TENANT)
    .action(async (how: Status, keepDays: number | undefined, _: unknown, command: Command) =>
      done(await changePolicy(context, command.optsWithGlobals(), how, keepDays)),
    )
  program
    .command('delete-tenant')
    .description('removes a tenant and everything of it, and says until when backups have it')
    .argument('<id>', 'of the tenant', tenant)
    .option('--yes', 'does not ask')
    .action(async (id: string, _: unknown, command: Command) =>
      done(await deleteTenantNow(context, command.optsWithGlobals(), id)),
    )
  return program
}

function status(text: string): Status {
  if (text === 'completed' || text === 'failed' || text === 'cancelled') return text
  throw new InvalidArgumentError('It is completed, failed or cancelled.')
}

function days(text: string): number | undefined {
  if (text === 'default') return undefined
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a whole number of days, or "default".')
}

function tenant(text: string): string {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError(`It is a tenant's id, such as ${DEFAULT_TENANT}.`)
}
