import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Place } from './find-deployed.ts'
import { shapeOf } from './shape.ts'

/** What azd gives a hook, whether anything was provisioned or not. */
const placeSchema = z.object({
  AZURE_ENV_NAME: z.string().min(1),
  AZURE_SUBSCRIPTION_ID: z.string().default(''),
  /** As bicep/main.bicepparam takes it. */
  TASKFORCE_ENVIRONMENT: z.string().default(''),
})

/**
 * Which environment azd is at work on. Throws TerminalError `outputs_missing` where this is no hook of azd, `subscription_unknown`, and
 * what `shapeOf` throws.
 */
export function readPlace(env: NodeJS.ProcessEnv): Place {
  const { data } = placeSchema.safeParse(env)
  if (data === undefined) {
    throw new TerminalError('outputs_missing', 'azd does not say which environment this is: no AZURE_ENV_NAME.', {
      hint: 'This is a hook of azd: "azd provision" and "azd up" run it.',
    })
  }
  const { AZURE_ENV_NAME: environment, AZURE_SUBSCRIPTION_ID: subscription } = data
  const shape = shapeOf(environment, data.TASKFORCE_ENVIRONMENT)
  if (subscription === '') throw subscriptionUnknown(environment)
  return { environment, subscription, shape }
}

/** "azd up" asks for it before its hooks, and the first "azd provision" after them. */
function subscriptionUnknown(environment: string): TerminalError {
  return new TerminalError(
    'subscription_unknown',
    `azd does not know yet in which subscription ${environment} is, and so neither whether it is there.`,
    { hint: `azd env set AZURE_SUBSCRIPTION_ID ID --environment ${environment}, then azd again.` },
  )
}
