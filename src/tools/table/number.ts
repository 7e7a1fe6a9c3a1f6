import { Decimal } from 'decimal.js'

/**
 * Cells have at most 200 characters, so 1000 digits hold any sum of them exactly. The cap costs nothing: the work depends
 * on the digits that a number has.
 */
export const Exact = Decimal.clone({ precision: 1000 })

const MAX_CELL = 200

/** A cell as a number, with what must agree down a column: the sign for decimals, if seen, and the currency, if given. */
export interface TableNumber {
  value: Decimal
  /** Digits after the decimal mark, kept so that a sum of cents shows cents. */
  decimals: number
  mark: '.' | ',' | undefined
  currency: string
}

const PLAIN = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)$/
const CURRENCY = /^([+-]?)(\p{Sc}?)\s*([+-]?)([\d.,'’\s]+?)\s*(\p{Sc}?)$/u
// Each way of writing that has one reading only. `1,234` and `1 234,567` style triples have two and are in none of them.
const POINT_GROUPS = /^\d{1,3}(?:,\d{3})+\.\d+$/
const COMMA_GROUPS = /^\d{1,3}(?:\.\d{3})+,\d+$/
const SEVERAL_COMMA_GROUPS = /^\d{1,3}(?:,\d{3}){2,}$/
const SEVERAL_POINT_GROUPS = /^\d{1,3}(?:\.\d{3}){2,}$/
const SPACE_GROUPS = /^\d{1,3}(?:[\s'’]\d{3})+(?:\.\d+|,\d{1,2})?$/
const DECIMAL_COMMA = /^\d+,(?:\d{1,2}|\d{4,})$/

/**
 * The number in a cell, or undefined when it is none or could be read two ways (`1,234` is 1234 to some and 1.234 to others).
 * Plain decimals always pass; thousands separators, decimal commas and a currency sign only in forms with one reading.
 */
export function parseNumber(cell: string): TableNumber | undefined {
  const text = cell.trim()
  if (text.length === 0 || text.length > MAX_CELL) return undefined
  if (PLAIN.test(text)) return toNumber(text, text.includes('.') ? '.' : undefined, '')

  const match = CURRENCY.exec(text.replace('\u2212', '-'))
  if (!match) return undefined
  const [, signBefore = '', before = '', signAfter = '', digits = '', after = ''] = match
  if ((signBefore && signAfter) || (before && after)) return undefined
  const mark = markOf(digits)
  if (mark === 'ambiguous') return undefined
  const plain = digits.replace(mark === ',' ? /[.'’\s]/g : /[,'’\s]/g, '').replace(',', '.')
  return toNumber(signBefore + signAfter + plain, mark, before || after)
}

function markOf(digits: string): '.' | ',' | undefined | 'ambiguous' {
  if (PLAIN.test(digits) || SPACE_GROUPS.test(digits)) {
    return digits.includes('.') ? '.' : digits.includes(',') ? ',' : undefined
  }
  if (POINT_GROUPS.test(digits) || SEVERAL_COMMA_GROUPS.test(digits)) return '.'
  if (COMMA_GROUPS.test(digits) || SEVERAL_POINT_GROUPS.test(digits) || DECIMAL_COMMA.test(digits)) return ','
  return 'ambiguous'
}

function toNumber(plain: string, mark: '.' | ',' | undefined, currency: string): TableNumber {
  const point = plain.indexOf('.')
  return { value: new Exact(plain), decimals: point === -1 ? 0 : plain.length - point - 1, mark, currency }
}
