import { expect, test, vi } from 'vitest'
import { loadOnce } from '../../src/models/load-once.ts'

test('what was loaded is kept, also for those who asked meanwhile', async () => {
  const load = vi.fn<() => Promise<object>>(() => Promise.resolve({}))
  const get = loadOnce(load)
  expect(load).not.toHaveBeenCalled()
  const [one, other] = await Promise.all([get(), get()])
  expect(one).toBe(other)
  expect(await get()).toBe(one)
  expect(load).toHaveBeenCalledOnce()
})

test('what failed is loaded again', async () => {
  const load = vi.fn<() => Promise<string>>().mockResolvedValue('there').mockRejectedValueOnce(new Error('not yet'))
  const get = loadOnce(load)
  expect(await Promise.allSettled([get(), get()])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  expect(await get()).toBe('there')
  expect(load).toHaveBeenCalledTimes(2)
})
