import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Shape } from '../deploy/environments.ts'
import type { TemplateParameters } from '../deploy/parameters/remember.ts'
import { outputsSchema } from '../deploy/target.ts'
import { ask, type AzureRest } from './azure-rest.ts'
import { MANAGEMENT, MANAGEMENT_SCOPE } from './sites.ts'

export interface Place {
  subscription: string
  environment: string
  /** What azd would make it as. */
  shape: Shape
}

export interface Deployed {
  postgresHost: string | undefined
  /** What the parameter files took from the shell of that deployment; nothing where other templates than these made it. */
  fromShell: TemplateParameters
}

const valueSchema = z.object({ value: outputsSchema })
const answerSchema = z.object({
  properties: z.object({ outputs: z.object({ environment: valueSchema, fromShell: valueSchema.optional() }) }),
})
const withoutOutputsSchema = z.object({ properties: z.object({ outputs: z.null().optional() }) })

const WAITS_MS = [2_000, 5_000, 10_000, 15_000]

const HINT =
  'Without it azd would undo what others have set, such as POSTGRES_SERVER_ID. It takes Reader on the resource group. Where somebody deploys, let them finish: az deployment group show --name taskforce-outputs --resource-group'

/**
 * What the newest deployment of the environment that came to its end says of itself, whether npm, azd or az made it; undefined where
 * there is none. Throws TerminalError `other_shape`, and `azure_refused` or `output_unknown` where it can't be read.
 */
export async function findDeployed(azure: AzureRest, place: Place): Promise<Deployed | undefined> {
  const { subscription, environment, shape } = place
  const group = `rg-taskforce-${environment}`
  const { status, json } = await ask(azure, {
    purpose: 'What the deployment before took from its shell was not read',
    method: 'GET',
    url: `${MANAGEMENT}/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Resources/deployments/taskforce-outputs?api-version=2024-11-01`,
    scope: MANAGEMENT_SCOPE,
    accept: [404],
    waits: WAITS_MS,
    hint: `${HINT} ${group}`,
    // While the module is deployed anew it has none, which must not pass for a first deployment.
    notYet: (answer) => (withoutOutputsSchema.safeParse(answer).success ? 'that it has no outputs' : undefined),
  })
  if (status === 404) return undefined
  const { data } = answerSchema.safeParse(json)
  if (data === undefined) {
    throw new TerminalError('output_unknown', `taskforce-outputs of ${group} is not what these templates write.`, {
      hint: `Look: az deployment group show --resource-group ${group} --name taskforce-outputs --query properties.outputs`,
    })
  }
  const { environment: outputs, fromShell } = data.properties.outputs
  requireShape(environment, shape, outputs.value['TASKFORCE_ENVIRONMENT'])
  return { postgresHost: outputs.value['POSTGRES_HOST'], fromShell: fromShell?.value ?? {} }
}

function requireShape(environment: string, shape: Shape, made: string | undefined): void {
  if (made === undefined || made === shape) return
  throw new TerminalError('other_shape', `${environment} is made as ${made}, and azd would make it ${shape}.`, {
    hint: `azd env set TASKFORCE_ENVIRONMENT ${made} --environment ${environment}; or give the other one a name of its own: azd env new NAME`,
  })
}
