import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { showOutputs } from './commands/subscription.ts'
import { commandLine } from './command-line.ts'
import { isNotThere } from './is-not-there.ts'
import type { TemplateParameters } from './parameters/remember.ts'
import { parseOutput } from './read-output.ts'
import type { Session } from './session.ts'
import { outputsSchema, readTarget, type Target } from './target.ts'

export interface Deployed {
  target: Target
  /** What the parameter files took from the shell of that deployment; nothing where other templates than these made it. */
  fromShell: TemplateParameters
}

const valuesSchema = z.object({ environment: outputsSchema, fromShell: outputsSchema.nullish() })

/** While the module is deployed anew it has no outputs, for which az prints nothing. */
const WAITS_MS = [2_000, 5_000, 10_000, 15_000]

/**
 * What the newest deployment of an environment that came to its end says of itself; undefined where there is none. A deployment that
 * fails leaves the answer of the one before as it is.
 * @throws TerminalError `other_shape`, and `output_unknown` for an answer that tells neither
 */
export async function findDeployed(session: Session): Promise<Deployed | undefined> {
  const { environment } = session
  const text = await readText(session).catch((error: unknown) => {
    if (isNotThere(error)) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const values = parseOutput(showOutputs(environment), text, valuesSchema)
  const target = readTarget(values.environment)
  if (target.shape === environment.shape) return { target, fromShell: values.fromShell ?? {} }
  throw new TerminalError(
    'other_shape',
    `${environment.name} is made as ${target.shape}, not as ${environment.shape}.`,
    {
      hint: `Name it so: ${target.shape} --name ${environment.name}; or give the other one a name of its own with --name.`,
    },
  )
}

/** Not an empty one, which would make a first deployment of an environment that is there. */
async function readText({ run, environment, clock, log, stopping }: Session): Promise<string> {
  const waits = [...WAITS_MS]
  for (;;) {
    const text = await run(showOutputs(environment))
    if (!['', 'null'].includes(text.trim())) return text
    const wait = waits.shift()
    if (wait === undefined) throw silent(environment.resourceGroup)
    log.say(`  the infrastructure does not say where it is, as while it is deployed: once more in ${wait / 1000} s.`)
    await clock.sleep(wait, stopping.signal)
  }
}

function silent(group: string): TerminalError {
  const deployment = `--resource-group ${group} --name taskforce-outputs`
  return new TerminalError(
    'output_unknown',
    `The deployment taskforce-outputs of ${group} is there and has no outputs: somebody deploys, or that came to no end.`,
    {
      hint: `Look: az deployment group show ${deployment} --query properties.provisioningState. Where it runs, let it finish. Where it failed, make it anew by plain az, as the README says, without the loop and with the variables that are to stay. What that deployment was given: az deployment group show ${deployment} --query properties.parameters.fromShell.value, or the portal, Deployments of the group.`,
    },
  )
}

/** The same where one has to be. @throws TerminalError `not_deployed` */
export async function requireDeployed(session: Session): Promise<Deployed> {
  const deployed = await findDeployed(session)
  if (deployed !== undefined) return deployed
  const { environment, options } = session
  throw new TerminalError(
    'not_deployed',
    `There is no ${environment.name} in this subscription: ${environment.resourceGroup} has no deployment taskforce-outputs.`,
    {
      hint: `Make it: ${commandLine('deploy', environment, { ...options, skipInfra: false })}; or change the subscription: az account set --subscription ID`,
    },
  )
}

/** Where its parts are. @throws TerminalError `not_deployed` */
export async function requireTarget(session: Session): Promise<Target> {
  return (await requireDeployed(session)).target
}
