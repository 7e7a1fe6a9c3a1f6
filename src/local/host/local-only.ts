import type { IncomingMessage } from 'node:http'

export type Refusal = { status: number; message: string }

/**
 * Refuses a request that a web page of another origin could have caused. Host has to be this host's own name, which ends DNS rebinding
 * (a foreign name that resolves to 127.0.0.1), and Origin, where a browser sends one, too.
 */
export function refuseForeign(request: IncomingMessage, port: number): Refusal | null {
  const own = ['localhost', '127.0.0.1', '[::1]'].map((name) => `${name}:${port}`)
  const { host, origin } = request.headers
  if (!host || !own.includes(host.toLowerCase())) {
    return {
      status: 421,
      message: `This is a local host. Ask for it by one of ${own.join(', ')}, not by "${host ?? ''}".`,
    }
  }
  if (origin !== undefined && !own.some((name) => origin.toLowerCase() === `http://${name}`)) {
    return { status: 403, message: `Pages of the origin "${origin}" may not use this local host.` }
  }
  return null
}
