import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fill } from '../../scripts/docs/fill.ts'
import { transcripts } from '../../scripts/docs/transcripts.ts'
import { comparable } from './comparable.ts'

/** When it fails: `npm run docs`, and read what changed. Twelve commands of half a second and more, so not in `npm test`. */
it('docs/transcripts.md is what the commands print', async () => {
  const written = readFileSync('docs/transcripts.md', 'utf8')
  const now = fill(written, 'transcripts', await transcripts(() => undefined))
  expect(comparable(now)).toEqual(comparable(written))
}, 120_000)
