import { json } from '../src/api/http.ts'
import { version } from '../src/version.ts'
import { respond, route } from './http-endpoint.ts'

/** Touches nothing but the process. */
route('health', 'GET', 'health', () =>
  respond(json(200, { status: 'healthy', version, timestamp: new Date().toISOString() })),
)
