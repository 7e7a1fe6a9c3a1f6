import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Of a page: what is pasted as one, with lines that go on joined. */
const blocksOf = (page: string) =>
  [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block.replaceAll(/(\\|&&)\n\s*/g, '$1 '))

const pages = globSync('docs/runbooks/*.md').map((file) => ({ file, blocks: blocksOf(readFileSync(file, 'utf8')) }))

describe.each(pages)('$file', ({ blocks }) => {
  it('asks of the app nothing whose refusal curl would pass over', () => {
    const calls = blocks
      .flatMap((block) => block.split('\n'))
      .filter((line) => /curl .*(admin\/backups|\/migrate) /.test(`${line} `))
    expect(calls.filter((line) => !line.includes(' --fail-with-body '))).toEqual([])
  })

  it('deploys, migrates and deletes nothing in the lines after a backup that may have failed', () => {
    for (const block of blocks) {
      const [, after = ''] = /\/admin\/backups *(?:#.*)?\n([^]*)/.exec(block) ?? []
      expect(after).not.toMatch(/npm run (deploy|migrate)|az \S+ delete/)
    }
  })
})
