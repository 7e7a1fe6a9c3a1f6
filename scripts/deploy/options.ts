/** Of options that always have a value. */
export const DEFAULTS = { wait: 60, smokeGoal: 'Say hello' } as const

/** Of all three commands; each takes some of them. */
export interface Options {
  json?: boolean
  dryRun?: boolean
  yes?: boolean
  /** Goes on where somebody else's run holds the lock. */
  takeOver?: boolean
  skipInfra?: boolean
  /** What to go back to: a version, a commit, or the SHA-256 or file name of a package. */
  to?: string
  /** Of the environment, where it is not called as its shape. */
  name?: string
  /** Goes back though the migrator can't be asked. */
  withoutMigrator?: boolean
  location?: string
  subscription?: string
  /** Deploys though unfinished missions were not read with the new package. */
  skipCheck?: boolean
  /** Login for check-deploy; without it, the name of who is signed in is tried. */
  databaseUser?: string
  /** Seconds that missions get to be handed over. */
  wait: number
  smokeGoal: string
  smokeProfile?: string
}
