import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutants } from './list.ts'
import { edited, editsOf } from './tree.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('the list of mutants', () => {
  it.each(mutants)('finds the text of $name exactly once, and changes it', (mutant) => {
    for (const edit of editsOf(mutant)) {
      const sound = read(edit.file)
      expect(edited(mutant.name, edit, sound)).not.toBe(sound)
    }
  })

  it('has at least 15, each with a name of its own', () => {
    const names = mutants.map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(15)
    expect(new Set(names).size).toBe(names.length)
  })

  it('stands in docs/mutants.md, with the rule that each one breaks', () => {
    const rows = [...read('docs/mutants.md').matchAll(/^\| `([\w-]+)` +\|.*\| *([\w-]+) *\|[^|]*\|$/gm)]
    const documented = rows.map(([, name, rule]) => `${name} ${rule}`)
    expect(documented).toEqual(mutants.map(({ name, rule }) => `${name} ${rule}`))
  })

  it('says which text is no more where it should be', () => {
    const gone = { file: 'src/a.ts', find: 'no such text', replace: '' }
    const said = 'The text of mutant x is no more in src/a.ts: mend the list'
    expect(() => edited('x', gone, 'something else')).toThrow(said)
  })
})
