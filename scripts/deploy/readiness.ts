import { z } from 'zod'
import { patiently } from './patiently.ts'
import { ask, headersOf, passing, type AppAccess } from './smoke-request.ts'

const readySchema = z.looseObject({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  checks: z.record(z.string(), z.looseObject({ status: z.string(), detail: z.string().optional() })),
})

/** What an app says of itself: not as it should be, one a line. */
export interface Readiness {
  isAvailable: boolean
  worries: string[]
}

const PATH = '/health/ready'

/** Asks once; undefined where what comes is none of this service's answers. */
export async function readReadiness({ url, apiKey }: AppAccess): Promise<Readiness | undefined> {
  return parse((await ask(url, PATH, headersOf(apiKey))).body)
}

/** Waits for about a minute until an app can take missions. Throws TerminalError `smoke_failed` with what it lacks. */
export async function awaitReady(access: AppAccess): Promise<Readiness> {
  const { url, apiKey } = access
  return patiently(access, async () => {
    const answer = await ask(url, PATH, headersOf(apiKey))
    const readiness = parse(answer.body)
    if (readiness?.isAvailable === true) return { value: readiness }
    const { retryAfterMs } = answer
    if (readiness !== undefined)
      return { notYet: `the service is unavailable (${readiness.worries.join('; ')})`, retryAfterMs }
    return (
      passing(answer, `${url}${PATH}`) ?? {
        notYet: `${url}${PATH} answers ${answer.status}, which is none of this service's answers`,
      }
    )
  })
}

function parse(body: unknown): Readiness | undefined {
  const parsed = readySchema.safeParse(body)
  if (!parsed.success) return undefined
  const worries = Object.entries(parsed.data.checks).filter(([, check]) => check.status !== 'pass')
  return {
    isAvailable: parsed.data.status !== 'unavailable',
    worries: worries.map(([name, check]) => `${name}: ${check.detail ?? check.status}`),
  }
}
