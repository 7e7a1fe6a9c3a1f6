import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { queryTableTool } from '../../src/tools/query-table.ts'
import { call, contextWith } from './context.ts'

interface Answer {
  columns: string[]
  rows: Record<string, string | null>[]
  totalRows: number
  note?: string
}

async function query(
  content: string | Buffer,
  args: Record<string, unknown> = {},
  file = 'table.csv',
): Promise<Answer> {
  return JSON.parse(await call(queryTableTool, { file, ...args }, contextWith({ [file]: content }))) as Answer
}

function sumOf(column: string) {
  return { aggregate: [{ column, op: 'sum', as: 'total' }] }
}

/** Cents as the independent computation has them, as a decimal. */
function decimal(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const PEOPLE = 'name,city,age\nAnn,Bern,30\nBob,Basel,9\nCyd,Bern,\nDan,basel,100\n'

describe('queries', () => {
  test('without conditions the rows come as they are in the file', async () => {
    expect(await query(PEOPLE, { limit: 1 })).toEqual({
      columns: ['name', 'city', 'age'],
      rows: [{ name: 'Ann', city: 'Bern', age: '30' }],
      totalRows: 4,
    })
  })

  test.each([
    ['=', '30.0', ['Ann']],
    ['!=', 30, ['Bob', 'Cyd', 'Dan']],
    ['>', 9, ['Ann', 'Dan']],
    ['>=', '9', ['Ann', 'Bob', 'Dan']],
    ['<', 100, ['Ann', 'Bob']],
    ['<=', 100, ['Ann', 'Bob', 'Dan']],
    ['contains', '0', ['Ann', 'Dan']],
  ])('age %s %j keeps %j', async (op, value, names) => {
    const { rows } = await query(PEOPLE, { where: [{ column: 'age', op, value }] })
    expect(rows.map((row) => row.name)).toEqual(names)
  })

  test('text is equal by letter, contained in any case, and dates compare as dates', async () => {
    const names = async (column: string, op: string, value: string) =>
      (await query(`${PEOPLE}Eve,2026-02-01,1\nFay,2025-12-31,1\n`, { where: [{ column, op, value }] })).rows.map(
        (row) => row.name,
      )
    expect(await names('city', '=', 'Basel')).toEqual(['Bob'])
    expect(await names('city', 'contains', 'BASEL')).toEqual(['Bob', 'Dan'])
    expect(await names('city', '<', '2026-01-01')).toEqual(['Fay'])
  })

  test('a leading zero makes a code, which equals no number', async () => {
    const { rows } = await query('zip\n01067\n1067\n', { where: [{ column: 'zip', op: '=', value: '01067' }] })
    expect(rows).toEqual([{ zip: '01067' }])
  })

  test('groups, aggregates and sorts the groups', async () => {
    const table = 'customer,amount\nB,0.10\nA,100\nB,0.20\nC,9.5\nB,\n'
    expect(
      await query(table, {
        groupBy: ['customer'],
        aggregate: [
          { column: 'amount', op: 'sum' },
          { op: 'count' },
          { column: 'amount', op: 'count', as: 'filled' },
          { column: 'amount', op: 'min' },
          { column: 'amount', op: 'max' },
          { column: 'amount', op: 'avg' },
        ],
        sort: [{ column: 'sum_amount', direction: 'desc' }],
        limit: 2,
      }),
    ).toEqual({
      columns: ['customer', 'sum_amount', 'count', 'filled', 'min_amount', 'max_amount', 'avg_amount'],
      rows: [
        {
          customer: 'A',
          sum_amount: '100',
          count: '1',
          filled: '1',
          min_amount: '100',
          max_amount: '100',
          avg_amount: '100',
        },
        {
          customer: 'C',
          sum_amount: '9.5',
          count: '1',
          filled: '1',
          min_amount: '9.5',
          max_amount: '9.5',
          avg_amount: '9.5',
        },
      ],
      totalRows: 3,
    })
    const { rows } = await query(table, { where: [{ column: 'customer', op: '=', value: 'B' }], ...sumOf('amount') })
    expect(rows).toEqual([{ total: '0.30' }])
  })

  test('averages have 30 digits, and nothing has no average', async () => {
    const avg = {
      aggregate: [
        { column: 'n', op: 'avg', as: 'a' },
        { column: 'n', op: 'sum', as: 's' },
      ],
    }
    expect((await query('n\n1\n0\n0\n', avg)).rows).toEqual([{ a: `0.${'3'.repeat(30)}`, s: '1' }])
    expect((await query('n,m\n,1\n', avg)).rows).toEqual([{ a: null, s: '0' }])
  })

  test('min and max of text are by text', async () => {
    const { rows } = await query('due\n2026-03-01\n2026-01-09\n', {
      aggregate: [
        { column: 'due', op: 'min' },
        { column: 'due', op: 'max' },
      ],
    })
    expect(rows).toEqual([{ min_due: '2026-01-09', max_due: '2026-03-01' }])
  })

  test('sorts numbers as numbers, then text, then empty cells, and keeps the order of equals', async () => {
    const table = 'k,v\na,10\nb,x1\nc,9\nd,\ne,9.0\nf,1a\n'
    const order = async (direction: string) =>
      (await query(table, { sort: [{ column: 'v', direction }] })).rows.map((row) => row.k).join('')
    expect(await order('asc')).toBe('ceafbd')
    expect(await order('desc')).toBe('bfaced')
  })

  test('the example file has a clear winner', async () => {
    const { rows, totalRows } = await query(readFileSync('examples/invoices.csv'), {
      groupBy: ['customer'],
      aggregate: [{ column: 'amount', op: 'sum', as: 'total' }],
      sort: [{ column: 'total', direction: 'desc' }],
      limit: 1,
    })
    expect({ rows, totalRows }).toEqual({ rows: [{ customer: 'Huber, Wagner & Co', total: '34394.45' }], totalRows: 6 })
  })
})

describe('files', () => {
  test.each([
    ['semicolons', 'a;b\n"1,5";2\n'],
    ['tabs', 'a\tb\n1,5\t2\n'],
    ['a byte order mark', '\uFEFFa,b\n"1,5",2\n'],
    ['CRLF', 'a,b\r\n"1,5",2\r\n'],
  ])('reads %s', async (_what, content) => {
    expect(await query(content)).toEqual({ columns: ['a', 'b'], rows: [{ a: '1,5', b: '2' }], totalRows: 1 })
  })

  test('reads quoted newlines, doubled quotes and delimiters inside quotes of the header', async () => {
    const { columns, rows } = await query('"x;y;z",b\n"one\ntwo","say ""hi"""\n')
    expect([columns, rows]).toEqual([['x;y;z', 'b'], [{ 'x;y;z': 'one\ntwo', b: 'say "hi"' }]])
  })

  test('gives nameless and repeated columns names of their own', async () => {
    expect((await query('a,,a, a \n1,2,3,4\n')).columns).toEqual(['a', 'column 2', 'a (2)', 'a (3)'])
  })

  test('reads a JSON array of objects without rounding its numbers', async () => {
    const { columns, rows } = await query(
      '[{"n": 12345678901234567.89, "ok": true}, {"n": 1e2, "x": {"y": [0.10]}}, {"n": null}]',
      {},
      'table.json',
    )
    expect(columns).toEqual(['n', 'ok', 'x'])
    expect(rows.map((row) => row.n)).toEqual(['12345678901234567.89', '100', ''])
    expect(rows.map((row) => row.x)).toEqual(['', '{"y":[0.10]}', ''])
  })

  test('a column called __proto__ is a column', async () => {
    const text = await call(queryTableTool, { file: 't.csv' }, contextWith({ 't.csv': '__proto__,b\n1,2\n' }))
    expect(text).toBe('{"columns":["__proto__","b"],"rows":[{"__proto__":"1","b":"2"}],"totalRows":1}')
  })

  test.each([
    ['a row with too few fields', 'a,b\n1,2\n3\n', 't.csv', /line 3/],
    ['an open quote', 'a,b\n"1,2\n', 't.csv', /Quote Not Closed/],
    ['an empty file', '', 't.csv', /is empty/],
    ['broken JSON', '[{"a":', 't.json', /not valid JSON/],
    ['a JSON object', '{"a":1}', 't.json', /is a JSON object/],
    ['a JSON array of numbers', '[{}, 2]', 't.json', /number 2/],
  ])('refuses %s and says where', async (_what, content, file, message) => {
    await expect(query(content, {}, file)).rejects.toMatchObject({
      code: 'bad_table',
      message: expect.stringMatching(message),
    })
  })

  test('the answer stays whole JSON when the rows do not fit', async () => {
    const content = `text\n${'x'.repeat(1000)}\n`.concat(`${'y'.repeat(1000)}\n`.repeat(200))
    const { rows, totalRows, note } = await query(content, { limit: 10_000 })
    expect(totalRows).toBe(201)
    expect(note).toContain(`first ${rows.length} rows`)
    expect(rows.length).toBeGreaterThan(50)
  })
})

describe('refusals', () => {
  test('an unknown column is answered with the columns that there are', async () => {
    for (const args of [
      { where: [{ column: 'Age', op: '=', value: 1 }] },
      { groupBy: ['Age'] },
      { aggregate: [{ column: 'Age', op: 'sum' }] },
      { sort: [{ column: 'Age' }] },
    ]) {
      await expect(query(PEOPLE, args)).rejects.toMatchObject({
        code: 'unknown_column',
        message: 'There is no column "Age". The columns are "name", "city", "age".',
      })
    }
  })

  test('a value that is no number is named with its row, also after filtering', async () => {
    const table = 'a,b\nx,1\ny,1\nx,"1,234"\n'
    const where = [{ column: 'a', op: '=', value: 'x' }]
    for (const args of [{ where, ...sumOf('b') }, { where: [...where, { column: 'b', op: '>', value: 0 }] }]) {
      await expect(query(table, args)).rejects.toMatchObject({
        code: 'not_a_number',
        message: expect.stringMatching(/^Row 3 .* has "1,234" in "b"/),
      })
    }
  })

  test('sums of two currencies or two ways of writing decimals are refused', async () => {
    await expect(query('a\n$1.00\n€2.00\n', sumOf('a'))).rejects.toMatchObject({
      code: 'mixed_numbers',
      message: '"a" mixes currencies: row 1 has "$1.00", row 2 has "€2.00".',
    })
    await expect(query('a\n1.234\n"12,50"\n', sumOf('a'))).rejects.toMatchObject({ code: 'mixed_numbers' })
  })

  test('an aggregate without its column, and two results of one name, are refused', async () => {
    await expect(query(PEOPLE, { aggregate: [{ op: 'sum' }] })).rejects.toMatchObject({ code: 'bad_query' })
    await expect(query(PEOPLE, { aggregate: [{ op: 'count' }, { op: 'count' }] })).rejects.toMatchObject({
      code: 'bad_query',
    })
    expect(queryTableTool.input.safeParse({ file: 'a.csv', order: [] }).success).toBe(false)
  })
})

describe('exactness', () => {
  test('a 2 MB file sums to the cent, in all and by group', async () => {
    const customers = ['Müller', '"Huber, Wagner"', 'Ng']
    const cents = (index: number) => BigInt((index * 7919) % 1_000_003) - 1000n
    const lines = Array.from(
      { length: 60_000 },
      (_, index) => `INV-${index},${customers[index % 3]},2026-01-01,${decimal(cents(index))}`,
    )
    const content = Buffer.from(`invoice,customer,date,amount\n${lines.join('\n')}\n`)
    expect(content.length).toBeGreaterThan(2_000_000)

    const total = (rest?: number) =>
      decimal(lines.reduce((sum, _, i) => (rest === undefined || i % 3 === rest ? sum + cents(i) : sum), 0n))
    expect((await query(content, sumOf('amount'))).rows).toEqual([{ total: total() }])
    expect((await query(content, { groupBy: ['customer'], ...sumOf('amount') })).rows).toEqual([
      { customer: 'Müller', total: total(0) },
      { customer: 'Huber, Wagner', total: total(1) },
      { customer: 'Ng', total: total(2) },
    ])
  })

  test('sums equal BigInt sums of cents, however large the amounts', async () => {
    const amounts = fc.array(
      fc.oneof(fc.bigInt({ min: -10_000n, max: 10_000n }), fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n })),
      {
        minLength: 1,
        maxLength: 50,
      },
    )
    await fc.assert(
      fc.asyncProperty(amounts, async (cents) => {
        const { rows } = await query(`a\n${cents.map(decimal).join('\n')}\n`, sumOf('a'))
        expect(rows).toEqual([{ total: decimal(cents.reduce((sum, value) => sum + value, 0n)) }])
      }),
      { numRuns: 100 },
    )
  })
})
