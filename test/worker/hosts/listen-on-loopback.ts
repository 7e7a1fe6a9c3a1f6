import net from 'node:net'

// The library's streaming proxy calls `listen(callback)`, which takes every interface. Tests keep to 127.0.0.1.
// oxlint-disable-next-line typescript/unbound-method -- called with `this` below
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]): net.Server {
  const bound = typeof args[0] === 'function' ? [0, '127.0.0.1', ...args] : args
  return Reflect.apply(listen, this, bound) as net.Server
} as typeof listen
