import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { listDeployments, showDeployment } from './commands/subscription.ts'
import type { Environment } from './environments.ts'
import { readOutput } from './read-output.ts'
import type { RunCommand } from './run-command.ts'
import { outputsSchema, readTarget, type Target } from './target.ts'

/**
 * Where an environment's parts are, by its newest deployment that succeeded; undefined where none did. Azure keeps no outputs of one
 * that failed or still runs.
 */
export async function findTarget(run: RunCommand, environment: Environment): Promise<Target | undefined> {
  const names = await readOutput(run, listDeployments(environment), z.array(z.string()))
  const newest = names.findLast((name) => isOf(environment, name))
  if (newest === undefined) return undefined
  return readTarget(await readOutput(run, showDeployment(newest), outputsSchema))
}

/** taskforce-staging-2 may be another environment, and is one of this only with the time of a run behind. */
function isOf({ deployment }: Environment, name: string): boolean {
  return (
    name === deployment || (name.startsWith(`${deployment}-`) && /^\d{14}$/.test(name.slice(deployment.length + 1)))
  )
}

/** The same where one has to be. @throws TerminalError `not_deployed` */
export async function requireTarget(run: RunCommand, environment: Environment): Promise<Target> {
  const target = await findTarget(run, environment)
  if (target !== undefined) return target
  throw new TerminalError(
    'not_deployed',
    `There is no deployment ${environment.deployment} in this subscription that succeeded.`,
    {
      hint: `Make it: npm run deploy -- ${environment.name}; or change the subscription: az account set --subscription ID`,
    },
  )
}
