import { expect, test } from 'vitest'
import { boundedSources } from '../../src/tools/sources.ts'

test('what fits stays as it is', () => {
  const sources = [
    { id: 'doc-1', title: 't'.repeat(300), url: `https://a.example/${'u'.repeat(2000)}` },
    { id: 'doc-2' },
  ]
  expect(boundedSources(sources)).toEqual(sources)
})

test('a title is cut, between characters', () => {
  expect(boundedSources([{ id: 'a', title: 'A'.repeat(1_900_000) }])[0]?.title).toBe(`${'A'.repeat(299)}…`)
  expect(boundedSources([{ id: 'a', title: '😀'.repeat(200) }])[0]?.title?.isWellFormed()).toBe(true)
})

test('a URL or an id that would have to be cut is left out: it would name something else', () => {
  const long = `https://a.example/${'u'.repeat(2048)}`
  expect(boundedSources([{ id: 'a', url: long }, { id: long, url: long }, { id: 'b' }])).toEqual([
    { id: 'a' },
    { id: 'b' },
  ])
})

test('20 are kept, the first ones', () => {
  const sources = Array.from({ length: 30 }, (_, n) => ({ id: String(n) }))
  expect(boundedSources(sources)).toEqual(sources.slice(0, 20))
})
