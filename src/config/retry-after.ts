/** A day. A longer wait is a mistake or an attack, and 17 digits of seconds are no date at all. */
const LONGEST_WAIT_MS = 86_400_000

/**
 * Milliseconds that a response asks the client to wait, a day at most, or undefined where it does not say or says
 * nonsense. Reads `retry-after-ms` (OpenAI, Azure OpenAI) and both forms of `Retry-After` (RFC 9110, 10.2.3). A date is
 * measured against the response's own `Date`, since this machine's clock may be hours off (fault F30).
 * @param get the value of a header by its name in lower case
 * @param now for a response without `Date`, in milliseconds since 1970
 */
export function readRetryAfterMs(get: (name: string) => string | null | undefined, now: number): number | undefined {
  const asked = askedMs(get, now)
  return asked === undefined ? undefined : Math.min(asked, LONGEST_WAIT_MS)
}

function askedMs(get: (name: string) => string | null | undefined, now: number): number | undefined {
  const milliseconds = readNumber(get('retry-after-ms'))
  if (milliseconds !== undefined) return Math.ceil(milliseconds)
  const text = get('retry-after')?.trim() ?? ''
  const seconds = readNumber(text)
  if (seconds !== undefined) return Math.ceil(seconds * 1000)
  // Date.parse takes almost anything, "-5" for one: HTTP dates end in GMT.
  const until = text.endsWith('GMT') ? Date.parse(text) : NaN
  if (Number.isNaN(until)) return undefined
  const serverNow = Date.parse(get('date') ?? '')
  return Math.max(0, until - (Number.isNaN(serverNow) ? now : serverNow))
}

function readNumber(text: string | null | undefined): number | undefined {
  return text && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
}
