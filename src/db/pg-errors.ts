/** SQLSTATE of a unique violation: somebody else wrote that row first. */
const UNIQUE_VIOLATION = '23505'
const DISK_FULL = '53100'

/** Also a login or a database that is not right (28…, 3D000): whoever asks can do nothing about that but come again. */
const CONNECTION_STATES = new Set([
  '28000',
  '28P01',
  '3D000',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25006',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
])

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION
}

/** Whether the database could not be reached or was just going away, so that the same statement may work later. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionError)
  if (CONNECTION_STATES.has(codeOf(error) ?? '') || isPoolerRefusal(error)) return true
  return (
    error instanceof Error &&
    /connection terminated|not queryable|timeout exceeded when trying to connect|query read timeout/i.test(
      error.message,
    )
  )
}

/** Of a statement that was rolled back for the sake of another one, or for want of a lock or of room on the disk: it may be sent again. */
const ROLLED_BACK_STATES = new Set(['40001', '40P01', '55P03', '57014', DISK_FULL])

/** Whether the same statement may work in a moment. After an `isConnectionError` nobody knows if it went through already. */
export function isPassing(error: unknown): boolean {
  return isConnectionError(error) || ROLLED_BACK_STATES.has(codeOf(error) ?? '')
}

/** PgBouncer has one SQLSTATE, of a violated protocol, for a server that crashed, refuses it or is out of reach; and hangs up. */
function isPoolerRefusal(error: unknown): boolean {
  return codeOf(error) === '08P01' && error instanceof Error && 'severity' in error && error.severity === 'FATAL'
}

/** The statement was rolled back, and others will be until somebody makes room. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === DISK_FULL
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
