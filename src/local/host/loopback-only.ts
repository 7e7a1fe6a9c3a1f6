import net from 'node:net'

/**
 * Makes every TCP server of this process that names no host listen on 127.0.0.1. The library's streaming proxy calls
 * `server.listen(callback)`, which would otherwise take every interface.
 */
export function listenOnLoopbackOnly(): void {
  net.Server.prototype.listen = new Proxy(net.Server.prototype.listen, {
    apply: (target, thisArg, args: unknown[]) => Reflect.apply(target, thisArg, withLoopback(args)),
  })
}

function withLoopback(args: unknown[]): unknown[] {
  const [first, second] = args
  if (first === undefined || typeof first === 'function') return [0, '127.0.0.1', ...args.slice(first ? 0 : 1)]
  const isPort = typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))
  if (isPort)
    return typeof second === 'string' ? args : [first, '127.0.0.1', ...args.slice(second === undefined ? 2 : 1)]
  if (isPlainOptions(first) && !first.host && !first.path && first.fd === undefined) {
    return [{ ...first, host: '127.0.0.1' }, ...args.slice(1)]
  }
  return args
}

function isPlainOptions(value: unknown): value is { host?: string; path?: string; fd?: number } {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
