import { expect, it } from 'vitest'
import { answerFits, schemaProblem } from '../../../src/domain/control-tools/answer-schema.ts'

type Schema = Record<string, unknown>

function nested(depth: number, inmost: Schema = { type: 'string' }): Schema {
  return depth <= 1 ? inmost : { type: 'array', items: nested(depth - 1, inmost) }
}

function wide(count: number): Schema {
  return { properties: Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, {}])) }
}

/** Each with answers that fit, and some that don't. */
const usable: [string, Schema, unknown[], unknown[]][] = [
  ['any', {}, ['x', null, { a: [1] }], []],
  [
    'text',
    { type: 'string', minLength: 2, maxLength: 3, title: 'T', examples: ['ab'] },
    ['ab', '👍👍👍'],
    ['a', 'abcd', 5],
  ],
  ['text or null', { type: ['string', 'null'], default: null }, ['x', null], [5, undefined]],
  ['whole number', { type: 'integer', minimum: 1, exclusiveMaximum: 3 }, [1, 2, 2.0], [0, 3, 1.5, '1']],
  ['number', { type: 'number', exclusiveMinimum: 0, maximum: 1 }, [0.5, 1], [0, 1.1, null]],
  ['choice', { type: 'string', enum: ['red', 'blue'] }, ['red'], ['green', null]],
  [
    'structured choice',
    { enum: [{ a: [1, null] }, 2] },
    [{ a: [1, null] }, 2],
    [{ a: [1] }, { a: [1, null], b: 1 }, {}],
  ],
  ['constant', { const: null }, [null], [0, {}]],
  ['list', { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 }, [[1]], [[], [1, 2, 3], ['1'], {}]],
  [
    'form',
    { type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a'], additionalProperties: false },
    [{ a: '' }, { a: '', b: 5 }],
    [{}, { b: 1 }, { a: 5 }, { a: '', c: 1 }, [], JSON.parse('{"a":"","__proto__":1}')],
  ],
  ['open form', { type: 'object', properties: { a: { type: 'string' } } }, [{ toString: 5 }], [{ a: 5 }]],
  ['a name that all objects have', { properties: { toString: {} }, required: ['toString'] }, [{ toString: 1 }], [{}]],
  ['titled choice', { oneOf: [{ const: 1, title: 'One' }, { const: 2 }] }, [1, 2], [3]],
  [
    'alternatives',
    { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    ['a', ['a']],
    [1, [1]],
  ],
  ['one alternative', { oneOf: [{ minimum: 0 }, { maximum: 10 }] }, [-1, 11], [5]],
  ['date', { type: 'string', format: 'date' }, ['2026-02-28'], ['2026-02-30', 'x']],
  ['date and time', { format: 'date-time' }, ['2026-02-28T10:00:00Z', '2026-02-28T10:00:00+02:00'], ['2026-02-28']],
  ['email', { format: 'email' }, ['a@example.com'], ['a']],
  ['uri', { format: 'uri' }, ['https://example.com/a'], ['a']],
  ['8 schemas deep', nested(8), [[[[[[[['x']]]]]]]], [[[[[[[[5]]]]]]], 'x']],
  ['200 schemas', wide(199), [{}], []],
]

it.each(usable)('a question for %s takes what fits, and nothing else', (_, schema, fitting, others) => {
  expect(schemaProblem(schema)).toBeUndefined()
  for (const answer of fitting) expect([answer, answerFits(schema, answer)]).toEqual([answer, { ok: true }])
  for (const answer of others) expect([answer, answerFits(schema, answer)]).toMatchObject([answer, { ok: false }])
})

const refused: [string, Schema][] = [
  ['"pattern"', { type: 'string', pattern: '^(a+)+$' }],
  ['properties.a.items', { properties: { a: { items: { pattern: 'a' } } } }],
  ['"patternProperties"', { patternProperties: { a: {} } }],
  ['"$ref"', { $ref: '#' }],
  ['"$defs"', { $defs: {} }],
  ['"not"', { not: {} }],
  ['"allOf"', { allOf: [{}] }],
  ['"if"', { if: {}, else: {} }],
  ['"dependentRequired"', { dependentRequired: {} }],
  ['anyOf[0]', { anyOf: [{ not: {} }] }],
  ['enum', { enum: [] }],
  ['anyOf', { anyOf: [] }],
  ['oneOf', { oneOf: [] }],
  ['Expected one of string, number', { type: 'colour' }],
  ['at type', { type: [] }],
  ['items', { items: [{}] }],
  ['additionalProperties', { additionalProperties: {} }],
  ['format', { format: 'regex' }],
  ['minLength', { minLength: -1 }],
  ['more than 8 schemas deep', nested(9)],
  ['more than 200 schemas', wide(200)],
  ['may have 16384', { description: 'ä'.repeat(8192) }],
  ['"minLength" 2 is more than "maxLength" 1', { minLength: 2, maxLength: 1 }],
  ['"minItems" 2', { minItems: 2, maxItems: 1 }],
  ['no number', { minimum: 2, maximum: 1 }],
  ['no number', { minimum: 1, exclusiveMaximum: 1 }],
  ['no number', { type: 'integer', minimum: 1.1, maximum: 1.9 }],
  ['no number', { type: 'integer', exclusiveMinimum: 1, exclusiveMaximum: 2 }],
  ['names "b"', { properties: { a: {} }, required: ['b'] }],
  ['names "toString"', { required: ['toString'] }],
  ['No value of "enum"', { type: 'string', enum: [1] }],
  ['(at items)', { items: { const: 'abc', maxLength: 2 } }],
  ['exclude each other', { type: 'string', anyOf: [{ type: 'number' }, { type: 'null' }] }],
  ['the same alternative twice', { oneOf: [{ type: 'string' }, { type: 'string' }] }],
]

it.each(refused)('a schema is refused with the reason: %s', (reason, schema) => {
  expect(schemaProblem(schema)).toContain(reason)
})

it('a schema that would break a parser is refused like any that is too deep', () => {
  expect(schemaProblem(nested(5000))).toContain('more than 8 schemas deep')
})

it('an old question in another schema takes any answer', () => {
  for (const schema of [{ pattern: '^(a+)+$' }, { $ref: '#' }, { not: {} }, { enum: [] }, nested(5000)]) {
    expect(answerFits(schema, `${'a'.repeat(50)}!`)).toEqual({ ok: true })
  }
})

it('each problem says where it is', () => {
  const schema = { type: 'object', properties: { a: { items: { type: 'integer' } } } }
  expect(answerFits(schema, { a: [1, 'x', null] })).toEqual({
    ok: false,
    problems: [
      { path: ['a', 1], message: 'Expected integer, not string.' },
      { path: ['a', 2], message: 'Expected integer, not null.' },
    ],
  })
})

it('problems are 20 at most, and an answer that would take long is refused as too large', () => {
  const many = answerFits(
    { items: { type: 'string' } },
    Array.from({ length: 1000 }, () => 1),
  )
  expect(many).toMatchObject({ ok: false, problems: { length: 20 } })
  const choices = { items: { enum: Array.from({ length: 2000 }, (_, n) => n) } }
  const long = Array.from({ length: 10_000 }, () => 1999)
  expect(answerFits(choices, long.slice(0, 50))).toEqual({ ok: true })
  expect(answerFits(choices, long)).toMatchObject({
    ok: false,
    problems: [{ path: [], message: expect.stringContaining('too large') }],
  })
  // Too large counts also where an alternative would fit only because the rest was not looked at.
  expect(answerFits({ oneOf: [choices, { items: {} }] }, long)).toMatchObject({ ok: false })
})
