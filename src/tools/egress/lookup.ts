import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { RetryableError, TerminalError } from '../../domain/errors.ts'
import { decideAddress, type Grant } from './decide.ts'

/** All addresses of a name, in the order in which to try them. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>

/** The operating system's resolver, so that /etc/hosts and the cluster's DNS count as for everything else. */
export function systemResolve(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true })
}

/**
 * A lookup for a socket: it resolves once, refuses the name if any of its addresses is refused, and hands on exactly the
 * addresses that it checked. As nothing resolves again afterwards, a name that changes between check and connect gains
 * nothing. Sockets don't call it for IP literals; `decide` has checked those.
 */
export function guardedLookup(grant: Grant, resolve: Resolve): LookupFunction {
  const checked = callbackify(resolveChecked)
  return (hostname, options, callback) => {
    checked(hostname, grant, resolve, (error, addresses) => {
      if (error) callback(error, [])
      else if (options.all) callback(null, addresses)
      else callback(null, addresses[0].address, addresses[0].family)
    })
  }
}

async function resolveChecked(
  hostname: string,
  { reach, list }: Grant,
  resolve: Resolve,
): Promise<[LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await resolve(hostname).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return []
    throw new RetryableError(
      'dns_failed',
      `The name ${hostname} could not be looked up (${error.code ?? error.message}).`,
      {
        cause: error,
      },
    )
  })
  if (!first) {
    throw new TerminalError('host_not_found', `There is no host called ${hostname}.`, {
      hint: 'Check the spelling of the URL.',
    })
  }
  for (const { address } of [first, ...others]) {
    const refusal = decideAddress(address, reach, list)
    if (refusal) throw new TerminalError(refusal.code, `${hostname} is refused: ${refusal.reason}`)
  }
  return [first, ...others]
}
