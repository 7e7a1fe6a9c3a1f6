import type { Command } from 'commander'
import { EXIT, runWords } from '../backup/run-words.ts'
import { interruptible } from '../deploy/interruptible.ts'
import { sweepKeyFolders } from '../deploy/key-folder.ts'
import { releaseLock } from '../deploy/lock.ts'
import { openSession, type DeployContext } from '../deploy/open-session.ts'
import { planRollback } from '../deploy/plan.ts'
import { addChangeOptions, createProgram, environmentArgument, readOptions } from '../deploy/program.ts'
import type { DeploymentRecord } from '../deploy/records.ts'
import { isRefused } from '../deploy/refused.ts'
import type { Session } from '../deploy/session.ts'
import { explainFailure } from './explain-failure.ts'
import { goBack } from './go-back.ts'

const GUIDE = `
Puts the package of an earlier deployment back, as it was stored: without --to, the newest good one from before the
package that runs was there for the first time, so that each time goes further back. The schema stays as it is; where that package's
code can't run on it, nothing is done, and why is said. npm run deployments lists what there is.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because it would lose something (says how to go on).`

const DESCRIPTION = 'Goes back to an earlier package of an environment in Azure.'

/** Runs `npm run rollback` with the words after `--` and answers its exit code. */
export function main(words: string[], context: DeployContext): Promise<number> {
  return runWords((done) => create(context, done), words, context, isRefused)
}

function create(context: DeployContext, done: (code: number) => void): Command {
  const program = createProgram(context, { name: 'rollback', description: DESCRIPTION, guide: GUIDE })
  return addChangeOptions(program)
    .option('--to <version>', 'a version, commit or package (SHA-256 or file name) that was deployed')
    .option('--without-migrator', 'where it can not be reached: no drain, and the schema as it was recorded')
    .action(async () => done(await runRollback(program, context)))
}

async function runRollback(program: Command, context: DeployContext): Promise<number> {
  const options = readOptions(program, context.env)
  const session = openSession('rollback', environmentArgument(program), options, context)
  const { terminal } = context
  if (options.dryRun === true) {
    const lines = planRollback(session.environment, options)
    if (options.json === true) terminal.json(lines)
    else terminal.print(lines)
    return EXIT.done
  }
  await sweepKeyFolders()
  const record = await interruptible(session, () => goBackAndClearUp(session))
  if (options.json === true) terminal.json(record)
  else terminal.print([`${record.version} runs in ${record.environment} again.`])
  return EXIT.done
}

async function goBackAndClearUp(session: Session): Promise<DeploymentRecord> {
  try {
    return await goBack(session)
  } catch (error) {
    throw explainFailure(session, error)
  } finally {
    await releaseLock(session)
  }
}
