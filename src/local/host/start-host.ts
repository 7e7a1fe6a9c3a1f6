import { existsSync } from 'node:fs'
import path from 'node:path'
import { type HostSettings, readHostJson } from './host-json.ts'
import { type HttpListener, listenHttp } from './http-server.ts'
import { type FunctionIndex, indexFunctions } from './index-functions.ts'
import type { HostLog } from './protocol.ts'
import { listenToQueue } from './queue-trigger.ts'
import { settledWithin } from './settled-within.ts'
import { type Supervisor, superviseWorker } from './supervisor.ts'
import { timerStatuses } from './timer-status.ts'
import { runTimer } from './timer-trigger.ts'

export type HostOptions = {
  /** Path of the app's CommonJS bundle. */
  bundle: string
  /** Path of host.json; its folder is the app's folder and the worker's working directory. */
  hostJson: string
  /** The whole environment of the worker, and where `%SETTING%` and connections are looked up. */
  env: Record<string, string | undefined>
  /** 0 takes a free one. */
  port: number
  hostname?: '127.0.0.1' | '::1'
  log: HostLog
  /** Gives the connection string behind a `connection` name; default: the setting of that name, `AzureWebJobs` before it first. */
  resolveConnection?: (name: string) => string | undefined
  onWorkerRestart?: (reason: string) => void
  /** Where timers' statuses are kept over restarts, so that a missed run is made up for; in memory without it. */
  timerStatusDir?: string
  /** How long a received queue message stays invisible, renewed at half time. 10 minutes, as on Azure. */
  queueInvisibilityMs?: number
  /** 230 s, as the platform's load balancer. */
  responseTimeoutMs?: number
  /** 210 MB, as on Flex Consumption. */
  maxBodyBytes?: number
  /** How long a request waits for a worker that is being restarted before it is answered 503; 10 s. */
  workerWaitMs?: number
  /** How long `stop` lets running invocations go on; 5 s. */
  drainMs?: number
  /** How long `stop` lets appTerminate hooks take; 5 s. */
  terminateMs?: number
}

export type FunctionSummary = {
  name: string
  trigger: 'http' | 'timer' | 'queue'
  /** Methods and route, schedule, or queue. */
  source: string
}

export type RunningHost = {
  url: string
  port: number
  functions: FunctionSummary[]
  workerPid: () => Promise<number>
  /** Takes no more work, lets what runs end, runs appTerminate, ends the worker. Safe to call twice. */
  stop: () => Promise<void>
}

/** How long settling the last queue messages may take once no function runs any more. */
const settleMs = 5000

/**
 * Runs a bundle as the Azure Functions host and its Node worker would, on loopback only.
 * Throws one sentence when host.json is wrong, the app does not load or has no functions, or the port is taken.
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const settings = readHostJson(options.hostJson)
  const bundle = path.resolve(options.bundle)
  if (!existsSync(bundle)) throw new Error(`There is no app bundle at ${bundle}. Build the app first.`)
  const { functionTimeoutMs } = settings
  const supervisor = await superviseWorker({
    bundle,
    appDirectory: path.dirname(path.resolve(options.hostJson)),
    env: workerEnv(options.env),
    log: options.log,
    functionTimeoutMs,
    onRestart: (reason) => options.onWorkerRestart?.(reason),
  })
  try {
    return await serveApp(options, settings, supervisor)
  } catch (error) {
    await supervisor.stop(0)
    throw error
  }
}

async function serveApp(options: HostOptions, settings: HostSettings, supervisor: Supervisor): Promise<RunningHost> {
  const { env, log } = options
  const resolveConnection = options.resolveConnection ?? ((name) => env[`AzureWebJobs${name}`] || env[name])
  const registered = supervisor.first.functions
  if (registered.length === 0)
    throw new Error(`The app ${options.bundle} registered no functions, so there is nothing to run.`)
  const index = indexFunctions(registered, { env, routePrefix: settings.routePrefix, resolveConnection, log })
  const stopping = new AbortController()
  const http = await listenHttp(
    {
      functions: index.http,
      supervisor,
      maxBodyBytes: options.maxBodyBytes ?? 210 * 2 ** 20,
      responseTimeoutMs: options.responseTimeoutMs ?? 230_000,
      workerWaitMs: options.workerWaitMs ?? 10_000,
      signal: stopping.signal,
    },
    options.hostname ?? '127.0.0.1',
    options.port,
  )
  const listeners = startListeners(options, settings, index, supervisor, stopping.signal)
  const { port } = http
  let stopped: Promise<void> | undefined
  return {
    url: `http://${options.hostname === '::1' ? '[::1]' : 'localhost'}:${port}`,
    port,
    functions: summarise(index),
    workerPid: async () => (await supervisor.current(options.workerWaitMs ?? 10_000)).pid,
    stop: () => (stopped ??= stop(options, http, supervisor, stopping, listeners)),
  }
}

function startListeners(
  options: HostOptions,
  settings: HostSettings,
  index: FunctionIndex,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<unknown> {
  const invisibilityMs = options.queueInvisibilityMs ?? 600_000
  const statuses = timerStatuses(options.timerStatusDir)
  return Promise.all([
    ...index.timers.map((timer) => runTimer(timer, { supervisor, log: options.log, statuses }, signal)),
    ...index.queues.map((queue) =>
      listenToQueue(queue, settings.queues, invisibilityMs, supervisor, options.log, signal),
    ),
  ])
}

async function stop(
  options: HostOptions,
  http: HttpListener,
  supervisor: Supervisor,
  stopping: AbortController,
  listeners: Promise<unknown>,
): Promise<void> {
  stopping.abort()
  const drainMs = options.drainMs ?? 5000
  // A worker that exits while an answer is on its way would cut it.
  await Promise.all([supervisor.drained(drainMs), http.idle(drainMs)])
  await supervisor.stop(options.terminateMs ?? 5000)
  await http.close()
  await settledWithin(listeners, settleMs)
}

/** What Core Tools add to the settings. NODE_OPTIONS is left out, because on Azure it does not reach the app either. */
function workerEnv(env: HostOptions['env']): HostOptions['env'] {
  const { NODE_OPTIONS: _, ...rest } = env
  return { AZURE_FUNCTIONS_ENVIRONMENT: 'Development', FUNCTIONS_WORKER_RUNTIME: 'node', ...rest }
}

function summarise(index: FunctionIndex): FunctionSummary[] {
  const methods = (names: string[]) => (names.length > 0 ? names.join(',') : 'ANY')
  return [
    ...index.http.map((one) => ({
      name: one.functionName,
      trigger: 'http' as const,
      source: `${methods(one.methods)} /${one.route}`,
    })),
    ...index.timers.map((one) => ({ name: one.functionName, trigger: 'timer' as const, source: one.schedule })),
    ...index.queues.map((one) => ({ name: one.functionName, trigger: 'queue' as const, source: one.queueName })),
  ]
}
