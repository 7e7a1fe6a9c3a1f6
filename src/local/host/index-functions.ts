import { type NextRun, parseSchedule } from './ncrontab.ts'
import type { Binding, HostLog, Registration } from './protocol.ts'
import { compileRoute, type RouteMatcher } from './route-template.ts'

type Indexed = { functionName: string; bindingName: string }
export type HttpFunction = Indexed & { route: string; methods: string[]; match: RouteMatcher }
export type TimerFunction = Indexed & { schedule: string; next: NextRun; runOnStartup: boolean; useMonitor: boolean }
export type QueueFunction = Indexed & { queueName: string; connectionString: string; asBytes: boolean }

export type FunctionIndex = { http: HttpFunction[]; timers: TimerFunction[]; queues: QueueFunction[] }

export type IndexContext = {
  env: Record<string, string | undefined>
  routePrefix: string
  resolveConnection: (name: string) => string | undefined
  log: HostLog
}

/**
 * Sorts the app's registrations by trigger and resolves `%SETTING%` and connections. A function that can't run is left out with one
 * log line that says why, as the Functions host does; the others run. Routes are in the order in which the host tries them.
 */
export function indexFunctions(registrations: Registration[], context: IndexContext): FunctionIndex {
  const index: FunctionIndex = { http: [], timers: [], queues: [] }
  for (const registration of registrations.toSorted((a, b) => compareOrdinal(a.name, b.name))) {
    try {
      if (isDisabled(registration.name, context.env)) throw new Error('it is disabled by a setting')
      addFunction(index, registration, context)
    } catch (error) {
      const message = `The function '${registration.name}' is not indexed and will not run: ${(error as Error).message}.`
      context.log({ level: 'error', category: 'Host.Startup', message })
    }
  }
  return index
}

function addFunction(index: FunctionIndex, registration: Registration, context: IndexContext): void {
  const { name: functionName, bindings } = registration
  const [bindingName, trigger] = findTrigger(bindings)
  const base = { functionName, bindingName }
  switch (trigger.type.toLowerCase()) {
    case 'httptrigger':
      index.http.push({ ...base, ...httpRoute(functionName, trigger, context) })
      return
    case 'timertrigger':
      index.timers.push({ ...base, ...timerSchedule(trigger, context) })
      break
    case 'queuetrigger':
      index.queues.push({ ...base, ...queueSource(trigger, context) })
      break
    default:
      throw new Error(`the local host has no "${trigger.type}"; it runs HTTP, timer and queue triggers`)
  }
  if (registration.hasRetryPolicy) {
    const message = `The retry policy of '${functionName}' is ignored by the local host.`
    context.log({ level: 'warning', category: 'Host.Startup', message })
  }
}

function findTrigger(bindings: Record<string, Binding>): [string, Binding] {
  const trigger = Object.entries(bindings).find(([, binding]) => /trigger$/i.test(binding.type))
  if (!trigger) throw new Error('it has no trigger')
  const other = Object.values(bindings).find((one) => one !== trigger[1] && !/^http$/i.test(one.type))
  if (other) throw new Error(`the local host has no "${other.type}" ${other.direction}put binding`)
  return trigger
}

function httpRoute(name: string, trigger: Binding, context: IndexContext): Omit<HttpFunction, keyof Indexed> {
  // An empty route means the function's name (WebScriptHostHttpRoutesManager.cs).
  const own = resolveSettings(text(trigger.route) || name, context.env).replace(/^\/+/, '')
  if (/^(admin|runtime)/i.test(own)) {
    throw new Error(`its route "${own}" starts with "admin" or "runtime", which the Functions host keeps for itself`)
  }
  const route = context.routePrefix ? `${context.routePrefix}/${own}` : own
  const methods = Array.isArray(trigger.methods) ? trigger.methods.map((method) => String(method).toUpperCase()) : []
  return { route, methods, match: compileRoute(route) }
}

function timerSchedule(trigger: Binding, context: IndexContext): Omit<TimerFunction, keyof Indexed> {
  const schedule = resolveSettings(text(trigger.schedule), context.env)
  return {
    schedule,
    next: parseSchedule(schedule),
    runOnStartup: trigger.runOnStartup === true,
    useMonitor: trigger.useMonitor !== false,
  }
}

function queueSource(trigger: Binding, context: IndexContext): Omit<QueueFunction, keyof Indexed> {
  const queueName = resolveSettings(text(trigger.queueName), context.env).toLowerCase()
  if (!/^[a-z0-9](-?[a-z0-9]){2,62}$/.test(queueName)) throw new Error(`"${queueName}" is not a queue name`)
  const connection = resolveSettings(text(trigger.connection) || 'AzureWebJobsStorage', context.env)
  const connectionString = context.resolveConnection(connection)
  if (!connectionString) throw new Error(`its connection "${connection}" has no connection string in the settings`)
  return { queueName, connectionString, asBytes: trigger.dataType === 'binary' }
}

/** Replaces `%NAME%` by the setting of that name. Throws when there is none, as the host's name resolver does. */
function resolveSettings(value: string, env: IndexContext['env']): string {
  return value.replace(/%([^%]+)%/g, (_, name: string) => {
    const setting = env[name]
    if (!setting) throw new Error(`"%${name}%" does not resolve to a value, because the setting ${name} is not set`)
    return setting
  })
}

function isDisabled(name: string, env: IndexContext['env']): boolean {
  const value = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs_${name.replaceAll('-', '_')}_Disabled`]
  return value === '1' || value?.toLowerCase() === 'true'
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** .NET's StringComparer.OrdinalIgnoreCase: by code unit of the upper-case form. */
function compareOrdinal(a: string, b: string): number {
  const [left, right] = [a.toUpperCase(), b.toUpperCase()]
  return left < right ? -1 : Number(left > right)
}
