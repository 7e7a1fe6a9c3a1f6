/**
 * Milliseconds that a response asks the client to wait, or undefined where it does not say or says nonsense. Reads
 * `retry-after-ms` (OpenAI, Azure OpenAI) and both forms of `Retry-After` (RFC 9110, 10.2.3). A date is measured against
 * the response's own `Date`, since this machine's clock may be hours off (fault F30).
 */
export function readRetryAfterMs(headers: Headers, now: number): number | undefined {
  const milliseconds = readNumber(headers.get('retry-after-ms'))
  if (milliseconds !== undefined) return Math.ceil(milliseconds)
  const text = headers.get('retry-after')
  const seconds = readNumber(text)
  if (seconds !== undefined) return Math.ceil(seconds * 1000)
  // Date.parse takes almost anything, "-5" for one: HTTP dates end in GMT.
  const until = text?.trim().endsWith('GMT') ? Date.parse(text) : NaN
  if (Number.isNaN(until)) return undefined
  const serverNow = Date.parse(headers.get('date') ?? '')
  return Math.max(0, until - (Number.isNaN(serverNow) ? now : serverNow))
}

function readNumber(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
}
