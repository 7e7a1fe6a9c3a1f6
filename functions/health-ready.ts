import { hasKey } from '../src/api/authenticate.ts'
import { rawAuth } from '../src/config/raw-auth.ts'
import { checkReadiness, type Check, type Readiness } from '../src/api/health.ts'
import { json } from '../src/api/http.ts'
import { version } from '../src/version.ts'
import { appContext } from './app-context.ts'
import { respond, route, toApiRequest } from './http-endpoint.ts'

/** Needs no key; the details are for callers with one. Answers 503 where missions can't be taken, 200 otherwise. */
route('health-ready', 'GET', 'health/ready', async (request) => {
  const result = appContext()
  const app = result.ok ? result.app : undefined
  const readiness = await checkReadiness({
    db: app?.databases.engine,
    config: app?.config,
    problems: result.ok ? result.app.problems : result.problems,
    pingQueue: app?.pingQueue,
    pingBlobs: app?.pingBlobs,
  })
  const auth = app?.api.auth ?? rawAuth(process.env)
  const trusted = auth.mode === 'off' || hasKey(toApiRequest(request), auth.apiKey)
  return respond(json(readiness.status === 'unavailable' ? 503 : 200, body(readiness, trusted)))
})

function body(readiness: Readiness, trusted: boolean) {
  const checks = Object.entries(readiness.checks).map(([name, check]) => [name, trusted ? check : bare(check)])
  return { ...readiness, version, timestamp: new Date().toISOString(), checks: Object.fromEntries(checks) as object }
}

function bare({ status }: Check): Check {
  return { status }
}
