import type { ClientOptions } from 'openai'

/** How the client reaches a server. */
export type Transport = Required<Pick<ClientOptions, 'fetch' | 'fetchOptions'>>

/**
 * A fetch with a deadline of its own, in milliseconds, for DNS, TCP and TLS together. It has none of undici's 300 s for the
 * first byte and for each silence: `openAttempt` keeps those deadlines. The package takes 80 ms to load.
 */
export async function openTransport(connectMs: number): Promise<Transport> {
  // An agent fits only the fetch of its own package: Node's may be of another version, and so are the types.
  const { Agent, fetch } = await import('undici')
  const dispatcher = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 })
  return { fetch: fetch as unknown as Transport['fetch'], fetchOptions: { dispatcher } }
}
