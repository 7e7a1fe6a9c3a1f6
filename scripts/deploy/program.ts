import { Argument, Command, InvalidArgumentError } from 'commander'
import { SHAPES, type Shape } from './environments.ts'
import type { DeployContext } from './open-session.ts'
import { DEFAULTS, type Options } from './options.ts'

interface Words {
  name: string
  description: string
  guide: string
}

/** What the three commands have in common. */
export function createProgram({ terminal: { streams } }: DeployContext, { name, description, guide }: Words): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .showHelpAfterError(`Everything else is in: npm run ${name} -- --help`)
    .allowExcessArguments(false)
    .addArgument(new Argument('<environment>', 'which').choices(SHAPES))
    .option('--subscription <id>', 'refuses where another one is signed in to; AZURE_SUBSCRIPTION_ID')
    .option(
      '--name <name>',
      'of one that is called otherwise than its kind: its group is rg-taskforce-NAME',
      environmentName,
    )
    .option('--json', 'JSON on standard output')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', guide)
}

/** Of the two that change something. */
export function addChangeOptions(program: Command): Command {
  return program
    .option('--dry-run', 'prints each command, one a line, and runs nothing')
    .option('--yes', 'does not ask')
    .option('--take-over', 'goes on where the lock of another run, which died, is in the way')
    .option('--wait <seconds>', 'how long missions may take to be handed over', seconds, DEFAULTS.wait)
    .option('--smoke-goal <goal>', 'of the mission that is run to its end', DEFAULTS.smokeGoal)
    .option('--smoke-profile <profile>', 'its profile; without it, the default of the environment')
}

export function readOptions(program: Command, env: NodeJS.ProcessEnv): Options {
  const given = program.opts<Partial<Options>>()
  const { AZURE_LOCATION: location, AZURE_SUBSCRIPTION_ID: subscription } = env
  return {
    ...DEFAULTS,
    ...(location ? { location } : {}),
    ...(subscription ? { subscription } : {}),
    ...given,
  }
}

/** Ends with wrong usage where the environment is called like another shape: production must never be made with what dev is. */
export function environmentArgument(program: Command): Shape {
  const shape = program.processedArgs[0] as Shape
  const { name = shape } = program.opts<Partial<Options>>()
  const other = SHAPES.find((one) => one === name && one !== shape)
  if (other !== undefined) program.error(`error: one that is called ${other} is of that shape, and no ${shape}.`)
  return shape
}

/**
 * It is part of names that Azure limits, and of commands. One of capitals would be the same group to Azure, but other names within it
 * and other records.
 */
function environmentName(text: string): string {
  if (text.length <= 24 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text)) return text
  throw new InvalidArgumentError(
    'It takes up to 24 small letters and digits, and single hyphens between them, such as staging-2.',
  )
}

function seconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes whole seconds, such as 60.')
}
