import { expect, test } from 'vitest'
import { RetryableError } from '../../src/domain/errors.ts'
import { createSlots } from '../../src/tools/sandbox/slots.ts'

const never = new AbortController().signal

/** Work that ends when it is told to. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return { work: () => promise, end: resolve, fail: reject }
}

test('only so many run at a time, and the others in the order in which they came', async () => {
  const slots = createSlots(2, 60_000)
  const jobs = Array.from({ length: 5 }, held)
  const begun: number[] = []
  const runs = jobs.map(({ work }, n) => slots.run(never, () => (begun.push(n), work())))
  await Promise.resolve()
  expect(begun).toEqual([0, 1])
  jobs[1]?.end('one')
  await runs[1]
  await new Promise(setImmediate)
  expect(begun).toEqual([0, 1, 2])
  jobs.forEach(({ end }, n) => end(String(n)))
  expect(await Promise.all(runs)).toEqual(['0', 'one', '2', '3', '4'])
  expect(begun).toEqual([0, 1, 2, 3, 4])
})

test('slots that went from hand to hand are still as many', async () => {
  const slots = createSlots(2, 60_000)
  const jobs = Array.from({ length: 6 }, held)
  const runs = jobs.map(({ work }) => slots.run(never, work))
  jobs.forEach(({ end }) => end('done'))
  await Promise.all(runs)
  let running = 0
  const later = Array.from({ length: 5 }, held)
  const others = later.map(({ work }) => slots.run(never, () => (running++, work())))
  await new Promise(setImmediate)
  expect(running).toBe(2)
  later.forEach(({ end }) => end('done'))
  await Promise.all(others)
})

test('work that fails gives its slot back', async () => {
  const slots = createSlots(1, 60_000)
  await expect(slots.run(never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await slots.run(never, () => Promise.resolve('next'))).toBe('next')
})

test('whoever stops waiting takes no slot, one after the other or all at once', async () => {
  const slots = createSlots(1, 60_000)
  const first = held()
  const running = slots.run(never, first.work)
  const controller = new AbortController()
  const waiting = [1, 2].map(() => slots.run(controller.signal, () => Promise.reject(new Error('ran'))))
  const last = slots.run(never, () => Promise.resolve('last'))
  controller.abort(new Error('left'))
  for (const one of waiting) await expect(one).rejects.toThrow('left')
  first.end('first')
  expect(await Promise.all([running, last])).toEqual(['first', 'last'])
  expect(await slots.run(never, () => Promise.resolve('after'))).toBe('after')
})

test('whoever waits too long is told to come again', async () => {
  const slots = createSlots(1, 1)
  const first = held()
  const running = slots.run(never, first.work)
  const refused = await slots.run(never, () => Promise.resolve('ran')).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(RetryableError)
  expect(refused).toMatchObject({ code: 'sandbox_busy', message: expect.stringContaining('a little later') as string })
  first.end('first')
  expect(await running).toBe('first')
})
