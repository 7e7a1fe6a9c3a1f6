import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAttempt } from '../../src/models/deadlines.ts'

const deadlines = { firstByteMs: 60_000, betweenChunksMs: 10_000, totalMs: 100_000 }

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function open(outer: AbortSignal = new AbortController().signal) {
  return openAttempt(outer, deadlines)
}

test('the first byte has longer than the ones after it', () => {
  const attempt = open()
  vi.advanceTimersByTime(59_999)
  expect(attempt.signal.aborted).toBe(false)
  attempt.alive()
  vi.advanceTimersByTime(9_999)
  attempt.alive()
  vi.advanceTimersByTime(9_999)
  expect(attempt.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(attempt.signal.reason).toMatchObject({ code: 'model_timeout' })
})

test('signs of life for ever do not keep an attempt alive for ever', () => {
  const attempt = open()
  for (let second = 0; second < 100; second += 5) {
    attempt.alive()
    vi.advanceTimersByTime(5_000)
  }
  expect(attempt.signal.reason).toMatchObject({ message: 'The model server did not finish its answer within 100 s.' })
})

test('the caller aborts it with a reason of its own', () => {
  const caller = new AbortController()
  const attempt = open(caller.signal)
  const reason = new Error('cancelled')
  caller.abort(reason)
  expect(attempt.signal.reason).toBe(reason)
  expect(open(caller.signal).signal.reason).toBe(reason)
})

test('a closed attempt leaves no timer behind, and ends what still goes on', () => {
  const attempt = open()
  attempt.alive()
  attempt.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(attempt.signal.aborted).toBe(true)
})
