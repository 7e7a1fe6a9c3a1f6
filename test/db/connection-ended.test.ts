import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'

/** A message of Postgres' protocol: its type, its length, its body. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const authenticated = message('R', Buffer.from([0, 0, 0, 0]))
const ready = message('Z', Buffer.from('I'))
const ended = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'))

const open = new Set<Socket>()
const server = createServer((socket) => {
  open.add(socket.on('error', () => undefined))
  // All in one packet, as from a server that is killed just as it takes somebody in.
  socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, ended])))
})
afterEach(() => {
  for (const socket of open) socket.destroy()
  server.close()
})

it('a server that ends a connection as it opens it fails the request, and not the process', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `postgresql://app:pw@127.0.0.1:${port}/taskforce`
  const databases = createDatabases({ url, pooler: undefined, onError: () => undefined })
  const work = inTenant(databases.api, DEFAULT_TENANT, (tx) => tx.query('select 1'))
  await expect(work).rejects.toThrow(/[Cc]onnection/)
  await expect(databases.engine.query({ name: 'one', text: 'select 1' })).rejects.toThrow(/[Cc]onnection/)
  await databases.close()
})
