import { expect, test } from 'vitest'
import { completionChunkSchema } from '../../src/models/completion-chunk.ts'
import { addToolCallPiece, finishToolCalls } from '../../src/models/tool-call-assembly.ts'
import type { ToolCallAssembly } from '../../src/models/tool-call-assembly.ts'

/** Puts pieces together as they came over the wire; ids that we make are `new1`, `new2` … */
function assemble(...pieces: object[]) {
  const chunk = completionChunkSchema.parse({ choices: [{ delta: { tool_calls: pieces } }] })
  const assembly: ToolCallAssembly = { calls: [] }
  for (const received of chunk.choices?.[0]?.delta?.tool_calls ?? []) addToolCallPiece(assembly, received)
  let made = 0
  return finishToolCalls(assembly, () => `new${++made}`).map((call) => [call.id, call.name, call.arguments])
}

function piece(index: number | undefined, id: string | undefined, name: string | undefined, args: unknown) {
  return { index, id, function: { name, arguments: args } }
}

test('pieces belong together by index, and only the first carries id and name', () => {
  expect(
    assemble(
      piece(0, 'a', 'f', ''),
      piece(1, 'b', 'g', '{"y"'),
      piece(0, undefined, undefined, '{"x":1}'),
      piece(1, undefined, undefined, ':2}'),
    ),
  ).toEqual([
    ['a', 'f', '{"x":1}'],
    ['b', 'g', '{"y":2}'],
  ])
})

test('a server may repeat id and name with every piece', () => {
  expect(assemble(piece(0, 'a', 'f', '{"x"'), piece(0, 'a', 'f', ':1}'), piece(0, 'a', 'f', ''))).toEqual([
    ['a', 'f', '{"x":1}'],
  ])
})

test('a server that knows no ids may repeat the name with every piece', () => {
  expect(assemble(piece(0, undefined, 'f', '{"x"'), piece(0, undefined, 'f', ':1}'))).toEqual([
    ['new1', 'f', '{"x":1}'],
  ])
})

test('a server may send empty strings where OpenAI sends nothing', () => {
  expect(assemble(piece(0, 'a', 'f', '{"x"'), piece(0, '', '', ':1}'))).toEqual([['a', 'f', '{"x":1}']])
})

test('whole calls that all say index 0 are told apart by id', () => {
  expect(assemble(piece(0, 'a', 'f', ''), piece(0, 'b', 'f', '{"x":2}'))).toEqual([
    ['a', 'f', '{}'],
    ['b', 'f', '{"x":2}'],
  ])
})

test('whole calls without ids that all say index 0 are told apart by their complete arguments', () => {
  expect(assemble(piece(0, undefined, 'f', '{"x":1}'), piece(0, undefined, 'f', '{"x":2}'))).toEqual([
    ['new1', 'f', '{"x":1}'],
    ['new2', 'f', '{"x":2}'],
  ])
})

test('calls without an index are told apart by id, and pieces without either go to the last', () => {
  expect(
    assemble(
      piece(undefined, 'a', 'f', '{}'),
      piece(undefined, 'b', 'g', '{"y"'),
      piece(undefined, undefined, undefined, ':2}'),
    ),
  ).toEqual([
    ['a', 'f', '{}'],
    ['b', 'g', '{"y":2}'],
  ])
})

test('a piece that repeats the id without the index belongs to the call, and one without either to the last', () => {
  expect(
    assemble(
      piece(0, 'a', 'f', '{"x":'),
      piece(1, 'b', 'g', '{"y":'),
      piece(undefined, 'a', undefined, '1}'),
      piece(undefined, undefined, undefined, '2}'),
    ),
  ).toEqual([
    ['a', 'f', '{"x":1}'],
    ['b', 'g', '{"y":2}'],
  ])
})

test('two calls with the same id get different ones', () => {
  expect(assemble(piece(0, 'a', 'f', '{}'), piece(1, 'a', 'g', '{}'))).toEqual([
    ['a', 'f', '{}'],
    ['new1', 'g', '{}'],
  ])
})

test('arguments may come as an object, or not at all', () => {
  expect(assemble(piece(0, 'a', 'f', { x: 1 }), piece(1, 'b', 'g', undefined), piece(2, 'c', 'h', ' '))).toEqual([
    ['a', 'f', '{"x":1}'],
    ['b', 'g', '{}'],
    ['c', 'h', '{}'],
  ])
})
