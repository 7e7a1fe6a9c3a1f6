import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { DumpContents } from '../../src/backup/manifest.ts'
import {
  OPENING,
  SECTIONS,
  copyFrom,
  dataMark,
  endMark,
  sectionMark,
  setSequence,
} from '../../src/backup/plain/form.ts'
import { readPlain } from '../../src/backup/plain/read-plain.ts'
import { sumRows } from '../../src/backup/plain/sum-rows.ts'
import { verifyPlain } from '../../src/backup/plain/verify-plain.ts'
import { NASTY_TEXTS } from './nasty-rows.ts'

interface Table {
  table: string
  columns: string[]
  rows: string[][]
}

const name = fc.oneof(fc.constantFrom(...NASTY_TEXTS, 'id', 'a"b'), fc.string({ minLength: 1, maxLength: 6 }))
const value = fc.oneof(fc.constantFrom(...NASTY_TEXTS), fc.string({ unit: 'binary', maxLength: 12 }))
const table: fc.Arbitrary<Table> = fc.record({
  table: name,
  columns: fc.array(name, { maxLength: 3 }),
  rows: fc.array(fc.array(value, { maxLength: 3 }), { maxLength: 5 }),
})
const backup = fc.array(table, { maxLength: 4 }).map(writePlain)

describe('the reader of the plain SQL', () => {
  it('gives the same parts wherever its chunks begin and end', async () => {
    await fc.assert(
      fc.asyncProperty(backup, fc.array(fc.nat(), { maxLength: 30 }), async ({ plain, tables, contents }, cuts) => {
        await verifyPlain(cutAt(plain, cuts), contents)
        const parts = await readAll(cutAt(plain, cuts))
        expect(parts.filter(({ kind }) => kind === 'copy').map(({ text }) => text)).toEqual(tables.map(blockOf))
        expect(parts.filter(({ kind }) => kind === 'sql').map(({ text }) => text)).toEqual(
          SECTIONS.filter((section) => section !== 'extra').map(textOf),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('reads it byte by byte', async () => {
    const { plain, contents } = writePlain([{ table: 't', columns: ['a'], rows: NASTY_TEXTS.map((text) => [text]) }])
    await expect(verifyPlain(cutAt(plain, [...plain.keys()]), contents)).resolves.toBeUndefined()
  })

  it('refuses what is cut off, at every byte', async () => {
    const { plain } = writePlain([
      { table: 't', columns: ['a'], rows: [['x'], ['\\.']] },
      { table: 'u', columns: [], rows: [[]] },
    ])
    for (let length = 0; length < plain.length; length++) {
      await expect(readAll(cutAt(plain.subarray(0, length), []))).rejects.toMatchObject({ code: 'backup_unreadable' })
    }
  })

  it('refuses what goes on after its end', async () => {
    const { plain } = writePlain([])
    for (const more of ['\n', 'x', plain.toString()]) {
      await expect(readAll(cutAt(Buffer.concat([plain, Buffer.from(more)]), []))).rejects.toMatchObject({
        code: 'backup_unreadable',
      })
    }
  })

  it('finds every flipped bit', async () => {
    const { plain, contents } = writePlain([
      {
        table: 't',
        columns: ['a', 'b'],
        rows: [
          ['x', '\\.'],
          ['', '\n'],
        ],
      },
    ])
    for (let bit = 0; bit < plain.length * 8; bit++) {
      const flipped = Buffer.from(plain)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      await expect(verifyPlain(cutAt(flipped, []), contents), `bit ${bit}`).rejects.toMatchObject({
        code: expect.stringMatching(/^backup_(differs|unreadable)$/),
      })
    }
  })

  it('names the first table that differs', async () => {
    const { plain, contents } = writePlain([{ table: 'missions', columns: ['a'], rows: [['x'], ['y']] }])
    const fewer = { ...contents, tables: contents.tables.map((one) => ({ ...one, rows: 3 })) }
    await expect(verifyPlain(cutAt(plain, []), fewer)).rejects.toThrow('missions has 2 rows in it, and had 3')
    const { contents: others } = writePlain([{ table: 'missions', columns: ['a'], rows: [['x'], ['z']] }])
    await expect(verifyPlain(cutAt(plain, []), others)).rejects.toThrow('the rows of missions are not the same')
    const sequence = { name: 'counter', lastValue: '7', isCalled: true }
    await expect(verifyPlain(cutAt(plain, []), { ...contents, sequences: [sequence] })).rejects.toThrow('counter')
  })

  it('will not pass over rows', async () => {
    const { plain } = writePlain([{ table: 't', columns: ['a'], rows: [['x']] }])
    const passOver = async () => {
      for await (const part of readPlain(cutAt(plain, []))) expect(part).toBeDefined()
    }
    await expect(passOver()).rejects.toThrow('not read to their end')
  })

  it('lets go of its source when nobody reads on', async () => {
    let released = false
    async function* source() {
      try {
        yield* cutAt(writePlain([{ table: 't', columns: [], rows: [] }]).plain, [10, 20, 30])
      } finally {
        released = true
      }
    }
    for await (const _ of readPlain(source())) break
    expect(released).toBe(true)
  })
})

describe('the sum of rows', () => {
  it('sees a row that looks like the end of the block, wherever its chunks begin and end', () => {
    const line = fc.constantFrom('\\.', '\\.x', 'x\\.', '\\', '.', '', '\\\\.', '\\N')
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const rows = Buffer.from(lines.map((one) => `${one}\n`).join(''))
        const sum = sumRows()
        for (const chunk of pieces(rows, cuts)) sum.add(chunk)
        expect(sum.sawEndMark()).toBe(lines.some((one) => one.startsWith('\\.')))
        expect(sum.end()).toMatchObject({ rows: lines.length, bytes: rows.length })
      }),
      { numRuns: 1000 },
    )
  })
})

/** As COPY writes it. */
function escaped(text: string): string {
  const letters: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  return text.replaceAll(/[\\\n\r\t]/g, (char) => letters[char] ?? char)
}

function blockOf({ rows }: Table): string {
  return Buffer.from(rows.map((row) => `${row.map(escaped).join('\t')}\n`).join('')).toString()
}

function textOf(section: string): string {
  return section === 'sequences' ? `${setSequence(SEQUENCE)}\n` : `-- ${section}\nselect '${section}';\n\n`
}

const SEQUENCE = { name: 'odd\nname', lastValue: '-5', isCalled: false }

function writePlain(tables: Table[]): { plain: Buffer; tables: Table[]; contents: DumpContents } {
  const section = (one: (typeof SECTIONS)[number]) => `${sectionMark(one)}\n${textOf(one)}`
  const block = (one: Table, rows: string) => `${dataMark(one)}\n${copyFrom(one)}\n${rows}\\.\n`
  const rows = tables.reduce((sum, one) => sum + one.rows.length, 0)
  const around = (blocks: string[]) =>
    Buffer.from(
      [
        OPENING,
        ...(['settings', 'roles', 'membership', 'pre'] as const).map(section),
        ...blocks,
        ...(['sequences', 'post'] as const).map(section),
        `${endMark(tables.length, rows)}\n`,
      ].join(''),
    )
  const plain = around(tables.map((one) => block(one, blockOf(one))))
  const text = around(tables.map((one) => block(one, '')))
  const contents: DumpContents = {
    snapshotAt: '2026-11-29T02:00:00.000Z',
    revision: 3,
    minCode: 1,
    migrations: [],
    server: { version: '15.18' },
    missing: [],
    drift: [],
    tables: tables.map((one) => {
      const sum = sumRows()
      sum.add(Buffer.from(blockOf(one)))
      return { name: one.table, columns: one.columns, ...sum.end() }
    }),
    sequences: [SEQUENCE],
    plain: { bytes: plain.length, textSha256: createHash('sha256').update(text).digest('hex') },
  }
  return { plain, tables, contents }
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<{ kind: string; text: string }[]> {
  const parts: { kind: string; text: string }[] = []
  for await (const part of readPlain(chunks)) {
    if (part.kind === 'sql') parts.push({ kind: 'sql', text: part.text })
    else parts.push({ kind: 'copy', text: await textFrom(part.rows) })
  }
  return parts
}

async function textFrom(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all).toString()
}

async function* cutAt(bytes: Buffer, cuts: number[]): AsyncGenerator<Buffer> {
  yield* pieces(bytes, cuts)
}

/** With empty pieces too. */
function pieces(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}
