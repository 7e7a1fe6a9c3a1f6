import type { ClientOptions } from 'openai'

/** How the client reaches a server. */
export type Transport = Required<Pick<ClientOptions, 'fetch' | 'fetchOptions'>>

/** Bytes of an error's body that are read: real ones have a few hundred, and the client would take 300 MB as well. */
const MOST_OF_AN_ERROR = 2 ** 16

/**
 * A fetch with a deadline of its own, in milliseconds, for DNS, TCP and TLS together. It has none of undici's 300 s for the
 * first byte and for each silence: `openAttempt` keeps those deadlines. It follows no redirect, which would take the
 * conversation to a server that nobody has configured, and cuts the body of an error. The package takes 80 ms to load.
 */
export async function openTransport(connectMs: number): Promise<Transport> {
  // An agent fits only the fetch of its own package: Node's may be of another version, and so are the types.
  const { Agent, Response, fetch } = await import('undici')
  const dispatcher = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 })
  const send: typeof fetch = async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' })
    if (response.ok || response.body === null) return response
    return new Response(response.body.pipeThrough(firstBytes(MOST_OF_AN_ERROR)), response)
  }
  return { fetch: send as unknown as Transport['fetch'], fetchOptions: { dispatcher } }
}

/** Passes so many bytes on and then ends, which closes the connection. */
function firstBytes(most: number): TransformStream<Uint8Array, Uint8Array> {
  let left = most
  return new TransformStream({
    transform(bytes, controller) {
      controller.enqueue(bytes.subarray(0, left))
      left -= bytes.length
      if (left <= 0) controller.terminate()
    },
  })
}
