import type { Command } from 'commander'
import { EXIT, runWords } from '../backup/run-words.ts'
import { deploy } from './deploy.ts'
import { interruptible } from './interruptible.ts'
import { sweepKeyFolders } from './key-folder.ts'
import { releaseLock } from './lock.ts'
import { openSession, type DeployContext } from './open-session.ts'
import { planDeploy } from './plan.ts'
import { addChangeOptions, createProgram, environmentArgument, readOptions } from './program.ts'
import type { Progress } from './progress.ts'
import type { DeploymentRecord } from './records.ts'
import { recover } from './recover.ts'
import { isRefused } from './refused.ts'
import type { Session } from './session.ts'
import { PLACEHOLDERS } from './target.ts'

const GUIDE = `
Builds the package of this folder, shows what would change in Azure and asks, brings the infrastructure to bicep/, reads all
unfinished missions with the new package, expands the schema, drains, publishes, resumes, runs a mission to its end, cleans the
schema up, and records all that. Where the new package does not work it goes back to the one of before by itself. The Azure CLI has
to be signed in (az login); with private endpoints, this machine has to be in the virtual network.

Every failure says how things stand; the same command goes on from there. Ctrl-C ends it in order. A log is in .taskforce/, without
secrets.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because it would lose something (says how to go on).`

const DESCRIPTION = 'Brings an environment in Azure to the sources of this folder.'

/** Runs `npm run deploy` with the words after `--` and answers its exit code. */
export function main(words: string[], context: DeployContext): Promise<number> {
  return runWords((done) => create(context, done), words, context, isRefused)
}

function create(context: DeployContext, done: (code: number) => void): Command {
  const program = createProgram(context, { name: 'deploy', description: DESCRIPTION, guide: GUIDE })
  return addChangeOptions(program)
    .option('--location <region>', 'where; AZURE_LOCATION, else where it is, and of a first deployment westeurope')
    .option('--skip-infra', 'leaves the infrastructure as it is')
    .option(
      '--database-user <login>',
      'login of Postgres that compares what both packages would do; else whoever is signed in',
    )
    .option('--skip-check', 'does not look whether unfinished missions go on with the new package')
    .action(async () => done(await run(program, context)))
}

async function run(program: Command, context: DeployContext): Promise<number> {
  const options = readOptions(program, context.env)
  const session = openSession('deploy', environmentArgument(program), options, context)
  const { terminal } = context
  if (options.dryRun === true) {
    const { location = PLACEHOLDERS.location } = options
    const lines = planDeploy({ ...session.environment, location }, options)
    if (options.json === true) terminal.json(lines)
    else terminal.print(lines)
    return EXIT.done
  }
  await sweepKeyFolders()
  const { record, apiUrl } = await interruptible(session, () => deployAndClearUp(session))
  if (options.json === true) terminal.json(record)
  else terminal.print([`${record.version} runs in ${record.environment}: ${apiUrl}`])
  return EXIT.done
}

/** Whatever becomes of it, what it began is cleared up before it is told of. */
async function deployAndClearUp(session: Session): Promise<{ record: DeploymentRecord; apiUrl: string | undefined }> {
  const progress: Progress = { startedAt: session.now().toISOString() }
  try {
    const record = await deploy(session, progress)
    return { record, apiUrl: progress.target?.apiUrl }
  } catch (error) {
    throw await recover(session, progress, error)
  } finally {
    await releaseLock(session)
  }
}
