import Module from 'node:module'
import type { Binding, HostLogEntry, LogLevel, Registration, TypedData } from './protocol.ts'

type Dispose = { dispose: () => void }
export type HookCallback = (context: object) => unknown
export type FunctionCallback = (...args: unknown[]) => unknown
type LogCategory = 'user' | 'system' | 'customMetric'

/** The parts of `ProgrammingModel` and `InvocationModel` in `@azure/functions-core` that the worker calls. */
export type ProgrammingModel = {
  name: string
  version: string
  getInvocationModel: (coreContext: object) => InvocationModel | Promise<InvocationModel>
  getCapabilities?: (capabilities: Record<string, string>) => Promise<Record<string, string>>
}

export type InvocationModel = {
  getArguments: () => Promise<{ context: unknown; inputs: unknown[] }>
  invokeFunction: (context: unknown, inputs: unknown[], callback: FunctionCallback) => Promise<unknown>
  getResponse: (context: unknown, result: unknown) => Promise<{ returnValue?: TypedData | null }>
}

type CoreMetadata = { name?: string; functionId?: string; bindings: Record<string, Binding>; retryOptions?: unknown }

/** What the app told the core API while it loaded, and what invocations need later. */
export type App = {
  model: ProgrammingModel | undefined
  functions: Map<string, { metadata: CoreMetadata & { name: string }; callback: FunctionCallback }>
  hooks: Record<HookName, HookCallback[]>
  appHookData: Record<string, unknown>
  started: boolean
  log: (entry: HostLogEntry, category: LogCategory, invocation?: InvocationLogContext) => void
}

export type InvocationLogContext = { hookData: object; invocationContext: unknown }

const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const
export type HookName = (typeof hookNames)[number]

class Disposable {
  static from(...disposables: Dispose[]): Disposable {
    return new Disposable(() => disposables.forEach((disposable) => disposable.dispose()))
  }
  #dispose: (() => unknown) | undefined
  constructor(dispose: () => unknown) {
    this.#dispose = dispose
  }
  dispose(): unknown {
    const dispose = this.#dispose
    this.#dispose = undefined
    return dispose?.()
  }
}

/** An empty app whose log goes through its `log` hooks first, as in the worker's WorkerContext.ts. */
export function createApp(send: (entry: HostLogEntry) => void): App {
  const app: App = {
    model: undefined,
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    appHookData: {},
    started: false,
    log: (entry, category, invocation) => send(throughLogHooks(app, entry, category, invocation)),
  }
  return app
}

/** User entries may be changed by hooks, system entries are sent as they are, and a hook that throws changes nothing. */
function throughLogHooks(
  app: App,
  entry: HostLogEntry,
  category: LogCategory,
  invocation?: InvocationLogContext,
): HostLogEntry {
  const context = {
    hookData: {},
    ...invocation,
    level: entry.level,
    message: entry.message,
    category,
    appHookData: app.appHookData,
  }
  try {
    for (const hook of app.hooks.log) hook(context)
  } catch {
    return entry
  }
  return category === 'user' ? { ...entry, level: context.level, message: context.message } : entry
}

/** Makes `require('@azure/functions-core')` give our core API, as the worker's setupCoreModule.ts does. */
export function provideCoreApi(app: App): void {
  const coreApi = createCoreApi(app)
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, thisArg, args: [string]) =>
      args[0] === '@azure/functions-core' ? coreApi : Reflect.apply(target, thisArg, args),
  })
}

function createCoreApi(app: App): object {
  return {
    // The worker and the host whose behaviour this one follows; @azure/functions asks for 4.28 or later to stream.
    version: '3.9.1',
    hostVersion: '4.1036.0',
    setProgrammingModel: (model: ProgrammingModel) => {
      app.model = model
    },
    getProgrammingModel: () => app.model,
    registerFunction: (metadata: CoreMetadata, callback: FunctionCallback) => registerFunction(app, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(app, name, callback),
    log: (level: LogLevel, category: LogCategory, message: string) =>
      app.log({ level, category: 'Worker', message }, category),
    Disposable,
  }
}

function registerFunction(app: App, metadata: CoreMetadata, callback: FunctionCallback): Disposable {
  const name = metadata.name ?? metadata.functionId
  if (app.started) throw new Error('A function can only be registered during app startup.')
  if (!name) throw new Error('A function was registered without a name.')
  if (app.functions.has(name)) throw new Error(`A function with name "${name}" has already been registered.`)
  app.functions.set(name, { metadata: { ...metadata, name }, callback })
  return new Disposable(() => app.functions.delete(name))
}

function registerHook(app: App, name: string, callback: HookCallback): Disposable {
  const known = hookNames.find((hook) => hook === name)
  // The worker throws a RangeError of its own kind; the library tells an old host by it.
  if (!known) throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), { isAzureFunctionsSystemError: true })
  app.hooks[known].push(callback)
  return new Disposable(() => app.hooks[known].splice(app.hooks[known].indexOf(callback), 1))
}

/** Runs hooks in the order of registration, one after the other; the first that throws ends the row. */
export async function executeHooks(app: App, name: Exclude<HookName, 'log'>, context: object): Promise<void> {
  for (const hook of app.hooks[name]) await hook(context)
}

/** What the app registered, in a form that can be sent to the host. */
export function registrations(app: App): Registration[] {
  return [...app.functions.values()].map(({ metadata }) => ({
    name: metadata.name,
    bindings: JSON.parse(JSON.stringify(metadata.bindings)) as Record<string, Binding>,
    hasRetryPolicy: metadata.retryOptions !== undefined && metadata.retryOptions !== null,
  }))
}
