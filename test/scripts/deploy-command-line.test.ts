import { describe, expect, it } from 'vitest'
import { commandLine } from '../../scripts/deploy/command-line.ts'
import { DEFAULTS, type Options } from '../../scripts/deploy/options.ts'

const STAGING = { shape: 'staging', name: 'staging' } as const

/** All that a run can have been given. */
const ALL: Required<Options> = {
  json: true,
  dryRun: false,
  yes: true,
  takeOver: true,
  skipInfra: true,
  to: '1.2.3',
  name: 'staging-2',
  withoutMigrator: true,
  location: 'North Europe',
  subscription: 'Test',
  skipCheck: true,
  databaseUser: 'ada@example.com',
  wait: 5,
  smokeGoal: 'Say hello to Ada',
  smokeProfile: 'small',
}

describe('the command that goes on', () => {
  it('has the options of the run that the command takes, and none that has to be meant anew', () => {
    const environment = { ...STAGING, name: ALL.name }
    const shared = '--subscription Test --wait 5 --smoke-goal "Say hello to Ada" --smoke-profile small'
    expect(commandLine('deploy', environment, ALL)).toBe(
      `npm run deploy -- staging --name staging-2 --location "North Europe" --skip-infra --database-user ada@example.com --skip-check ${shared}`,
    )
    expect(commandLine('rollback', environment, ALL)).toBe(
      `npm run rollback -- staging --name staging-2 --to 1.2.3 --without-migrator ${shared}`,
    )
  })

  it('is short where nothing was given', () => {
    expect(commandLine('deploy', STAGING, DEFAULTS)).toBe('npm run deploy -- staging')
    expect(commandLine('rollback', STAGING, DEFAULTS)).toBe('npm run rollback -- staging')
  })
})
