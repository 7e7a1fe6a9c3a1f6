import type { InvocationContext } from '@azure/functions'
import { inInvocation } from '../src/telemetry/invocation.ts'

type Handler<Input, Output> = (input: Input, context: InvocationContext) => Output

/** Wraps a handler so that what it logs carries its invocation's ids. */
export function traced<Input, Output>(handler: Handler<Input, Output>): Handler<Input, Output> {
  return (input, context) =>
    inInvocation({ invocationId: context.invocationId, traceParent: context.traceContext?.traceParent }, () =>
      handler(input, context),
    )
}
