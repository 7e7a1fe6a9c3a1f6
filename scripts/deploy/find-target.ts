import { TerminalError } from '../../src/domain/errors.ts'
import { showDeployment } from './commands.ts'
import type { Environment } from './environments.ts'
import { readOutput } from './read-output.ts'
import type { RunCommand } from './run-command.ts'
import { outputsSchema, readTarget, type Target } from './target.ts'

/** Where an environment's parts are, by its last deployment; undefined where there was none. */
export async function findTarget(run: RunCommand, environment: Environment): Promise<Target | undefined> {
  try {
    return readTarget(await readOutput(run, showDeployment(environment), outputsSchema))
  } catch (error) {
    if (error instanceof TerminalError && /DeploymentNotFound|could not be found/i.test(error.message)) return undefined
    throw error
  }
}

/** The same where one has to be. @throws TerminalError `not_deployed` */
export async function requireTarget(run: RunCommand, environment: Environment): Promise<Target> {
  const target = await findTarget(run, environment)
  if (target !== undefined) return target
  throw new TerminalError('not_deployed', `There is no deployment ${environment.deployment} in this subscription.`, {
    hint: `Make it: npm run deploy -- ${environment.name}; or change the subscription: az account set --subscription ID`,
  })
}
