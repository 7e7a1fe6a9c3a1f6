import type { Command } from 'commander'
import { EXIT, runWords } from '../backup/run-words.ts'
import { findRunning } from '../deploy/find-running.ts'
import { requireTarget } from '../deploy/find-target.ts'
import { interruptible } from '../deploy/interruptible.ts'
import { openSession, type DeployContext } from '../deploy/open-session.ts'
import { requireAccount } from '../deploy/preflight.ts'
import { createProgram, environmentArgument, readOptions } from '../deploy/program.ts'
import { readRecords } from '../deploy/read-records.ts'
import type { DeploymentRecord } from '../deploy/records.ts'
import { isRefused } from '../deploy/refused.ts'

const GUIDE = `
The one that runs, as the app itself answers, is marked with an arrow, and with --json by isRunning: true; none is where the app answers
with a package that no record tells of. They lie beside the packages, in the container of deployments.

Exit codes: 0 done, 1 it failed, 2 wrong usage.`

const DESCRIPTION = 'Lists the deployments of an environment in Azure, the newest first.'

/** Runs `npm run deployments` with the words after `--` and answers its exit code. */
export function main(words: string[], context: DeployContext): Promise<number> {
  return runWords((done) => create(context, done), words, context, isRefused)
}

function create(context: DeployContext, done: (code: number) => void): Command {
  const program = createProgram(context, { name: 'deployments', description: DESCRIPTION, guide: GUIDE })
  return program.action(async () => done(await run(program, context)))
}

async function run(program: Command, context: DeployContext): Promise<number> {
  const options = readOptions(program, context.env)
  const session = openSession('deployments', environmentArgument(program), options, context)
  const { environment } = session
  const { records, running } = await interruptible(session, async () => {
    await requireAccount(session)
    const target = await requireTarget(session)
    const history = await readRecords(session, target)
    const seen = await findRunning(session, target, history.records)
    return { records: history.records, running: seen.running }
  })
  if (options.json === true)
    context.terminal.json(records.map((record) => ({ ...record, isRunning: record === running })))
  else if (records.length === 0) context.terminal.print([`Nothing was deployed to ${environment.name} yet.`])
  else context.terminal.print(records.map((record) => lineOf(record, record === running)))
  return EXIT.done
}

function lineOf(
  { startedAt, version, commit, kind, outcome, schema, who, reason }: DeploymentRecord,
  runs: boolean,
): string {
  const parts = [startedAt, version, commit.slice(0, 12), kind, outcome, `schema ${schema?.revision ?? '?'}`, who]
  return `${runs ? '→' : ' '} ${parts.join('  ')}${reason === undefined ? '' : `  (${reason})`}`
}
