import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calculate } from '../../src/tools/calculate.ts'
import { call, contextWith } from './context.ts'

function run(expression: string): Promise<string> {
  return call(calculate, { expression }, contextWith())
}

describe('calculate', () => {
  test.each([
    ['0.1 + 0.2', '0.3'],
    ['2 + 3 * 4', '14'],
    ['(2 + 3) * 4', '20'],
    ['10 - 4 - 3', '3'],
    ['100 / 10 / 2', '5'],
    ['-2 ^ 2', '-4'],
    ['2 ^ 3 ^ 2', '512'],
    ['2 ^ -2', '0.25'],
    ['2 * -3', '-6'],
    ['7 % 3', '1'],
    ['-7 % 3', '-1'],
    ['.5 + 1. + 1e3 + 2E-1', '1001.7'],
    ['10 / 4', '2.5'],
    ['1 / 3', `0.${'3'.repeat(30)}`],
    ['1 / 3 * 3', '1'],
    ['2 / 3', `0.${'6'.repeat(29)}7`],
    ['sqrt(2)', '1.41421356237309504880168872421'],
    ['sqrt(144) + abs(-1.5)', '13.5'],
    ['2 ^ 0.5 * 2 ^ 0.5', '2'],
    ['round(2.345, 2)', '2.35'],
    ['round(-2.5)', '-3'],
    ['round(1250, -2)', '1300'],
    ['min(3, 1, 2) + MAX(1, 2)', '3'],
    ['1.05 ^ 30', '4.321942375150662009157288198886473341473378241062164306640625'],
    ['0 - 0', '0'],
    [
      '123456789012345678901234567890 * 987654321098765432109876543210',
      String(123456789012345678901234567890n * 987654321098765432109876543210n),
    ],
  ])('%s is %s', async (expression, value) => {
    expect(await run(expression)).toBe(value)
  })

  test.each([
    ['1 +', 'At position 4: expected a number, a function or "(", found the end.'],
    ['(1 + 2', 'At position 7: expected ")", found the end.'],
    ['1 2', 'At position 3: expected an operator, found "2".'],
    ['1,234 + 1', 'At position 2: expected an operator, found ",".'],
    ['2 ** 3', 'At position 4: expected a number, a function or "(", found "*".'],
    ['5 + €3', 'At position 5: "€" means nothing here.'],
    ['2 * process(1)', 'At position 5: there is no function or constant "process".'],
    ['2 * constructor', 'At position 5: there is no function or constant "constructor".'],
    ['round(1, 2, 3)', 'At position 1: "round" takes 1 to 2 arguments, not 3.'],
    ['   ', 'At position 1: expected a number, a function or "(", found the end.'],
  ])('%j is refused with the position', async (expression, message) => {
    await expect(run(expression)).rejects.toMatchObject({ name: 'TerminalError', code: 'bad_expression', message })
  })

  test.each([
    ['1 / (2 - 2)', 'division_by_zero', 'At position 3: division by zero.'],
    ['5 % 0', 'division_by_zero', 'At position 3: division by zero.'],
    ['0 ^ -1', 'division_by_zero', 'At position 3: division by zero.'],
    ['sqrt(0 - 1)', 'no_real_result', 'At position 1: the square root of a negative number is no real number.'],
    ['(0 - 8) ^ 0.5', 'no_real_result', 'At position 9: a fractional power of a negative number is no real number.'],
    [
      'round(1, 0.5)',
      'bad_argument',
      'At position 1: round takes a whole number of places from -1000 to 1000, not 0.5.',
    ],
  ])('%s is refused as %s', async (expression, code, message) => {
    await expect(run(expression)).rejects.toMatchObject({ code, message })
  })

  test.each([
    '9 ^ 9 ^ 9',
    '1e1001',
    '1e9999999999999999999',
    '0.5 ^ 99999',
    '10 ^ 999.5 ^ 2',
    '2 ^ 1e300',
    '1 ^ 1000000001',
  ])('%s is out of range', async (expression) => {
    await expect(run(expression)).rejects.toMatchObject({ code: 'out_of_range' })
  })

  test('nesting and length are limited', async () => {
    const nested = (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`
    expect(await run(nested(99))).toBe('1')
    for (const deep of [nested(101), `${'-'.repeat(101)}1`, `1${'^1'.repeat(101)}`]) {
      await expect(run(deep)).rejects.toMatchObject({ code: 'bad_expression' })
    }
    expect(calculate.input.safeParse({ expression: '1'.repeat(1001) }).success).toBe(false)
    expect(await run(Array(500).fill('1').join('+'))).toBe('500')
  })

  test('+ - and * are exact for whole numbers of any size', async () => {
    const tree = fc.letrec<{ node: { text: string; value: bigint } }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt({ min: 0n, max: 10n ** 40n }).map((value) => ({ text: String(value), value })),
        fc.tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node')).map(([a, op, b]) => ({
          text: `(${a.text} ${op} ${b.text})`,
          value: op === '+' ? a.value + b.value : op === '-' ? a.value - b.value : a.value * b.value,
        })),
      ),
    })).node
    await fc.assert(
      fc.asyncProperty(
        tree.filter(({ text }) => text.length <= 1000),
        async ({ text, value }) => {
          expect(await run(text)).toBe(String(value))
        },
      ),
      { numRuns: 300 },
    )
  })
})
