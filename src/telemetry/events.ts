import type { Problem } from '../config/config.ts'
import type { MissionEvent } from '../domain/event.ts'
import type { MissionState } from '../domain/state.ts'
import { outsideInvocation } from './invocation.ts'
import type { Logger } from './logger.ts'

interface About {
  missionId: string
  tenantId?: string
  profile?: string
}

/** Everything that the product says about itself while it runs: one function for each event, so that names can't drift. */
export interface Telemetry {
  started(version: string, node: string): void
  misconfigured(problems: readonly Problem[]): void
  recorded(about: About, event: MissionEvent, state: MissionState): void
  missionAccepted(about: About & { goal: string }): void
  toolCrashed(about: About & { tool: string; error: unknown }): void
  wakeFailed(about: { missionId: string; error: unknown }): void
  missionUnreadable(about: About & { error: unknown }): void
  leaseLost(about: About): void
  missionHeldUp(about: About & { times: number; nextTryInSeconds: number; error: unknown }): void
  poisoned(about: { message?: string; missionId?: string; status?: string; crashes?: number; next?: string }): void
  sliceFailed(error: unknown): void
  swept(facts: { due: number; skipped: boolean }): void
  sweepFailed(error: unknown): void
  databaseError(error: Error): void
  heartbeatFailed(error: unknown): void
  shutdownFailed(error: unknown): void
  requestFailed(about: { route: string; invocationId: string; error: unknown }): void
  /** With `missing`, it lacks data; with `drift`, the schema was changed by hand. Either makes it unverified. */
  backupMade(about: {
    name: string
    bytes: number
    rows: number
    durationMs: number
    missing: readonly string[]
    drift: readonly string[]
  }): void
  backupFailed(about: { backup: string | undefined; error: unknown }): void
  backupNotCopied(about: { backup: string; place: string; error: unknown }): void
  /** No verified backup, or no drill, for too long. */
  backupOverdue(about: { why: string }): void
  drilled(about: { name: string; ok: boolean; failed: readonly string[]; durationMs: number }): void
  drillFailed(error: unknown): void
  pruned(about: { removed: readonly string[]; held: readonly string[]; bytesFreed: number }): void
  pruneFailed(about: { place: string; error: unknown }): void
  /** With `outOfTime`, there was more to remove than a night has time for. */
  retained(about: { outOfTime: boolean }): void
  retainFailed(error: unknown): void
}

