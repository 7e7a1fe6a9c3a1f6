import { AsyncLocalStorage } from 'node:async_hooks'

export interface Invocation {
  invocationId: string
  /** Of the W3C traceparent that the platform gave, if any. */
  traceId?: string
}

const current = new AsyncLocalStorage<Invocation>()

/** Runs `work` so that every line logged in it names the invocation, however deep down. */
export function inInvocation<T>(context: { invocationId: string; traceParent: string | undefined }, work: () => T): T {
  const traceId = /^[\da-f]{2}-([\da-f]{32})-/.exec(context.traceParent ?? '')?.[1]
  return current.run({ invocationId: context.invocationId, traceId }, work)
}

export function currentInvocation(): Invocation | undefined {
  return current.getStore()
}

/** For what belongs to the process: timers and pools keep the context of whichever invocation happened to start them. */
export function outsideInvocation<T>(work: () => T): T {
  return current.exit(work)
}
