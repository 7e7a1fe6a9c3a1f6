import { TerminalError } from '../domain/errors.ts'
import * as arithmetic from './arithmetic.ts'
import type { Quantity } from './arithmetic.ts'

export const MAX_LENGTH = 1000
/** Nested brackets, signs and powers; each level takes about five stack frames of the ten thousand there are. */
const MAX_DEPTH = 100

interface Token {
  kind: 'number' | 'name' | 'sign' | 'end'
  text: string
  /** Place of its first character, counted from 1. */
  at: number
}

interface Parser {
  tokens: Token[]
  next: number
  depth: number
}

interface Function {
  least: number
  most: number
  apply(args: Quantity[]): Quantity
}

type Operators = Map<string, (a: Quantity, b: Quantity) => Quantity>

const SUMS: Operators = new Map([
  ['+', arithmetic.add],
  ['-', arithmetic.subtract],
])
const PRODUCTS: Operators = new Map([
  ['*', arithmetic.multiply],
  ['/', arithmetic.divide],
  ['%', arithmetic.remainder],
])

const FUNCTIONS = new Map<string, Function>([
  ['abs', { least: 1, most: 1, apply: ([x]) => arithmetic.absolute(given(x)) }],
  ['sqrt', { least: 1, most: 1, apply: ([x]) => arithmetic.squareRoot(given(x)) }],
  ['round', { least: 1, most: 2, apply: ([x, n]) => arithmetic.round(given(x), n ?? arithmetic.quantity('0')) }],
  ['min', { least: 1, most: 100, apply: (args) => args.reduce((a, b) => (arithmetic.compare(b, a) < 0 ? b : a)) }],
  ['max', { least: 1, most: 100, apply: (args) => args.reduce((a, b) => (arithmetic.compare(b, a) > 0 ? b : a)) }],
])

/**
 * The value of an expression as a plain decimal. TerminalError `bad_expression` gives the position (from 1) and what was
 * expected there; arithmetic's own errors are in arithmetic.ts. Grammar, tightest last:
 *
 *     sum = product { (+|-) product }        product = unary { (*|/|%) unary }
 *     unary = (+|-) unary | power            power = atom [ ^ unary ]
 *     atom = number | ( sum ) | name ( sum { , sum } )
 */
export function evaluate(expression: string): string {
  if (expression.length > MAX_LENGTH) {
    throw new TerminalError(
      'bad_expression',
      `The expression has ${expression.length} characters; at most ${MAX_LENGTH} go.`,
      {
        hint: 'Split it into several calculations, or use query_table to sum a table.',
      },
    )
  }
  const parser: Parser = { tokens: scan(expression), next: 0, depth: 0 }
  const result = parseSum(parser)
  const rest = peek(parser)
  if (rest.kind !== 'end') throw unexpected(rest, 'an operator')
  return arithmetic.show(result)
}

function scan(expression: string): Token[] {
  const tokens: Token[] = []
  const pattern = /\s*(?:(?<number>\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|(?<name>[a-z]+)|(?<sign>[-+*/%^(),]))/iy
  while (pattern.lastIndex < expression.trimEnd().length) {
    const from = pattern.lastIndex
    const match = pattern.exec(expression)
    if (!match?.groups) throw strange(expression, from)
    const { number, name, sign } = match.groups
    const text = number ?? name ?? sign ?? ''
    const kind = number ? 'number' : name ? 'name' : 'sign'
    tokens.push({ kind, text, at: pattern.lastIndex - text.length + 1 })
  }
  return [...tokens, { kind: 'end', text: '', at: expression.trimEnd().length + 1 }]
}

function strange(expression: string, from: number): TerminalError {
  const at = from + expression.slice(from).search(/\S/)
  const char = String.fromCodePoint(expression.codePointAt(at) ?? 0)
  return wrong(at + 1, `${JSON.stringify(char)} means nothing here`)
}

function parseSum(parser: Parser): Quantity {
  return parseLeftToRight(parser, SUMS, parseProduct)
}

function parseProduct(parser: Parser): Quantity {
  return parseLeftToRight(parser, PRODUCTS, parseUnary)
}

function parseLeftToRight(parser: Parser, operators: Operators, parseOperand: (parser: Parser) => Quantity): Quantity {
  let left = parseOperand(parser)
  for (;;) {
    const token = peek(parser)
    const operate = operators.get(token.text)
    if (!operate) return left
    parser.next++
    const a = left
    const b = parseOperand(parser)
    left = located(token, () => operate(a, b))
  }
}

function parseUnary(parser: Parser): Quantity {
  const at = peek(parser).at
  if (++parser.depth > MAX_DEPTH)
    throw wrong(at, `more than ${MAX_DEPTH} brackets, signs and powers inside one another`)
  const value = parseSigned(parser)
  parser.depth--
  return value
}

function parseSigned(parser: Parser): Quantity {
  if (take(parser, '-')) return arithmetic.negate(parseUnary(parser))
  if (take(parser, '+')) return parseUnary(parser)
  const base = parseAtom(parser)
  // The exponent is a unary, so 2^3^2 is 2^9, 2^-1 is a half, and -2^2 is -4.
  const token = peek(parser)
  if (!take(parser, '^')) return base
  const exponent = parseUnary(parser)
  return located(token, () => arithmetic.power(base, exponent))
}

function parseAtom(parser: Parser): Quantity {
  const token = peek(parser)
  if (token.kind === 'number') {
    parser.next++
    return located(token, () => arithmetic.quantity(token.text))
  }
  if (token.kind === 'name') return parseCall(parser, token)
  if (!take(parser, '(')) throw unexpected(token, 'a number, a function or "("')
  const value = parseSum(parser)
  expect(parser, ')')
  return value
}

function parseCall(parser: Parser, name: Token): Quantity {
  const called = FUNCTIONS.get(name.text.toLowerCase())
  if (!called) throw wrong(name.at, `there is no function or constant "${name.text}"`)
  parser.next++
  expect(parser, '(')
  const args = [parseSum(parser)]
  while (take(parser, ',')) args.push(parseSum(parser))
  expect(parser, ')')
  if (args.length < called.least || args.length > called.most) {
    throw wrong(name.at, `"${name.text}" takes ${called.least} to ${called.most} arguments, not ${args.length}`)
  }
  return located(name, () => called.apply(args))
}

/** Adds the place to what arithmetic refuses. */
function located(token: Token, work: () => Quantity): Quantity {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    throw new TerminalError(error.code, `At position ${token.at}: ${error.message}`, { hint: error.hint, cause: error })
  }
}

function peek(parser: Parser): Token {
  return given(parser.tokens[parser.next])
}

function take(parser: Parser, sign: string): boolean {
  const token = peek(parser)
  if (token.kind !== 'sign' || token.text !== sign) return false
  parser.next++
  return true
}

function expect(parser: Parser, sign: string): void {
  if (!take(parser, sign)) throw unexpected(peek(parser), `"${sign}"`)
}

/** The scanner always ends with an `end`, and calls count their arguments before use, so this never throws. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the parser ran past the end')
  return value
}

function unexpected(token: Token, wanted: string): TerminalError {
  return wrong(token.at, `expected ${wanted}, found ${token.kind === 'end' ? 'the end' : JSON.stringify(token.text)}`)
}

function wrong(at: number, what: string): TerminalError {
  return new TerminalError('bad_expression', `At position ${at}: ${what}.`, {
    hint: `Use numbers such as 1234.56 (no thousands separators), + - * / % ^ ( ) and ${[...FUNCTIONS.keys()].join(', ')}. % is the remainder; a percentage is written 15 / 100 * 80.`,
  })
}