export function createTelemetry(logger: Logger): Telemetry {
  return {
    started: (version, node) => logger.info({ version, node }, 'app.started'),
    misconfigured: (problems) => logger.error({ problems }, 'app.misconfigured'),
    recorded: (about, event, state) => recorded(logger, about, event, state),
    missionAccepted: ({ goal, ...about }) => {
      logger.info(context(about), 'agent.mission.accepted')
      logger.debug({ ...context(about), mission: goal }, 'agent.mission.goal')
    },
    toolCrashed: ({ tool, error, ...about }) =>
      logger.error({ ...context(about), tool, err: reason(error) }, 'agent.tool.crashed'),
    wakeFailed: ({ error, ...about }) => logger.warn({ ...context(about), err: reason(error) }, 'queue.wake.failed'),
    missionUnreadable: ({ error, ...about }) =>
      logger.error({ ...context(about), err: reason(error) }, 'agent.mission.unreadable'),
    leaseLost: (about) => logger.warn(context(about), 'agent.lease.lost'),
    missionHeldUp: ({ times, nextTryInSeconds, error, ...about }) =>
      logger.error({ ...context(about), times, nextTryInSeconds, err: reason(error) }, 'agent.mission.held_up'),
    poisoned: ({ missionId, message, ...facts }) =>
      logger.error(
        { ...(missionId === undefined ? {} : context({ missionId })), ...facts, message: message?.slice(0, 500) },
        'queue.message.poisoned',
      ),
    sliceFailed: (error) => outsideInvocation(() => logger.error({ err: reason(error) }, 'engine.slice.failed')),
    swept: (facts) => logger.debug(facts, 'engine.sweep.finished'),
    sweepFailed: (error) => logger.warn({ err: reason(error) }, 'engine.sweep.failed'),
    databaseError: (error) =>
      outsideInvocation(() => logger.warn({ err: reason(error) }, 'database.connection.failed')),
    shutdownFailed: (error) => outsideInvocation(() => logger.warn({ err: reason(error) }, 'app.shutdown.failed')),
    heartbeatFailed: (error) => outsideInvocation(() => logger.warn({ err: reason(error) }, 'engine.heartbeat.failed')),
    requestFailed: ({ error, ...about }) => logger.error({ ...about, err: reason(error) }, 'api.request.failed'),
    backupMade: ({ missing, drift, name, bytes, rows, durationMs }) => {
      const facts = { backup: name, bytes, rows, durationMs }
      if (missing.length === 0 && drift.length === 0) logger.info(facts, 'backup.finished')
      // What is missing is lost with the database, so it is named whole.
      else logger.error({ missing, ...facts, drift: drift.slice(0, 20) }, 'backup.unverified')
    },
    backupFailed: ({ backup, error }) => logger.error({ backup, err: reason(error) }, 'backup.failed'),
    backupNotCopied: ({ error, ...about }) => logger.error({ ...about, err: reason(error) }, 'backup.offsite.failed'),
    backupOverdue: (about) => logger.error(about, 'backup.overdue'),
    drilled: ({ name, ok, failed, durationMs }) =>
      logger[ok ? 'info' : 'error']({ backup: name, failed, durationMs }, `backup.drill.${ok ? 'passed' : 'failed'}`),
    drillFailed: (error) => logger.error({ err: reason(error) }, 'backup.drill.failed'),
    pruned: (about) => logger.info(about, 'backup.pruned'),
    pruneFailed: ({ error, ...about }) => logger.error({ ...about, err: reason(error) }, 'backup.prune.failed'),
    retained: (about) => logger[about.outOfTime ? 'warn' : 'info'](about, 'retention.finished'),
    retainFailed: (error) => logger.error({ err: reason(error) }, 'retention.failed'),
  }
}

/** The seed's names: a mission is a session to whoever reads the logs. */
function context({ missionId, tenantId, profile }: About) {
  return { session_id: missionId, tenant: tenantId, profile }
}

function recorded(logger: Logger, about: About, event: MissionEvent, state: MissionState): void {
  const base = { ...context(about), seq: event.seq }
  switch (event.type) {
    case 'mission.started':
      return logger.info(base, 'agent.execution.started')
    case 'model.answered': {
      const { model, usage, durationMs, toolCalls, finishReason, contentFilter } = event.data
      return logger.info(
        { ...base, model, ...usage, durationMs, finishReason, contentFilter, tools: toolCalls.map(({ name }) => name) },
        'agent.model.answered',
      )
    }
    case 'model.failed':
      return logger.warn({ ...base, ...failureOf(event.data) }, 'agent.model.failed')
    case 'tool.finished':
      return logger.info({ ...base, tool: event.data.name, durationMs: event.data.durationMs }, 'agent.tool.finished')
    case 'tool.failed':
      return logger.warn({ ...base, tool: event.data.name, code: event.data.error.code }, 'agent.tool.failed')
    case 'mission.completed':
      return logger.info({ ...base, ...state.usage }, 'agent.execution.completed')
    case 'mission.failed':
      return logger.error(
        { ...base, code: event.data.code, reason: event.data.message, ...state.usage },
        'agent.execution.failed',
      )
    default:
      return logger.info(base, `agent.${event.type}`)
  }
}

function failureOf({
  model,
  error,
  retry,
  contentFilter,
  usage,
}: Extract<MissionEvent, { type: 'model.failed' }>['data']) {
  return { model, code: error.code, retry, contentFilter, ...usage }
}

function reason(error: unknown): { type: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  return { type: error.name, message: error.message, stack: error.stack }
}
