import type { ApiRequest } from './http.ts'

/** The platform ends a response at 230 s; what takes this long is better followed than waited for. */
const LONGEST_SECONDS = 100
/** For `wait` without a number, which RFC 7240 does not have but people write. */
const USUAL_SECONDS = 60

/**
 * Seconds that the client would wait for the work to be done, at most 100, by `Prefer: wait=SECONDS` (RFC 7240, 4.3);
 * undefined where it prefers nothing of the kind. A preference that can't be read is none.
 */
export function preferredWait(request: ApiRequest): number | undefined {
  const preferences = (request.headers.get('prefer') ?? '').split(',').map((one) => one.split(';')[0]?.trim() ?? '')
  for (const preference of preferences) {
    const [, seconds] = /^wait(?:\s*=\s*"?(\d+)"?)?$/i.exec(preference) ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), LONGEST_SECONDS)
    if (/^wait$/i.test(preference)) return USUAL_SECONDS
  }
  return undefined
}
