/** `npm run test:mutants`: builds faults into the engine, one by one, and looks whether the simulation and the crash sweep see them. */
import { Command } from 'commander'
import { mutants, type Mutant } from './list.ts'
import { prove, type Verdict } from './prove.ts'
import { copyTree } from './tree.ts'

interface Options {
  only: string[]
  list?: boolean
  json?: boolean
}

const GUIDE = `
Each mutant is built alone into a copy of this tree, and the proof that the list names for it must find its rule broken. A proof
that ends without a report has caught nothing. The table of what found which is docs/mutants.md.

Exit codes: 0 all were caught, 1 one has survived, 2 wrong usage.`

const program = new Command('npm run test:mutants --')
  .description('Proves that the proofs can fail: builds faults into the engine, which they have to see.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .option('--only <name>', 'this mutant; may be given several times', add, [])
  .option('--list', 'names all mutants and ends')
  .option('--json', 'one line of JSON for each mutant, and nothing else')
  .addHelpText('after', GUIDE)
  .action(async (options: Options) => {
    const chosen = choose(options)
    if (options.list === true)
      for (const mutant of chosen) console.log(`${mutant.name.padEnd(width)}  ${mutant.breaks}`)
    else process.exitCode = (await run(chosen, options.json === true)) ? 0 : 1
  })

const width = Math.max(...mutants.map(({ name }) => name.length))

function choose({ only }: Options): readonly Mutant[] {
  const unknown = only.find((name) => !mutants.some((mutant) => mutant.name === name))
  if (unknown !== undefined) program.error(`There is no mutant "${unknown}". See --list.`, { exitCode: 2 })
  return only.length === 0 ? mutants : mutants.filter(({ name }) => only.includes(name))
}

/** One after the other, since each proof takes all cores. */
async function run(chosen: readonly Mutant[], json: boolean): Promise<boolean> {
  const tree = await copyTree()
  let caught = 0
  try {
    for (const mutant of chosen) {
      const verdict = await tree.broken(mutant, () => prove(tree, mutant))
      if (verdict.caught) caught++
      console.log(json ? JSON.stringify(verdict) : lineOf(verdict))
    }
  } finally {
    await tree.remove()
  }
  const survived = chosen.length - caught
  if (!json) console.log(`${caught} caught, ${survived} survived`)
  return survived === 0
}

function lineOf({ mutant, caught, by, rules, where, why, ms }: Verdict): string {
  const seconds = `${(ms / 1000).toFixed(1)} s`
  const what = caught
    ? `caught by the ${by}: ${rules.join(', ')} (${where}, ${seconds})`
    : `SURVIVED (${seconds}): ${why}`
  return `${mutant.padEnd(width)}  ${what}`
}

function add(name: string, before: string[]): string[] {
  return [...before, name]
}

await program.parseAsync()
