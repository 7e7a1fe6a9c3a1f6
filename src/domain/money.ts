/** Money is a decimal string of US dollars; sums are exact to 12 places, since one token can cost 0.00000015. */
const PLACES = 12
const SCALE = 10n ** BigInt(PLACES)

/** Pattern of a plain amount that somebody may give: no sign, no exponent. */
export const USD_PATTERN = /^\d{1,12}(\.\d{1,12})?$/
/** A sum of them may have more digits than each. */
const SUM_PATTERN = /^\d+(\.\d{1,12})?$/

/** @throws RangeError for text that is no plain amount. */
export function addUsd(a: string, b: string): string {
  return formatUsd(parseUsd(a) + parseUsd(b))
}

/** Below zero, zero or above zero as a is less than, equal to or more than b. */
export function compareUsd(a: string, b: string): number {
  const difference = parseUsd(a) - parseUsd(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Cost of a number of tokens at a price for a million of them. */
export function tokensUsd(tokens: number, usdPerMillion: string): string {
  return formatUsd((BigInt(tokens) * parseUsd(usdPerMillion)) / 1_000_000n)
}

function parseUsd(text: string): bigint {
  if (!SUM_PATTERN.test(text)) throw new RangeError(`"${text}" is no amount in US dollars`)
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole as string) * SCALE + BigInt(fraction.padEnd(PLACES, '0'))
}

function formatUsd(amount: bigint): string {
  const fraction = (amount % SCALE).toString().padStart(PLACES, '0').replace(/0+$/, '')
  return fraction === '' ? (amount / SCALE).toString() : `${amount / SCALE}.${fraction}`
}
