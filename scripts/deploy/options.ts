/** Of all three commands; each takes some of them. */
export interface Options {
  json?: boolean
  dryRun?: boolean
  yes?: boolean
  skipInfra?: boolean
  /** Version or commit to go back to. */
  to?: string
  location: string
  subscription?: string
  /** Whose outputs say where everything is, where it is not the one that `npm run deploy` makes. */
  deployment?: string
  /** Login for check-deploy. */
  databaseUser?: string
  /** Seconds that missions get to be handed over. */
  wait: number
  smokeGoal: string
  smokeProfile?: string
}
