import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Command, CommanderError } from 'commander'
import { format, resolveConfig } from 'prettier'
import { DEFAULT_TENANT } from '../src/missions/context.ts'
import { foldLine } from '../src/engine/fold-line.ts'
import { readProfile } from '../src/db/queries/profiles.ts'
import { readJournals, readParents } from '../src/db/queries/unfinished.ts'
import { version } from '../src/version.ts'
import { startServer, type BenchServer } from './bench/database.ts'
import { digestOf, type Released } from './journals/released.ts'
import { openStage } from './journals/stage.ts'
import { cuts, stories, type Story } from './journals/stories.ts'

const FOLDER = join(import.meta.dirname, '../test/journals', version)
const EXIT = { done: 0, usage: 2, refused: 3 }

const GUIDE = `
Run it once for each version that is released, before its tag: test/domain/released-journals.test.ts then folds what it wrote
with every later version. Journals of a released version are never written again.

Exit codes: 0 done, 2 wrong usage, 3 refused because the folder is there.`

async function main(words: string[]): Promise<number> {
  const program = new Command('npm run journals --')
    .description(`Writes the journals of this version, ${version}, by playing its stories on a Postgres of their own.`)
    .option('--replace', 'where the folder is there already, write it again')
    .allowExcessArguments(false)
    .exitOverride()
    .addHelpText('after', GUIDE)
    .parse(words, { from: 'user' })
  if (existsSync(FOLDER) && program.opts<{ replace?: boolean }>().replace !== true) {
    console.error(
      `${relative('.', FOLDER)} is there. Raise the version, or say --replace where ${version} is not released.`,
    )
    return EXIT.refused
  }
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  const server = await startServer()
  try {
    for (const [name, story] of Object.entries(stories)) {
      const whole = await record(server, name, story)
      await write(whole)
      for (const [part, { of, events }] of Object.entries(cuts)) if (of === name) await write(cut(whole, part, events))
    }
  } finally {
    await server.stop()
  }
  return EXIT.done
}

async function record(server: BenchServer, name: string, story: Story): Promise<Released> {
  const database = await server.fresh()
  const stage = openStage(database)
  const db = stage.missions.databases.engine
  try {
    const missionId = await story(stage)
    const rows = (await readJournals(db, [{ missionId }])).get(missionId) ?? []
    const parents = await readParents(db, rows)
    const profile = await readProfile(db, DEFAULT_TENANT, foldLine([rows, ...parents]).profile.hash)
    return { version, story: name, rows, parents, profile, expected: digestOf(rows, parents, profile) }
  } finally {
    await stage.close()
    await database.drop()
  }
}

function cut(whole: Released, story: string, events: number): Released {
  const rows = whole.rows.slice(0, events)
  return { ...whole, story, rows, expected: digestOf(rows, whole.parents, whole.profile) }
}

async function write(released: Released): Promise<void> {
  const filepath = join(FOLDER, `${released.story}.json`)
  await writeFile(filepath, await format(JSON.stringify(released), { ...(await resolveConfig(filepath)), filepath }))
  console.log(relative('.', filepath))
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage
}
