/** What a deployment goes through, in this order. */
export const STAGES = [
  'preflight',
  'what-if',
  'infrastructure',
  'package',
  'api-key',
  'migrator',
  'check',
  'expand',
  'drain',
  'publish',
  'resume',
  'smoke',
  'contract',
  'record',
] as const

export type Stage = (typeof STAGES)[number]

/** What state things are in where a stage failed, and what is done about it at once. */
export interface Recovery {
  state: string
  /** Which package runs then. Where that is in doubt, the deployment goes back to the one of before. */
  runs: 'old' | 'new' | 'doubtful'
  /** The new package passed the smoke test, so it is one to go back to later. */
  isTested?: true
}

/** Every stage leaves what the next run of the same command repairs: each looks at what is there before it does anything. */
const RECOVERIES: Record<Stage, Recovery> = {
  preflight: { state: 'Nothing was changed.', runs: 'old' },
  'what-if': { state: 'Nothing was changed.', runs: 'old' },
  infrastructure: {
    state: 'Part of the infrastructure may be as the templates say. The app and the database are as they were.',
    runs: 'old',
  },
  package: {
    state: 'The package is not stored. The app and the database are as they were.',
    runs: 'old',
  },
  'api-key': {
    state: 'The package is stored. The app and the database are as they were.',
    runs: 'old',
  },
  migrator: {
    state: 'The app and the database are as they were. The migrator may have the new package.',
    runs: 'old',
  },
  check: { state: 'The app and the database are as they were. The migrator has the new package.', runs: 'old' },
  expand: {
    state:
      'The app is as it was, and the migrator has the new package. The schema may be expanded, which what runs works with; a migration that failed left nothing.',
    runs: 'old',
  },
  drain: { state: 'The app is as it was, on the expanded schema.', runs: 'old' },
  publish: { state: 'The new package may be there or not.', runs: 'doubtful' },
  resume: { state: 'The new package runs, and takes missions up again when the drain is over.', runs: 'new' },
  smoke: { state: 'The new package is there and does not do what it should.', runs: 'doubtful' },
  contract: {
    state: 'The new package runs and was tested. Migrations that only clean up after the old one are pending.',
    runs: 'new',
    isTested: true,
  },
  record: {
    state: 'The new package runs and was tested; whether that is recorded, npm run deployments says.',
    runs: 'new',
    isTested: true,
  },
}

export function recoveryOf(stage: Stage): Recovery {
  return RECOVERIES[stage]
}
