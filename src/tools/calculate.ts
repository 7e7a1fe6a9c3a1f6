import { z } from 'zod'
import { evaluate, MAX_LENGTH } from './expression.ts'
import type { Tool } from './tool.ts'

const input = z.strictObject({
  expression: z
    .string()
    .min(1)
    .max(MAX_LENGTH)
    .describe(
      'An expression such as "(1234.56 + 99.44) * 3" or "round(100 / 7, 2)". No thousands separators, no units.',
    ),
})

/** Decimal arithmetic without binary rounding; see expression.ts for the grammar. */
export const calculate: Tool<z.infer<typeof input>> = {
  name: 'calculate',
  description:
    'Calculates an expression exactly in decimals: + - * / ^, % (remainder), brackets, round(x, places), abs(x), sqrt(x), min(a, b, …), max(a, b, …). Results that never end, such as 1/3, are rounded to 30 significant digits. Use it for every calculation instead of working it out yourself.',
  input,
  effect: 'read',
  timeoutMs: 10_000,
  maxOutputBytes: 16_384,
  // An async function, so that a refusal is a rejection as with every other tool.
  async run({ expression }) {
    return { text: evaluate(expression) }
  },
}
