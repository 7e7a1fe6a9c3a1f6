import { z } from 'zod'
import { keepsSecrets } from '../../../src/config/keeps-secrets.ts'
import { causeOf } from '../failure.ts'
import { getJson, type Answer } from '../get.ts'
import type { Inputs, Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'
import { foreign } from '../scrub.ts'

const checkSchema = z.looseObject({ status: z.enum(['pass', 'warn', 'fail']), detail: z.string().optional() })
const readinessSchema = z.looseObject({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  version: z.string().default('?'),
  checks: z.record(z.string().regex(/^[a-z]{1,20}$/i), checkSchema).default({}),
})

/** What /health/ready of an API says: the one of `--url`, else the local environment's; no line where there is neither. */
export function apiProbes(inputs: Inputs): Probe[] {
  const url = inputs.url ?? inputs.run?.url
  if (url === undefined) return []
  const hint = inputs.url === undefined ? 'npm start, or func start after npm run dev:services' : 'correct --url'
  return [{ group: 'API', name: 'ready', hint, run: (signal) => inspect(inputs, url, hint, signal) }]
}

async function inspect(inputs: Inputs, base: string, hint: string, signal: AbortSignal): Promise<Finding[]> {
  const url = `${base.replace(/\/+$/, '')}/health/ready`
  const isSafe = keepsSecrets(url)
  // Readiness needs none; only the details do.
  const key = isSafe ? inputs.values.get('TASKFORCE_API_KEY')?.value : undefined
  const adviceForDetails = isSafe
    ? 'set TASKFORCE_API_KEY to its key and try again'
    : 'begin --url with https://; the key is not sent there unencrypted'
  let answer: Answer
  try {
    answer = await getJson(url, key === undefined ? {} : { authorization: `Bearer ${key}` }, signal)
  } catch (error) {
    const detail = `${base}: ${causeOf(error)}`
    // dev:services writes the address at which func start will serve.
    return [inputs.url === undefined ? warn('ready', detail, hint) : fail('ready', detail, hint)]
  }
  const readiness = readinessSchema.safeParse(answer.body)
  if (!readiness.success) return [fail('ready', `${base} is no API of Taskforce (${answer.status})`, hint)]
  const { status, version, checks } = readiness.data
  const known = inputs.known()
  const line = `${base} is ${status}, version ${foreign(version, known, 20)}`
  const others = Object.entries(checks).filter(([, check]) => check.status !== 'pass')
  const details = others.map(([name, check]) => {
    const detail = check.detail === undefined ? 'no detail without its key' : foreign(check.detail, known)
    const advice = check.detail === undefined ? adviceForDetails : `see ${url}`
    return check.status === 'warn' ? warn(name, detail, advice) : fail(name, detail, advice)
  })
  if (status === 'ready') return [pass('ready', line), ...details]
  return [status === 'degraded' ? warn('ready', line, `see ${url}`) : fail('ready', line, `see ${url}`), ...details]
}
