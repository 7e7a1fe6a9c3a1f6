import { Decimal } from 'decimal.js'
import { TerminalError } from '../domain/errors.ts'

/** Digits that an inexact value is worked out to, and those of them that are shown: the rest absorbs rounding on the way. */
const WORKING_DIGITS = 50
const SHOWN_DIGITS = 30
/** An exact value with more digits than this goes on as an inexact one. */
const EXACT_DIGITS = 1000
/** Greatest power of ten, up or down. With it, sums of two such values have at most 3001 digits and products 2000. */
const MAX_EXPONENT = 1000
/** A loop of 30 squarings; the rounding error grows to 1e-41 at most, well below the 30 digits shown. */
const MAX_POWER = 1_000_000_000

const Exact = Decimal.clone({ precision: 3 * MAX_EXPONENT + 10, rounding: Decimal.ROUND_HALF_UP })
const Working = Decimal.clone({ precision: WORKING_DIGITS, rounding: Decimal.ROUND_HALF_UP })

/** A value and whether it is exact: + - * keep exactness, / sqrt and ^ have it only where the result does. */
export interface Quantity {
  value: Decimal
  exact: boolean
}

/** Throws TerminalError `out_of_range` past 1e1000 or below 1e-1000; rounds to 50 digits what can't stay exact. */
function settle(value: Decimal, exact: boolean): Quantity {
  if (!value.isFinite() || (!value.isZero() && Math.abs(value.e) > MAX_EXPONENT)) {
    throw new TerminalError(
      'out_of_range',
      `a value on the way is beyond 1e${MAX_EXPONENT} or below 1e-${MAX_EXPONENT}.`,
      {
        hint: 'Use smaller powers or split the calculation.',
      },
    )
  }
  if (exact && value.precision() <= EXACT_DIGITS) return { value, exact }
  return { value: new Exact(value.toSignificantDigits(WORKING_DIGITS, Decimal.ROUND_HALF_UP)), exact: false }
}

/** A literal such as `12`, `12.5`, `.5` or `1e6`. */
export function quantity(literal: string): Quantity {
  return settle(new Exact(literal), true)
}

export function add(a: Quantity, b: Quantity): Quantity {
  return settle(a.value.plus(b.value), a.exact && b.exact)
}

export function subtract(a: Quantity, b: Quantity): Quantity {
  return settle(a.value.minus(b.value), a.exact && b.exact)
}

export function multiply(a: Quantity, b: Quantity): Quantity {
  return settle(a.value.times(b.value), a.exact && b.exact)
}

/** Exact where the quotient ends within 50 digits. TerminalError `division_by_zero`. */
export function divide(a: Quantity, b: Quantity): Quantity {
  refuseZero(b)
  const quotient = new Exact(Working.div(a.value, b.value))
  return settle(quotient, a.exact && b.exact && quotient.times(b.value).equals(a.value))
}

/** What is left of whole division, with the sign of the dividend: -7 % 3 is -1. TerminalError `division_by_zero`. */
export function remainder(a: Quantity, b: Quantity): Quantity {
  refuseZero(b)
  return settle(a.value.mod(b.value), a.exact && b.exact)
}

export function negate({ value, exact }: Quantity): Quantity {
  return { value: value.negated(), exact }
}

export function absolute({ value, exact }: Quantity): Quantity {
  return { value: value.abs(), exact }
}

/** TerminalError `no_real_result` for a negative value. */
export function squareRoot({ value, exact }: Quantity): Quantity {
  if (value.isNegative() && !value.isZero()) throw noRealResult('the square root of a negative number')
  const root = new Exact(Working.sqrt(value))
  return settle(root, exact && root.times(root).equals(value))
}

/** Half away from zero; negative places round to tens, hundreds and so on. TerminalError `bad_argument` past ±1000. */
export function round(a: Quantity, places: Quantity): Quantity {
  const n = places.value.toNumber()
  if (!Number.isInteger(n) || Math.abs(n) > MAX_EXPONENT) {
    throw new TerminalError(
      'bad_argument',
      `round takes a whole number of places from -1000 to 1000, not ${show(places)}.`,
    )
  }
  const rounded = n >= 0 ? a.value.toDecimalPlaces(n, Decimal.ROUND_HALF_UP) : roundToPower(a.value, -n)
  return settle(rounded, a.exact)
}

function roundToPower(value: Decimal, zeros: number): Decimal {
  const unit = new Exact(10).pow(zeros)
  return value.div(unit).toDecimalPlaces(0, Decimal.ROUND_HALF_UP).times(unit)
}

/** Whole powers by squaring, exact while the digits last; others to 50 digits. TerminalError `no_real_result`, `out_of_range`. */
export function power(base: Quantity, exponent: Quantity): Quantity {
  const n = exponent.value.toNumber()
  if (!exponent.value.isInteger()) return fractionalPower(base, exponent)
  if (Math.abs(n) > MAX_POWER) {
    throw new TerminalError(
      'out_of_range',
      `exponents go from -${MAX_POWER} to ${MAX_POWER}; this one is ${show(exponent)}.`,
    )
  }
  if (n < 0) return divide(quantity('1'), wholePower(base, -n))
  return wholePower(base, n)
}

function wholePower(base: Quantity, exponent: number): Quantity {
  let result = quantity('1')
  let square = base
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square)
    if (left > 1) square = multiply(square, square)
  }
  return result
}

function fractionalPower(base: Quantity, exponent: Quantity): Quantity {
  if (base.value.isNegative() && !base.value.isZero()) throw noRealResult('a fractional power of a negative number')
  if (base.value.isZero() && exponent.value.isNegative()) throw divisionByZero()
  // Estimated first, for the library would spend minutes on a result of millions of digits.
  const magnitude = base.value.isZero() ? 0 : exponent.value.toNumber() * Number(Working.log10(base.value))
  if (Math.abs(magnitude) > MAX_EXPONENT) settle(new Exact(Infinity), false)
  return settle(Working.pow(base.value, exponent.value), false)
}

/** Less than zero where a is less than b. */
export function compare(a: Quantity, b: Quantity): number {
  return a.value.comparedTo(b.value)
}

/** As a plain decimal without exponent: exact values whole, others to 30 significant digits. */
export function show({ value, exact }: Quantity): string {
  const shown = exact ? value : value.toSignificantDigits(SHOWN_DIGITS, Decimal.ROUND_HALF_UP)
  return shown.isZero() ? '0' : shown.toFixed()
}

function refuseZero({ value }: Quantity): void {
  if (value.isZero()) throw divisionByZero()
}

function divisionByZero(): TerminalError {
  return new TerminalError('division_by_zero', 'division by zero.')
}

function noRealResult(what: string): TerminalError {
  return new TerminalError('no_real_result', `${what} is no real number.`)
}
