/**
 * The smallest host that can run the bundle, written from the types of `@azure/functions-core` alone. It shares no code with
 * `src/local/host`, and puts itself in another place of Node's module loader, so that the bundle can't lean on either.
 */
import Module, { createRequire } from 'node:module'
import './listen-on-loopback.ts'
import type { Binding, Invocation } from './worker-host.ts'

type Callback = (...args: unknown[]) => unknown
type Registered = { metadata: { name: string; bindings: Record<string, Binding> }; callback: Callback }
interface Model {
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>
  getInvocationModel(core: object): {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>
    invokeFunction(context: unknown, inputs: unknown[], callback: Callback): Promise<unknown>
    getResponse(context: unknown, result: unknown): Promise<object>
  }
}

let model: Model | undefined
const functions = new Map<string, Registered>()
const hooks: [name: string, callback: Callback][] = []

class Disposable {
  dispose(): void {}
}

const coreApi = {
  version: '3.10.1',
  hostVersion: '4.1037.0',
  Disposable,
  log: () => undefined,
  setProgrammingModel: (given: Model) => (model = given),
  getProgrammingModel: () => model,
  registerFunction: (metadata: Registered['metadata'], callback: Callback) => {
    functions.set(metadata.name, { metadata, callback })
    return new Disposable()
  },
  registerHook: (name: string, callback: Callback) => {
    hooks.push([name, callback])
    return new Disposable()
  },
}

type Load = (request: string, ...rest: unknown[]) => unknown
const loader = Module as unknown as { _load: Load }
const load = loader._load
loader._load = (request, ...rest) => (request === '@azure/functions-core' ? coreApi : load(request, ...rest))

async function runHooks(name: string): Promise<void> {
  for (const [at, callback] of hooks) if (at === name) await callback({ hookData: {}, appHookData: {} })
}

async function start(entry: string): Promise<void> {
  const environment = Object.keys(process.env)
  createRequire(import.meta.url)(entry)
  await runHooks('appStart')
  const capabilities = await model?.getCapabilities({ RpcHttpBodyOnly: 'true' })
  const seen = [...functions.values()].map(({ metadata: { name, bindings } }) => ({ name, bindings }))
  process.send?.({ kind: 'loaded', environment, capabilities, functions: seen })
}

async function run(invocation: Invocation): Promise<void> {
  const { invocationId, functionName, inputData, triggerMetadata } = invocation
  const registered = functions.get(functionName)
  if (model === undefined || registered === undefined) throw new Error(`There is no function "${functionName}".`)
  const invocationModel = model.getInvocationModel({
    invocationId,
    metadata: registered.metadata,
    request: { invocationId, functionId: functionName, inputData, triggerMetadata },
    log: () => undefined,
  })
  const { context, inputs } = await invocationModel.getArguments()
  const result = await invocationModel.invokeFunction(context, inputs, registered.callback)
  await invocationModel.getResponse(context, result)
}

async function serve(message: Invocation | 'terminate'): Promise<void> {
  if (message === 'terminate') {
    await runHooks('appTerminate')
    process.exit(0)
  }
  const { invocationId } = message
  try {
    await run(message)
    process.send?.({ kind: 'invoked', invocationId })
  } catch (error) {
    process.send?.({ kind: 'invoked', invocationId, stack: error instanceof Error ? error.stack : String(error) })
  }
}

process.on('message', (message: Invocation | 'terminate') => void serve(message))
process.on('disconnect', () => process.exit(1))
await start(process.argv[2] ?? '')
