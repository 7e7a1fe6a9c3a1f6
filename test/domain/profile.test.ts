import { expect, it } from 'vitest'
import { priceOf } from '../../src/domain/profile.ts'

const price = (inputUsd: string) => ({ inputUsd, outputUsd: '1' })
const prices = {
  'gpt-5-mini': price('1'),
  'gpt-5-mini-2025-08-07': price('2'),
  'prod-chat': price('3'),
  'claude-x': price('4'),
  'o-2': price('5'),
}

it.each([
  ['the exact name', 'gpt-5-mini-2025-08-07', 'prod-chat', '2'],
  ['the name without its date', 'gpt-5-mini-2026-01-31', 'unpriced', '1'],
  ['that name before the one that was asked for', 'gpt-5-mini-2026-01-31', 'prod-chat', '1'],
  ['the name without a date in one piece', 'claude-x-20260131', 'unpriced', '4'],
  ['the name that was asked for', 'qwen-2026-01-31', 'prod-chat', '3'],
])('a price goes by %s', (_, answered, asked, inputUsd) => {
  expect(priceOf(prices, answered, asked)?.inputUsd).toBe(inputUsd)
})

it.each(['unpriced', 'o-2-0613', 'constructor', 'gpt-5-mini-2025-08-07-eu', ''])('%j has no price', (name) => {
  expect(priceOf(prices, name, name)).toBeUndefined()
})
