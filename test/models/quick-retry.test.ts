import { expect, test } from 'vitest'
import { readRetryAfterMs } from '../../src/config/retry-after.ts'
import { quickRetries, retryDelayMs } from '../../src/models/quick-retry.ts'

const NOW = Date.parse('2025-11-23T14:00:00Z')

test.each([
  [{ 'retry-after': '7' }, 7000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': ' 1.5 ' }, 1500],
  [{ 'retry-after': '7', 'retry-after-ms': '250.5' }, 251],
  [{ 'retry-after': 'Sun, 23 Nov 2025 14:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Sun, 23 Nov 2025 13:00:00 GMT' }, 0],
  // The server's clock is two hours ahead of ours: it asks for 30 s, not for two hours.
  [{ 'retry-after': 'Sun, 23 Nov 2025 16:00:30 GMT', date: 'Sun, 23 Nov 2025 16:00:00 GMT' }, 30_000],
  // A day at most: these are no dates of JavaScript any more, and the last is Infinity.
  [{ 'retry-after': '86401' }, 86_400_000],
  [{ 'retry-after': '9'.repeat(17) }, 86_400_000],
  [{ 'retry-after-ms': '9'.repeat(17) }, 86_400_000],
  [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, 86_400_000],
  [{ 'retry-after': '9'.repeat(400) }, 86_400_000],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('%o asks for %s ms', (headers, expected) => {
  const received = new Headers(headers)
  expect(readRetryAfterMs((name) => received.get(name), NOW)).toBe(expected)
})

test.each([
  [0, [250, 500, 1000]],
  [1, [500, 1000, 2000]],
])('the back-off doubles, between half and the whole of it (random %d)', (random, expected) => {
  const policy = { ...quickRetries, random: () => random }
  expect([1, 2, 3].map((attempt) => retryDelayMs(undefined, attempt, policy))).toEqual(expected)
})

test('a Retry-After is never cut short, and at most a fifth is added', () => {
  expect(retryDelayMs(5000, 1, { ...quickRetries, random: () => 0 })).toBe(5000)
  expect(retryDelayMs(5000, 1, { ...quickRetries, random: () => 1 })).toBe(6000)
})
