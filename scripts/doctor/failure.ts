/** Codes of the system, of TLS and of fetch's client; text from elsewhere is never shown, since it repeats passwords and keys. */
const SYSTEM_CODE = /^[A-Z_]{4,48}$/

/** The code at the root of an error, through causes and lists of errors; undefined where there is none. */
export function codeOf(error: unknown): string | undefined {
  let current: unknown = error
  // Causes of fetch and of the SDKs are at most three deep.
  for (let depth = 0; depth < 6 && current instanceof Error; depth++) {
    if ('code' in current && typeof current.code === 'string' && SYSTEM_CODE.test(current.code)) return current.code
    current = current instanceof AggregateError ? current.errors[0] : current.cause
  }
  return undefined
}

/** Why there is no connection, in words of ours. */
export function causeOf(error: unknown): string {
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no such host'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection broke off'
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no answer'
    case 'ERR_INVALID_URL':
      return 'the address is no URL'
    case undefined:
      return 'the connection failed'
    default:
      return /CERT|SIGNATURE/.test(code) ? `its certificate is not trusted (${code})` : code
  }
}

/** The HTTP status that a client of a server threw. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  for (const key of ['statusCode', 'status'] as const) {
    const status: unknown = (error as Record<string, unknown>)[key]
    if (typeof status === 'number' && status >= 100 && status < 600) return status
  }
  return undefined
}
