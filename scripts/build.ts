import { resolve } from 'node:path'
import { Command } from 'commander'
import { formatBuild } from '../src/local/build/build-bundle.ts'
import { layOutPackage } from '../src/local/build/lay-out-package.ts'
import { measureLoad } from '../src/local/build/measure-load.ts'
import { runWords } from './backup/run-words.ts'
import { processContext } from './mission/process-context.ts'

const GUIDE = `
func start takes dist/, azd publishes .azure-package/, and npm run deploy builds a package of its own.

Exit codes: 0 done, 1 it failed, 2 wrong usage.`

const context = processContext()

const createProgram = (done: (code: number) => void): Command =>
  new Command('npm run build --')
    .description('Bundles functions/ into dist/, lays out the package for Azure in .azure-package/, and loads it once.')
    .showHelpAfterError('Everything else is in: npm run build -- --help')
    .option('--json', 'JSON on standard output')
    .exitOverride()
    .addHelpText('after', GUIDE)
    .action(async ({ json }: { json?: boolean }) => {
      const built = await layOutPackage()
      const loadMs = await measureLoad(resolve(built.entry))
      if (json === true) context.terminal.json({ ...built, loadMs })
      else context.terminal.print([formatBuild(built, loadMs).trimEnd()])
      done(0)
    })

process.exitCode = await runWords(createProgram, process.argv.slice(2), context)
