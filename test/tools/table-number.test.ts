import { expect, test } from 'vitest'
import { parseNumber } from '../../src/tools/table/number.ts'

test.each([
  ['12', '12'],
  [' -12.50 ', '-12.5'],
  ['+.5', '0.5'],
  ['1.234', '1.234'],
  ['1,234.56', '1234.56'],
  ['1,234,567', '1234567'],
  ['1.234,56', '1234.56'],
  ['1.234.567', '1234567'],
  ['12,50', '12.5'],
  ['1 234,50', '1234.5'],
  ["1'234.50", '1234.5'],
  ['1\u00a0234\u00a0567', '1234567'],
  ['$1,234.56', '1234.56'],
  ['-€5', '-5'],
  ['€ -5.10', '-5.1'],
  ['12,50 €', '12.5'],
  ['\u22125', '-5'],
])('%j is the number %s', (cell, value) => {
  expect(parseNumber(cell)?.value.toFixed()).toBe(value)
})

test.each([
  '',
  '-',
  '1,234',
  '1,23,456',
  '12,3456.7',
  '1.2.3',
  '1,2,3',
  '1e5',
  '0x10',
  '12%',
  '(5)',
  '--5',
  '-$-5',
  '$5€',
  'USD 5',
  '5.',
  '١٢',
  'NaN',
  '1'.repeat(201),
])('%j is no number, or could be read in two ways', (cell) => {
  expect(parseNumber(cell)).toBeUndefined()
})
