import { expect, test, vi } from 'vitest'
import { exchange, NotConnected, permit } from '../../src/tools/egress/exchange.ts'

test('what is aborted while the HTTP client loads is not begun', async () => {
  const grant = permit('http://127.0.0.1:1/', ['http://127.0.0.1:1'], 'egress.post')
  const stop = new AbortController()
  const work = vi.fn<() => Promise<string>>(() => Promise.resolve('begun'))
  const exchanged = exchange(grant, {}, stop.signal, work)
  stop.abort(new Error('cancelled by the user'))
  const error = await exchanged.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(NotConnected)
  expect(error).toMatchObject({ cause: stop.signal.reason as Error })
  expect(work).not.toHaveBeenCalled()
})
