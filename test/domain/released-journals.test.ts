import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf, releasedSchema } from '../../scripts/journals/released.ts'
import { nextDecision } from '../../src/engine/next-decision.ts'

/**
 * Missions outlive releases: what a version has written is read by every later one. `npm run journals` writes the folder of
 * a version; where a test here fails, the code is what has to change (an upcaster, or the old behaviour for old events).
 */
const FOLDER = join(import.meta.dirname, '../journals')

const files = readdirSync(FOLDER).flatMap((version) =>
  readdirSync(join(FOLDER, version)).map((file) => ({ version, story: basename(file, '.json') })),
)

function read({ version, story }: { version: string; story: string }) {
  return releasedSchema.parse(JSON.parse(readFileSync(join(FOLDER, version, `${story}.json`), 'utf8')))
}

test('there are journals, each where it says that it belongs', () => {
  expect(files.length).toBeGreaterThan(20)
  expect(files.map(read).map(({ version, story }) => ({ version, story }))).toEqual(files)
})

describe.each(files)('$story of version $version', (file) => {
  const { rows, parents, profile, expected } = read(file)

  test('is read as it was then', () => {
    expect(digestOf(rows, parents, profile)).toEqual(expected)
  })

  test('can be read wherever it is cut off', () => {
    const cuts = rows.map((last, index) => {
      const journal = rows.slice(0, index + 1)
      return nextDecision({ v: 1, journal, parents, profile, now: last.at })
    })
    expect(cuts.filter(({ readable }) => !readable)).toEqual([])
  })
})
