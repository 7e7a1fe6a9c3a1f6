import type { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { ask, type AzureRest, type Call } from './azure-rest.ts'

/**
 * What Azure answers, as it has to be. Throws TerminalError `output_unknown` for another answer, with what is wrong with it and no value
 * of it, which may be a key; and what `ask` throws.
 */
export async function askFor<T>(azure: AzureRest, call: Call, schema: z.ZodType<T>): Promise<T> {
  const { json } = await ask(azure, call)
  const { data, error } = schema.safeParse(json)
  if (error === undefined) return data
  const wrong = error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`).join('; ')
  const { host, pathname } = new URL(call.url)
  throw new TerminalError(
    'output_unknown',
    // Not that it was not done: what answers so may have done it.
    `${call.method} ${pathname} of ${host} answered something else than this reads (${wrong}), so what came of it is not known.`,
    {
      hint: '"azd hooks run postdeploy" asks again. Where the answer is the same, something else answers there, such as a proxy, or Azure has changed it.',
    },
  )
}
