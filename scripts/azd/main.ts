import { join } from 'node:path'
import { Command } from 'commander'
import { readBuildId } from '../../src/build-id.ts'
import { runWords } from '../backup/run-words.ts'
import type { Context } from '../backup/context.ts'
import { makeApiKey } from './api-key.ts'
import type { AzureRest } from './azure-rest.ts'
import { markDeployed } from './mark-deployed.ts'
import { migrate } from './migrate.ts'
import { readOutputs } from './outputs.ts'
import { readParameters, type Parameters } from './parameters.ts'
import { setVariable } from './set-variable.ts'

const GUIDE = `
azd runs these itself, by azure.yaml; "azd hooks run preprovision", "postprovision" and "postdeploy" repeat them, as often as you like.

Exit codes: 0 done, 1 it failed, 2 wrong usage.`

export interface AzdContext extends Context {
  azure: Omit<AzureRest, 'note'>
  now: () => Date
}

/** What azd publishes, by azure.yaml. */
const PACKAGE = '.azure-package'

/** Runs `npm run azd` with the words after `--` and answers its exit code. */
export function main(words: string[], context: AzdContext): Promise<number> {
  return runWords((done) => createProgram(context, done), words, context)
}

function createProgram(context: AzdContext, done: (code: number) => void): Command {
  const { terminal, env, cwd, now } = context
  const azure = { ...context.azure, note: (text: string) => terminal.note(text) }
  const program = new Command('npm run azd --')
    .description(
      'What azd cannot do by itself: what the templates have to know of what is there, the API key, and the database.',
    )
    .helpCommand(false)
    .showHelpAfterError('Everything else is in: npm run azd -- --help')
    .option('--json', 'JSON on standard output')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void terminal.streams.stdout.write(text),
      writeErr: (text) => void terminal.streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
  const tell = (value: object, line: string) => {
    if (program.opts<{ json?: boolean }>().json === true) terminal.json(value)
    else terminal.print([line])
    done(0)
  }
  const give = async ({ environment, changed }: Parameters) => {
    for (const [name, value] of Object.entries(changed)) await setVariable(context, environment, { name, value })
    const words = Object.entries(changed).map(([name, value]) => `${name}=${value}`)
    tell({ changed }, `Parameters: ${words.join(', ') || 'as they were'}`)
  }
  program
    .command('parameters')
    .description(
      'gives the templates what is there already: what others have set, the month of the budget, the storage of Postgres; and whether a person deploys',
    )
    .action(async () => give(await readParameters(azure, env, now())))
  program
    .command('mark-deployed')
    .description('marks what was just deployed, so that it follows what others set later')
    .action(async () => give(await markDeployed(azure, env)))
  program
    .command('api-key')
    .description('makes the API key where the vault has none')
    .action(async () => {
      const outputs = readOutputs(env)
      const apiKey = await makeApiKey(azure, outputs)
      tell({ apiKey }, `API key: ${apiKey}, secret ${outputs.API_KEY_SECRET_NAME} of ${outputs.AZURE_KEY_VAULT_NAME}`)
    })
  program
    .command('migrate')
    .description("makes the app's login at Postgres, and migrates")
    .action(async () => {
      const revision = await migrate(azure, readOutputs(env), readBuildId(join(cwd, PACKAGE, 'dist')))
      tell({ revision }, `Database: revision ${revision}`)
    })
  return program
}
