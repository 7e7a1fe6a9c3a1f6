import { Command } from 'commander'
import { runWords } from '../backup/run-words.ts'
import type { Context } from '../backup/context.ts'
import { installBicep } from './install.ts'
import { BICEP_VERSION } from './package.ts'

const GUIDE = `
Needs the .NET SDK, which fetches it from NuGet: about 120 MB once. It is only for npm test; deployments use the compiler of
az or azd.

Exit codes: 0 done, 1 it failed, 2 wrong usage.`

/** Runs `npm run bicep:install` with the words after `--` and answers its exit code. */
export function main(words: string[], context: Context): Promise<number> {
  return runWords((done) => createProgram(context, done), words, context)
}

function createProgram(context: Context, done: (code: number) => void): Command {
  const { streams } = context.terminal
  return new Command('npm run bicep:install --')
    .description(`Installs the Bicep compiler ${BICEP_VERSION} into .bicep/, where the tests of bicep/ find it.`)
    .showHelpAfterError('Everything else is in: npm run bicep:install -- --help')
    .option('--json', 'JSON on standard output')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
    .action(async ({ json }: { json?: boolean }) => {
      const installed = await installBicep({ root: context.cwd, platform: process.platform, arch: process.arch })
      if (json === true) context.terminal.json(installed)
      else context.terminal.print([`Bicep ${installed.version}: ${installed.path}`])
      done(0)
    })
}
