import { createServer } from 'node:http'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMigrator, type AskMigrator } from '../../scripts/deploy/migrator.ts'
import { quietLog } from '../support/azure/quiet-log.ts'

const STANDING = {
  version: '1.0.0',
  codeRevision: 1,
  revision: 1,
  minCode: 1,
  pending: [],
  drift: [],
  drain: null,
  held: 0,
}
const MINUTE = 60_000

/** What comes next, after so many milliseconds of the clock; nothing: the line is dropped. */
interface Next {
  afterMs: number
  status?: number
  body?: object
}

let at: number
let said: string[]
let asked: number
let next: () => Next
beforeEach(() => {
  ;[at, said, asked] = [0, [], 0]
})

async function migratorOf(): Promise<AskMigrator> {
  const server = createServer((request, response) => {
    const { afterMs, status, body = {} } = next()
    asked += 1
    at += afterMs
    if (status === undefined) request.socket.destroy()
    else response.writeHead(status).end(JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return createMigrator({
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    key: 'key',
    clock: { monotonic: () => at, sleep: (ms) => Promise.resolve(void (at += ms)) },
    log: quietLog(said),
    stop: new AbortController().signal,
  })
}

describe('a migrator', () => {
  it.each(['status', 'all'] as const)(
    'that takes the line and never answers is given up after ten minutes: %s',
    async (action) => {
      const timeouts = vi.spyOn(AbortSignal, 'timeout')
      onTestFinished(() => timeouts.mockRestore())
      next = () => ({ afterMs: 4 * MINUTE })
      const migrator = await migratorOf()
      await expect(migrator({ action })).rejects.toMatchObject({
        code: 'migrator_unreachable',
        message: expect.stringMatching(/does not do what it is asked for, for 1\d min.* \(UND_ERR_SOCKET\)/),
      })
      expect(asked).toBe(3)
      expect(said).toEqual([
        'The migrator does not answer yet (UND_ERR_SOCKET): once more in 5 s, until 10 min have passed.',
        'The migrator does not answer yet (UND_ERR_SOCKET): once more in 10 s, until 10 min have passed.',
      ])
      // No more than is left of them.
      expect(timeouts.mock.calls).toEqual([[4 * MINUTE], [4 * MINUTE], [10 * MINUTE - 2 * 4 * MINUTE - 15_000]])
    },
  )

  it('that is only looked at is given up after ten minutes too where its answers are cut off', async () => {
    next = () => ({ afterMs: 3.8 * MINUTE, status: 504 })
    await expect((await migratorOf())({ action: 'status' })).rejects.toThrow('(504)')
    expect(asked).toBe(3)
  })

  it('that migrates for longer than that is waited for while the platform cuts its answers off', async () => {
    next = () => (asked < 6 ? { afterMs: 3.8 * MINUTE, status: 504 } : { afterMs: 0, status: 200, body: STANDING })
    expect(await (await migratorOf())({ action: 'all' })).toMatchObject({ revision: 1 })
    expect(at).toBeGreaterThan(20 * MINUTE)
  })

  it('that does not answer is not asked again where it need not be, and what was sent is waited for', async () => {
    const ends = new AbortController()
    next = () => {
      ends.abort()
      return { afterMs: 0, status: 503 }
    }
    await expect((await migratorOf())({ action: 'status' }, ends.signal)).rejects.toThrow('aborted')
    expect({ asked, said }).toEqual({ asked: 1, said: [] })
    next = () => ({ afterMs: 0, status: 200, body: STANDING })
    await expect((await migratorOf())({ action: 'status' }, ends.signal)).rejects.toThrow('aborted')
    expect(asked).toBe(1)
  })
})
