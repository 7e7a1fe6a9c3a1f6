import type { Binding, SeenFunction } from './hosts/worker-host.ts'

/** Every function of the app with what the platform goes by: contracts page, "HTTP" and "Settings". */
export const expectedFunctions: Record<string, string> = {
  'answer-question': 'POST api/v1/missions/{id:guid}/answers',
  backup: 'timer 0 0 2 * * *',
  'cancel-mission': 'POST api/v1/missions/{id:guid}/cancel',
  'continue-mission': 'POST api/v1/missions/{id:guid}/continue',
  'create-backup': 'POST api/v1/admin/backups',
  'create-mission': 'POST api/v1/missions',
  'drill-backup': 'POST api/v1/admin/backups/{name}/drill',
  'fork-mission': 'POST api/v1/missions/{id:guid}/fork',
  'get-backup': 'GET api/v1/admin/backups/{name}',
  'get-mission': 'GET api/v1/missions/{id:guid}',
  health: 'GET health',
  'health-ready': 'GET health/ready',
  'list-backups': 'GET api/v1/admin/backups',
  'list-missions': 'GET api/v1/missions',
  'mission-events': 'GET api/v1/missions/{id:guid}/events',
  'mission-files': 'GET api/v1/missions/{id:guid}/files',
  'mission-files-content': 'GET api/v1/missions/{id:guid}/files/{*name}',
  'pause-mission': 'POST api/v1/missions/{id:guid}/pause',
  'prune-backups': 'POST api/v1/admin/backups/prune',
  'restore-drill': 'timer 0 0 4 * * 0',
  'resume-mission': 'POST api/v1/missions/{id:guid}/resume',
  retain: 'timer 0 30 3 * * *',
  'retry-mission': 'POST api/v1/missions/{id:guid}/retry',
  'run-mission': 'queue missions by JOBS_STORAGE',
  'run-mission-poison': 'queue missions-poison by JOBS_STORAGE',
  'send-message': 'POST api/v1/missions/{id:guid}/messages',
  sweep: 'timer 0 * * * * *',
  'verify-backup': 'POST api/v1/admin/backups/{name}/verify',
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
