import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addUsd, compareUsd, tokensUsd } from '../../src/domain/money.ts'

it('a million tokens cost what the price says, to the last place', () => {
  expect(tokensUsd(1_000_000, '0.15')).toBe('0.15')
  expect(tokensUsd(1, '0.15')).toBe('0.00000015')
  expect(addUsd('0.1', '0.2')).toBe('0.3')
  expect(compareUsd('0.30', '0.3')).toBe(0)
  expect(() => addUsd('-1', '1')).toThrow('no amount')
  expect(() => addUsd('1e3', '1')).toThrow('no amount')
})

it('a sum may have more digits than any amount that is given', () => {
  const most = '999999999999.999999999999'
  const sum = addUsd(most, most)
  expect(sum).toBe('1999999999999.999999999998')
  expect(addUsd(sum, most)).toBe('2999999999999.999999999997')
  expect(compareUsd(sum, most)).toBe(1)
})

it('sums do not depend on the order', () => {
  const cents = fc.nat(10_000_000).map((n) => `${Math.trunc(n / 100)}.${String(n % 100).padStart(2, '0')}`)
  fc.assert(
    fc.property(fc.array(cents), (amounts) => {
      const forward = amounts.reduce(addUsd, '0')
      expect(amounts.toReversed().reduce(addUsd, '0')).toBe(forward)
      const exact = amounts.reduce((sum, amount) => sum + BigInt(amount.replace('.', '')), 0n)
      expect(compareUsd(forward, `${exact / 100n}.${(exact % 100n).toString().padStart(2, '0')}`)).toBe(0)
    }),
  )
})
