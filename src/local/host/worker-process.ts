import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type {
  FromWorker,
  HostLog,
  InvocationFailure,
  InvocationRequest,
  Registration,
  ToWorker,
  TypedData,
} from './protocol.ts'

/** The worker ended while the invocation ran, or before it began: nothing is known about what it did. */
export class WorkerGoneError extends Error {
  override readonly name = 'WorkerGoneError'
}

/** The function itself failed; `stack` is the one of the worker. */
export class FunctionFailedError extends Error {
  override readonly name = 'FunctionFailedError'

  constructor(failure: InvocationFailure) {
    super(failure.message)
    this.stack = failure.stack
  }
}

export type WorkerOptions = {
  bundle: string
  appDirectory: string
  env: Record<string, string | undefined>
  log: HostLog
}

export type StartedWorker = {
  pid: number
  functions: Registration[]
  /** Where the library's streaming proxy listens; null in an app without `enableHttpStream`. */
  httpPort: number | null
  invoke: (request: InvocationRequest) => Promise<TypedData | null>
  /** Settles when the process has ended, with the reason in words. */
  ended: Promise<string>
  /** Runs appTerminate hooks and exits; killed when that takes longer than `graceMs`. */
  terminate: (graceMs: number) => Promise<void>
  kill: () => void
}

type Pending = { resolve: (value: TypedData | null) => void; reject: (error: Error) => void }

/**
 * Forks a worker process and loads the bundle in it.
 * Throws one sentence with the app's own stack when the bundle throws, exits, or sets no programming model while loading.
 */
export async function startWorker(options: WorkerOptions): Promise<StartedWorker> {
  const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
    cwd: options.appDirectory,
    env: options.env,
    // Node 22 warns at every start that it strips types; it would look like the app's own output.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  forwardOutput(child, options.log)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not run: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal ? `it was ended by ${signal}` : `it exited with code ${code}`))
  })
  // A dead worker's channel reports EPIPE here; `ended` tells the story.
  child.on('error', () => {})
  const pending = new Map<string, Pending>()
  const started = await load(child, options, pending, ended)
  void ended.then((reason) => abandon(pending, reason))
  return {
    pid: child.pid ?? 0,
    functions: started.functions,
    httpPort: started.httpUri ? Number(new URL(started.httpUri).port) : null,
    invoke: (request) => invoke(child, pending, request),
    ended,
    terminate: (graceMs) => terminate(child, ended, graceMs),
    kill: () => void child.kill('SIGKILL'),
  }
}

function load(
  child: ChildProcess,
  options: WorkerOptions,
  pending: Map<string, Pending>,
  ended: Promise<string>,
): Promise<Extract<FromWorker, { kind: 'started' }>> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`The app ${options.bundle} could not be loaded: ${reason}`))
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'log') options.log(message.entry)
      else if (message.kind === 'started') resolve(message)
      else if (message.kind === 'start-failed') fail(message.error.stack)
      else settle(pending, message)
    })
    void ended.then((reason) => fail(`${reason} before it was ready. Its output is in the log.`))
    child.send(
      { kind: 'start', bundle: options.bundle, appDirectory: options.appDirectory } satisfies ToWorker,
      () => {},
    )
  })
}

function abandon(pending: Map<string, Pending>, reason: string): void {
  for (const { reject } of pending.values()) reject(new WorkerGoneError(`The worker ended while it ran: ${reason}.`))
  pending.clear()
}

function settle(pending: Map<string, Pending>, message: Extract<FromWorker, { kind: 'invoked' }>): void {
  const waiting = pending.get(message.invocationId)
  pending.delete(message.invocationId)
  if (message.error) waiting?.reject(new FunctionFailedError(message.error))
  else waiting?.resolve(message.returnValue)
}

function invoke(
  child: ChildProcess,
  pending: Map<string, Pending>,
  request: InvocationRequest,
): Promise<TypedData | null> {
  return new Promise((resolve, reject) => {
    if (!child.connected) return reject(new WorkerGoneError('The worker ended before the invocation began.'))
    pending.set(request.invocationId, { resolve, reject })
    child.send({ kind: 'invoke', request } satisfies ToWorker, () => {})
  })
}

async function terminate(child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<void> {
  const kill = setTimeout(() => child.kill('SIGKILL'), graceMs)
  if (child.connected) child.send({ kind: 'terminate' } satisfies ToWorker, () => {})
  await ended
  clearTimeout(kill)
}

/** The host puts a worker's output under `Host.Function.Console`: stdout as information, stderr as warning or error. */
function forwardOutput(child: ChildProcess, log: HostLog): void {
  const category = 'Host.Function.Console'
  if (child.stdout) {
    createInterface(child.stdout).on('line', (message) => log({ level: 'information', category, message }))
  }
  if (child.stderr) {
    createInterface(child.stderr).on('line', (message) =>
      log({ level: /warn/i.test(message) ? 'warning' : 'error', category, message }),
    )
  }
}
