import type { Binding, SeenFunction } from './hosts/worker-host.ts'

/** Every function of the app with what the platform goes by: contracts page, "HTTP" and "Settings". */
export const expectedFunctions: Record<string, string> = {
  'answer-question': 'POST api/v1/missions/{id:guid}/answers',
  'cancel-mission': 'POST api/v1/missions/{id:guid}/cancel',
  'continue-mission': 'POST api/v1/missions/{id:guid}/continue',
  'create-mission': 'POST api/v1/missions',
  'fork-mission': 'POST api/v1/missions/{id:guid}/fork',
  'get-mission': 'GET api/v1/missions/{id:guid}',
  health: 'GET health',
  'health-ready': 'GET health/ready',
  'list-missions': 'GET api/v1/missions',
  'mission-events': 'GET api/v1/missions/{id:guid}/events',
  'mission-files': 'GET api/v1/missions/{id:guid}/files',
  'mission-files-content': 'GET api/v1/missions/{id:guid}/files/{*name}',
  'pause-mission': 'POST api/v1/missions/{id:guid}/pause',
  'resume-mission': 'POST api/v1/missions/{id:guid}/resume',
  'retry-mission': 'POST api/v1/missions/{id:guid}/retry',
  'run-mission': 'queue missions by JOBS_STORAGE',
  'run-mission-poison': 'queue missions-poison by JOBS_STORAGE',
  'send-message': 'POST api/v1/missions/{id:guid}/messages',
  sweep: 'timer 0 * * * * *',
}

/** The functions that a host saw, in the form of the list above. */
export function describeFunctions(functions: SeenFunction[]): Record<string, string> {
  return Object.fromEntries(
    functions.map(({ name, bindings }) => [name, Object.values(bindings).map(describe).join('')]),
  )
}

function describe(binding: Binding): string {
  const { type, authLevel, methods, route, queueName, connection, schedule } = binding
  switch (type) {
    case 'httpTrigger':
      // The platform's keys are off everywhere: every endpoint authenticates by itself.
      return authLevel === 'anonymous' ? `${String(methods)} ${String(route)}` : `${String(authLevel)} key`
    case 'queueTrigger':
      return `queue ${String(queueName)} by ${String(connection)}`
    case 'timerTrigger':
      return `timer ${String(schedule)}`
    case 'http':
      return ''
    default:
      return type
  }
}
