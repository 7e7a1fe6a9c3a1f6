import { json } from '../src/api/http.ts'
import { buildId } from '../src/build-id.ts'
import { version } from '../src/version.ts'
import { respond, route } from './http-endpoint.ts'

/** Touches nothing but the process. */
route('health', 'GET', 'health', () =>
  respond(json(200, { status: 'healthy', version, build: buildId, timestamp: new Date().toISOString() })),
)
