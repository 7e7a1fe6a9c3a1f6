import { describe, expect, test } from 'vitest'
import { EVENT_VERSION } from '../../src/domain/event.ts'
import { upcast, type Upcasters } from '../../src/domain/upcast.ts'

interface Data {
  steps?: string[]
}

/** Made up: `a.b` changed in version 2 and again in 4, `c.d` in 3. */
const TABLE: Upcasters = {
  'a.b': { 1: step('1 to 2'), 3: step('3 to 4') },
  'c.d': { 2: step('2 to 3') },
}

function step(name: string) {
  return (data: unknown) => ({ ...(data as Data), steps: [...((data as Data).steps ?? []), name] })
}

function row(v: number, type = 'a.b') {
  return { seq: 7, v, type, data: { kept: true } as object }
}

describe('an event of an older version', () => {
  test.each([
    [1, 'a.b', ['1 to 2', '3 to 4']],
    [2, 'a.b', ['3 to 4']],
    [3, 'a.b', ['3 to 4']],
    [1, 'c.d', ['2 to 3']],
  ])('v%i of %s goes through the upcasters from there on: %j', (v, type, steps) => {
    expect(upcast(row(v, type), TABLE, 4)).toEqual({ kept: true, steps })
  })

  test.each([
    [4, 'a.b'],
    [3, 'c.d'],
    [1, 'e.f'],
    [1, 'constructor'],
  ])('v%i of %s is today as it was', (v, type) => {
    expect(upcast(row(v, type), TABLE, 4)).toEqual({ kept: true })
  })

  test('stays as it was in the row', () => {
    const old = row(1)
    upcast(old, TABLE, 4)
    expect(old).toEqual(row(1))
  })
})

test('an event of a newer version is refused, with what to do', () => {
  expect(() => upcast(row(EVENT_VERSION + 1))).toThrow(
    expect.objectContaining({
      code: 'journal_unreadable',
      message: `Event 7 has version ${EVENT_VERSION + 1}; this build reads up to ${EVENT_VERSION}`,
      hint: expect.stringContaining('newer build'),
    }),
  )
})

test('an upcaster that fails makes the journal unreadable, and is named', () => {
  const broken: Upcasters = { 'a.b': { 2: () => JSON.parse('{') as unknown } }
  expect(() => upcast(row(1), broken, 3)).toThrow(
    expect.objectContaining({
      code: 'journal_unreadable',
      message: expect.stringContaining("Event 7 (a.b, v1) can't be turned from version 2 into 3: "),
    }),
  )
})
