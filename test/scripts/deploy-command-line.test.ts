import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../../scripts/deploy/command-line.ts'
import { lineOf } from '../../scripts/deploy/commands/command.ts'
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

const goalIn = (smokeGoal: string) =>
  commandLine('deploy', STAGING, { ...DEFAULTS, smokeGoal }).replace(/^.* --smoke-goal /, '')

/** What a shell hands on of it. */
const readBy = (shell: string, word: string) =>
  spawnSync(shell, ['-c', `printf %s ${word}`], { encoding: 'utf8' }).stdout

describe('a word of it', () => {
  it.each([
    ['hello', 'hello'],
    ["Say it's done, (all) of it; 5 > 4 & so on", `"Say it's done, (all) of it; 5 > 4 & so on"`],
    ['a,b', '"a,b"'],
    ['=ls', '"=ls"'],
    ['', '""'],
    [String.raw`C:\Program Files\x`, String.raw`"C:\Program Files\x"`],
    ['Say "hi" for $5', `'Say "hi" for $5'`],
    ['Say hi!', `'Say hi!'`],
    ['Say `id`', "'Say `id`'"],
    ['Say „hi“', "'Say „hi“'"],
    [String.raw`a\\b \$HOME ends with \ `.trimEnd(), String.raw`'a\\b \$HOME ends with \'`],
    [`Don't say "hi"`, String.raw`'Don'\''t say "hi"'`],
  ])('%s is typed as %s', (goal, word) => {
    expect(goalIn(goal)).toBe(word)
    for (const shell of ['sh', 'bash']) expect({ shell, read: readBy(shell, word) }).toEqual({ shell, read: goal })
  })

  it('may hold what a later answer tells, in a dry run, and is quoted for the rest', () => {
    const args = ['show', '--name', '$APP_2', '--url', 'sites/$APP/x', '--query', "[?a=='$B'].x", '--price', '$5']
    expect(lineOf({ program: 'az', args })).toBe(
      `az show --name $APP_2 --url sites/$APP/x --query "[?a=='$B'].x" --price '$5'`,
    )
  })
})
