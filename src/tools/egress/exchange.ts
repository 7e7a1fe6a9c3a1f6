import type { LookupFunction } from 'node:net'
import type { Agent, buildConnector } from 'undici'
import { TerminalError } from '../../domain/errors.ts'
import { decide, type Grant, type OriginList } from './decide.ts'
import { guardedLookup, systemResolve, type Resolve } from './lookup.ts'

/** What tests replace; production uses the system's resolver and undici's own connector. */
export interface EgressDependencies {
  resolve?: Resolve
  connect?: (lookup: LookupFunction) => buildConnector.connector
  /** Most bytes of a page after decompression; 2 MiB when absent. */
  maxBytes?: number
  /** For a call with all its hops; 20 s when absent. */
  timeoutMs?: number
}

/** It failed before there was a connection, so no byte of the request has left this machine. `cause` says why. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}

/**
 * The grant for a URL, or a TerminalError `invalid_url`, `egress_denied` or `address_denied`.
 * @param way how the agent came to this URL, in front of the reason
 */
export function permit(address: string, origins: readonly string[], list: OriginList, way = ''): Grant {
  const decision = decide(address, origins, list)
  if (decision.allowed) return decision
  throw new TerminalError(decision.code, way + decision.reason, {
    hint: `The profile's ${list} lists the origins that tools may ${list === 'egress.post' ? 'send to' : 'read'}. Go on without this one, or ask the user to have it added.`,
  })
}

/**
 * Runs one request over an agent that connects only as the grant says. What `work` throws before there was a connection
 * (an address that is refused, no such name, no TLS) comes as NotConnected: undici writes nothing before its connector has
 * handed over a socket, and with TLS that is after the handshake. The signal ends the request wherever it stands.
 */
export async function exchange<T>(
  grant: Grant,
  dependencies: EgressDependencies,
  signal: AbortSignal,
  work: (agent: Agent) => Promise<T>,
): Promise<T> {
  const { Agent, buildConnector } = await import('undici')
  const lookup = guardedLookup(grant, dependencies.resolve ?? systemResolve)
  const connector = dependencies.connect?.(lookup) ?? buildConnector({ lookup, timeout: 10_000 })
  let connected = false
  // An agent a hop: no pooled connection outlives the decision that allowed it. A plain Agent reads no proxy variables.
  const agent = new Agent({
    allowH2: false,
    connect: (options, callback) =>
      connector(options, (...outcome) => {
        connected ||= outcome[0] === null
        callback(...outcome)
      }),
  })
  // Not awaited, as it waits for a connection that is still being made; undici closes that one without writing to it.
  const end = () => void agent.destroy().catch(() => undefined)
  // A request that waits for its connection does not heed a signal of its own.
  signal.addEventListener('abort', end, { once: true })
  try {
    // It may have come during the import, when nobody listened.
    signal.throwIfAborted()
    return await work(agent)
  } catch (error) {
    throw connected ? error : new NotConnected('There was no connection.', { cause: error })
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}
