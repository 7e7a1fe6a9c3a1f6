import { wordOf } from './commands/command.ts'
import type { Environment } from './environments.ts'
import { DEFAULTS, type Options } from './options.ts'

type Word = string | false | undefined

/** Options of both commands that change something, by the words that give them. */
function sharedWords({ subscription, wait, smokeGoal, smokeProfile }: Options): Word[][] {
  return [
    ['--subscription', subscription],
    ['--wait', wait !== DEFAULTS.wait && String(wait)],
    ['--smoke-goal', smokeGoal !== DEFAULTS.smokeGoal && smokeGoal],
    ['--smoke-profile', smokeProfile],
  ]
}

function wordsOf(command: 'deploy' | 'rollback', options: Options): Word[][] {
  const { location, skipInfra, databaseUser, skipCheck, to, withoutMigrator } = options
  if (command === 'rollback') return [['--to', to], [withoutMigrator === true && '--without-migrator']]
  return [
    ['--location', location],
    [skipInfra === true && '--skip-infra'],
    ['--database-user', databaseUser],
    [skipCheck === true && '--skip-check'],
  ]
}

/**
 * What goes on from here, to be typed as it is: the command with those options of this run that it takes. Never `--yes` and
 * `--take-over`, which whoever types it has to mean anew.
 */
export function commandLine(
  command: 'deploy' | 'rollback',
  { shape, name }: Pick<Environment, 'shape' | 'name'>,
  options: Options,
): string {
  const given = [['--name', name !== shape && name], ...wordsOf(command, options), ...sharedWords(options)]
  const words = given.filter((group) => group.every((word) => word !== undefined && word !== false)).flat()
  return [`npm run ${command} --`, shape, ...words.map(String).map(wordOf)].join(' ')
}
