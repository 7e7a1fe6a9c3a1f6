import { Argument, Command, InvalidArgumentError } from 'commander'
import { ENVIRONMENTS, type EnvironmentName } from './environments.ts'
import type { DeployContext } from './open-session.ts'
import type { Options } from './options.ts'

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
    .addArgument(new Argument('<environment>', 'which').choices(ENVIRONMENTS))
    .option('--subscription <id>', 'refuses where another one is signed in to; AZURE_SUBSCRIPTION_ID')
    .option(
      '--deployment <name>',
      'of the infrastructure, where azd or az made it under another name than taskforce-ENV or taskforce-ENV-TIME',
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
    .option('--wait <seconds>', 'how long missions may take to be handed over', seconds, 60)
    .option('--smoke-goal <goal>', 'of the mission that is run to its end', 'Say hello')
    .option('--smoke-profile <profile>', 'its profile; without it, the default of the environment')
}

export function readOptions(program: Command, env: NodeJS.ProcessEnv): Options {
  const given = program.opts<Partial<Options>>()
  const { AZURE_LOCATION: location = 'westeurope', AZURE_SUBSCRIPTION_ID: subscription } = env
  return { location, wait: 60, smokeGoal: 'Say hello', ...(subscription ? { subscription } : {}), ...given }
}

export function environmentArgument(program: Command): EnvironmentName {
  return program.processedArgs[0] as EnvironmentName
}

function seconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes whole seconds, such as 60.')
}
