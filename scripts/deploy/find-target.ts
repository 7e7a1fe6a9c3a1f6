import { TerminalError } from '../../src/domain/errors.ts'
import { showOutputs } from './commands/subscription.ts'
import { commandLine } from './command-line.ts'
import { isNotThere } from './is-not-there.ts'
import { readOutput } from './read-output.ts'
import type { Session } from './session.ts'
import { outputsSchema, readTarget, type Target } from './target.ts'

/**
 * Where an environment's parts are; undefined where none came to its end yet. A deployment that fails leaves the answer of the one
 * before as it is.
 * @throws TerminalError `other_shape`
 */
export async function findTarget({ run, environment }: Session): Promise<Target | undefined> {
  const outputs = await readOutput(run, showOutputs(environment), outputsSchema.nullish()).catch((error: unknown) => {
    if (isNotThere(error)) return undefined
    throw error
  })
  if (outputs == null) return undefined
  const target = readTarget(outputs)
  if (target.shape === environment.shape) return target
  throw new TerminalError(
    'other_shape',
    `${environment.name} is made as ${target.shape}, not as ${environment.shape}.`,
    {
      hint: `Name it so: ${target.shape} --name ${environment.name}; or give the other one a name of its own with --name.`,
    },
  )
}

/** The same where one has to be. @throws TerminalError `not_deployed` */
export async function requireTarget(session: Session): Promise<Target> {
  const target = await findTarget(session)
  if (target !== undefined) return target
  const { environment, options } = session
  throw new TerminalError(
    'not_deployed',
    `There is no ${environment.name} in this subscription: ${environment.resourceGroup} has no deployment taskforce-outputs.`,
    {
      hint: `Make it: ${commandLine('deploy', environment, { ...options, skipInfra: false })}; or change the subscription: az account set --subscription ID`,
    },
  )
}
