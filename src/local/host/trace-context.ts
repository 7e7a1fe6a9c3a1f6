import { randomBytes } from 'node:crypto'
import type { InvocationRequest } from './protocol.ts'

const traceParentForm = /^00-([0-9a-f]{32})-[0-9a-f]{16}-(0[01])$/

/** Continues the caller's W3C trace, or begins one: the host's own span is the parent that the function sees. */
export function traceContext(parent?: string | string[], state?: string | string[]): InvocationRequest['traceContext'] {
  const [, traceId = randomBytes(16).toString('hex'), flags = '01'] =
    traceParentForm.exec([parent ?? []].flat().join()) ?? []
  return {
    traceParent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}`,
    traceState: [state ?? []].flat().join(','),
    attributes: {},
  }
}
