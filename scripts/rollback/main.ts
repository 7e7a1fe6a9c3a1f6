import type { Command } from 'commander'
import { EXIT, runWords } from '../backup/run-words.ts'
import { fetchApiKey } from '../deploy/api-key.ts'
import { choosePackage, requireFit } from '../deploy/choose-package.ts'
import { wordsOf } from '../deploy/environments.ts'
import { openMigrator } from '../deploy/exchange.ts'
import { requireTarget } from '../deploy/find-target.ts'
import { releaseLock, takeLock } from '../deploy/lock.ts'
import { openSession, type DeployContext } from '../deploy/open-session.ts'
import { planRollback } from '../deploy/plan.ts'
import { requireAccount } from '../deploy/preflight.ts'
import { addChangeOptions, createProgram, environmentArgument, readOptions } from '../deploy/program.ts'
import { readRecords, type DeploymentRecord } from '../deploy/records.ts'
import { isRefused } from '../deploy/refused.ts'
import { rollBack } from '../deploy/roll-back.ts'
import { inStage, type Session } from '../deploy/session.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { confirm } from '../restore/confirm.ts'

const GUIDE = `
Puts the package of an earlier deployment back, as it was stored: without --to, the one before what runs now. The schema stays
as it is; where that package's code can't run on it, nothing is done, and why is said. npm run deployments lists what there is.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because it would lose something (says how to go on).`

const DESCRIPTION = 'Goes back to an earlier package of an environment in Azure.'

/** Runs `npm run rollback` with the words after `--` and answers its exit code. */
export function main(words: string[], context: DeployContext): Promise<number> {
  return runWords((done) => create(context, done), words, context, isRefused)
}

function create(context: DeployContext, done: (code: number) => void): Command {
  const program = createProgram(context, { name: 'rollback', description: DESCRIPTION, guide: GUIDE })
  return addChangeOptions(program)
    .option('--to <version>', 'a version or commit that was deployed')
    .action(async () => done(await runRollback(program, context)))
}

async function runRollback(program: Command, context: DeployContext): Promise<number> {
  const options = readOptions(program, context.env)
  const session = openSession('rollback', environmentArgument(program), options, context)
  const { terminal } = context
  if (options.dryRun === true) {
    const lines = planRollback(session.environment)
    if (options.json === true) terminal.json(lines)
    else terminal.print(lines)
    return EXIT.done
  }
  try {
    const record = await goBack(session)
    if (options.json === true) terminal.json(record)
    else terminal.print([`${record.version} runs in ${record.environment} again.`])
    return EXIT.done
  } catch (error) {
    throw explained(session, error)
  } finally {
    await releaseLock(session)
  }
}

async function goBack(session: Session): Promise<DeploymentRecord> {
  const { run, environment, options, terminal } = session
  const { target, account, to } = await inStage(session, 'preflight', async () => {
    const who = await requireAccount(session)
    const found = await requireTarget(session)
    await takeLock(session, found, who.user.name)
    return { account: who, target: found, to: choosePackage(await readRecords(run, found, environment), options.to) }
  })
  const apiKey = await fetchApiKey(session, target)
  const migrator = await openMigrator(session, target)
  requireFit(to, await migrator({ action: 'status' }))
  if (options.yes !== true) {
    await confirm(
      terminal,
      `${environment.name} would go back to ${to.version} (${to.commit.slice(0, 12)}) of ${to.startedAt}`,
      options,
    )
  }
  const reason = `by hand${options.to === undefined ? '' : `, to ${options.to}`}`
  return rollBack(session, { target, migrator, apiKey, to, who: account.user.name, reason })
}

/** What was published stays; the same command goes on from there. */
function explained({ stage, environment, log }: Session, error: unknown): unknown {
  if (stage === 'preflight' || !(error instanceof TerminalError)) return error
  const states: Partial<Record<typeof stage, string>> = {
    package: 'Nothing was changed.',
    drain: 'Nothing was changed.',
    publish: 'The package may be there or not; the drain is over.',
    resume: 'The package is there; the drain ends by itself within 15 minutes.',
    smoke: 'The package is there and does not do what it should.',
    record: 'The package runs, but that is not recorded.',
  }
  const next = `The same command goes on from there, or go forward: npm run deploy -- ${wordsOf(environment)}`
  return new TerminalError(
    error.code,
    `The rollback failed at ${stage}: ${log.scrub(error.message)}\n${states[stage] ?? ''}`,
    {
      hint: [error.hint, next, `Everything that was done: ${log.file}`].filter((line) => line !== undefined).join('\n'),
      cause: error,
    },
  )
}
