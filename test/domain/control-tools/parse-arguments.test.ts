import fc from 'fast-check'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { isExact } from '../../../src/domain/control-tools/exact-number.ts'
import { parseArguments } from '../../../src/domain/control-tools/parse-arguments.ts'

const anything = z.unknown()

it.each([
  '12345678901234567890',
  '9007199254740993',
  '1234567890123456.78',
  '0.1000000000000000055511151231257827',
  '1e400',
  '-1e400',
  '1e-400',
])('the number %s, which would be changed, is refused by name', (number) => {
  for (const text of [number, `{"a":[1,{"b":${number}}]}`]) {
    const parsed = parseArguments(anything, text)
    expect(parsed).toEqual({ ok: false, reason: expect.stringContaining(`number ${number} in the arguments`) })
    expect(parsed).toEqual({ ok: false, reason: expect.stringContaining('as a text in quotes') })
  }
})

it.each([
  '0',
  '-0',
  '-0.0e5',
  '1e3',
  '1E+3',
  '0.10',
  '1000.000',
  '9007199254740992',
  '1e21',
  '1.5e-7',
  '0.00000015',
  '5e-324',
  '-12.50',
])('the number %s is taken', (number) => {
  expect(parseArguments(anything, `{"a":${number}}`)).toEqual({ ok: true, value: { a: Number(number) } })
})

it('a long number in quotes is a text', () => {
  expect(parseArguments(anything, '"12345678901234567890"')).toEqual({ ok: true, value: '12345678901234567890' })
})

it('whatever JSON.stringify writes is exact, and one digit more is not', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(fc.property(finite, (value) => isExact(JSON.stringify(value), value)))
  const between = fc.integer({ min: 2 ** 52 + 1, max: Number.MAX_SAFE_INTEGER })
  fc.assert(fc.property(between, (value) => !isExact(`${value}.1`, value)))
})

it('what is nested too deep is refused as such', () => {
  const parsed = parseArguments(anything, '['.repeat(100_000) + ']'.repeat(100_000))
  expect(parsed).toEqual({ ok: false, reason: expect.stringContaining('nested too deep') })
  expect(parseArguments(anything, '{')).toEqual({ ok: false, reason: expect.stringContaining('no valid JSON') })
})
