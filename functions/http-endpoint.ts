import {
  app,
  type HttpHandler,
  type HttpMethod,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions'
import { authenticate } from '../src/api/authenticate.ts'
import type { AdminEndpoint, Endpoint } from '../src/api/endpoints.ts'
import { withCommonHeaders, type ApiRequest, type ApiResponse } from '../src/api/http.ts'
import { internalProblem, problem } from '../src/api/problem.ts'
import { isConnectionError, isDiskFull, isPassing } from '../src/db/pg-errors.ts'
import { Refusal } from '../src/missions/refusal.ts'
import { appContext, type AppContext } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'
import { clientOf } from './open-responses.ts'

/** Registers one route. The platform's own keys are not used: every endpoint authenticates by itself. */
export function route(name: string, method: HttpMethod, path: string, handler: HttpHandler): void {
  if (!isRole('app')) return
  app.http(name, { methods: [method], route: path, authLevel: 'anonymous', handler: traced(handler) })
}

/** A route of the API: authenticates, and turns every error into a response, since a thrown one never reaches the client. */
export function endpoint(work: Endpoint): HttpHandler {
  return answering(work, ({ api }) => api)
}

/** The same for a route that looks after the deployment. */
export function adminEndpoint(work: AdminEndpoint): HttpHandler {
  return answering(work, ({ backup }) => backup)
}

function answering<Context>(work: Endpoint<Context>, contextOf: (app: AppContext) => Context): HttpHandler {
  return (request, context) =>
    answered(request, context, () =>
      run(work, contextOf, { ...toApiRequest(request), ...clientOf(context.invocationId) }),
    )
}

/** What `work` answers, or the problem that its error is: a thrown one never reaches the client. */
export async function answered(
  request: HttpRequest,
  { invocationId, functionName }: InvocationContext,
  work: () => Promise<ApiResponse>,
): Promise<HttpResponseInit> {
  const { pathname } = new URL(request.url)
  try {
    return respond(await work())
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== undefined) return respond(problem(refusal, pathname, invocationId))
    report(functionName, invocationId, error)
    return respond(internalProblem(pathname, invocationId))
  }
}

export function respond(response: ApiResponse): HttpResponseInit {
  const { status, headers, body } = withCommonHeaders(response)
  return { status, headers, body: body as HttpResponseInit['body'] }
}

export function toApiRequest(request: HttpRequest): ApiRequest {
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: request.body as ApiRequest['body'],
  }
}

async function run<Context>(
  work: Endpoint<Context>,
  contextOf: (app: AppContext) => Context,
  request: ApiRequest,
): Promise<ApiResponse> {
  const result = appContext()
  if (!result.ok) throw new Refusal('not_ready', 'The service is not configured; see /health/ready.')
  const caller = authenticate(request, result.app.api.auth)
  return work(request, contextOf(result.app), caller)
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (isDiskFull(error))
    return new Refusal('not_ready', "The database's disk is full. Nothing was done; try again when there is room.")
  if (isConnectionError(error))
    return new Refusal('not_ready', 'The database does not answer. Nothing is known to be done; try again.')
  // Such as a row that somebody else has locked for 5 s.
  if (isPassing(error))
    return new Refusal('not_ready', 'Something else holds what this request needs. Nothing was done; try again.')
  return undefined
}

function report(functionName: string, invocationId: string, error: unknown): void {
  const result = appContext()
  const telemetry = result.ok ? result.app.telemetry : result.telemetry
  telemetry.requestFailed({ route: functionName, invocationId, error })
}
