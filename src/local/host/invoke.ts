import { type App, executeHooks, type FunctionCallback, type InvocationLogContext } from './core-api.ts'
import type { InvocationRequest, LogLevel, TypedData } from './protocol.ts'

type HookContext = {
  hookData: object
  appHookData: object
  invocationContext: unknown
  inputs: unknown[]
}

/**
 * Runs one invocation through the app's own programming model, in the order of the real worker's InvocationHandler.ts.
 * Throws what the handler or a hook threw.
 */
export async function invoke(app: App, request: InvocationRequest): Promise<TypedData | null> {
  const registered = app.functions.get(request.functionId)
  if (!registered || !app.model) {
    throw new Error(`Function code for '${request.functionId}' is not loaded and cannot be invoked.`)
  }
  const hookData = {}
  const logContext: InvocationLogContext = { hookData, invocationContext: undefined }
  const coreContext = createCoreContext(app, request, registered.metadata, logContext)
  const model = await app.model.getInvocationModel(coreContext)
  const { context, inputs } = await model.getArguments()
  logContext.invocationContext = context

  const common: HookContext = { hookData, appHookData: app.appHookData, invocationContext: context, inputs }
  const before: HookContext & { functionCallback: FunctionCallback } = {
    ...common,
    functionCallback: registered.callback,
  }
  await inState(coreContext, 'preInvocationHooks', () => executeHooks(app, 'preInvocation', before))

  const after: HookContext & { result: unknown; error: unknown } = {
    ...common,
    inputs: before.inputs,
    result: null,
    error: null,
  }
  try {
    after.result = await inState(coreContext, 'invocation', () =>
      model.invokeFunction(context, before.inputs, before.functionCallback),
    )
  } catch (error) {
    after.error = error ?? new Error('The function threw nothing at all (undefined or null).')
  }
  await inState(coreContext, 'postInvocationHooks', () => executeHooks(app, 'postInvocation', after))
  if (after.error !== null && after.error !== undefined) throw after.error

  const response = await model.getResponse(context, after.result)
  return response.returnValue ?? null
}

type CoreContext = {
  invocationId: string
  request: InvocationRequest
  metadata: object
  state: string | undefined
  log: (level: LogLevel, category: 'user' | 'system' | 'customMetric', message: string) => void
}

function createCoreContext(
  app: App,
  request: InvocationRequest,
  metadata: { name: string },
  logContext: InvocationLogContext,
): CoreContext {
  const { invocationId } = request
  return {
    invocationId,
    request,
    metadata,
    state: undefined,
    log: (level, category, message) => {
      const name = category === 'user' ? `Function.${metadata.name}.User` : `Function.${metadata.name}`
      app.log({ level, category: name, message, invocationId }, category, logContext)
    },
  }
}

async function inState<T>(context: CoreContext, state: string, run: () => Promise<T>): Promise<T> {
  context.state = state
  try {
    return await run()
  } finally {
    context.state = undefined
  }
}
