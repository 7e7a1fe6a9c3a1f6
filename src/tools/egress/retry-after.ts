/** Milliseconds that a Retry-After header asks to wait: seconds, or a date against this machine's clock. */
export function retryAfterMs(header: string | null | undefined): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Date.parse takes almost anything, "-5" for one: HTTP dates end in GMT.
  const until = text.endsWith('GMT') ? Date.parse(text) : NaN
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now())
}
