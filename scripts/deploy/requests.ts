/** What is asked of POST /migrate. */
export type MigratorRequest =
  | { action: 'status' }
  | { action: 'check'; after?: string }
  | { action: 'expand'; codeRevision: number }
  | { action: 'all' }
  | { action: 'drain'; by: string; reason: string; seconds: number }
  | { action: 'resume'; by: string }

/** Whose drain it is: one of somebody else is left alone. */
const BY = 'deploy'

/** A deployment that dies stops nobody for longer than this. */
const DRAIN_S = 900

export const drainRequest = (reason: string): MigratorRequest => ({ action: 'drain', by: BY, reason, seconds: DRAIN_S })

export const resumeRequest = (): MigratorRequest => ({ action: 'resume', by: BY })

export const isOurs = (drain: { by: string } | null): boolean => drain === null || drain.by === BY
