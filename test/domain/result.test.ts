import { describe, expect, it } from 'vitest'
import { resultOf } from '../../src/domain/result.ts'
import { answered, created, event, started, stateOf } from '../support/journal.ts'

/** The ids of the sources that a text cites. */
function cited(text: string, ...sources: { id: string; url?: string }[]) {
  const done = { callId: 'c0', name: 'fetch_url', effect: 'read' as const, output: 'x', durationMs: 1, sources }
  const state = stateOf(created(), started(), answered('', 'fetch_url'), event('tool.finished', done))
  return (resultOf(state, text).citations ?? []).map(({ id }) => id)
}

describe('a URL is cited', () => {
  const root = { id: 'root', url: 'https://example.com/' }
  const page = { id: 'page', url: 'https://example.com/a' }

  it.each([
    'https://example.com/a',
    'See https://example.com/a.',
    'See https://example.com/a, then go on.',
    'Is it https://example.com/a?',
    '[here](https://example.com/a)',
    '**https://example.com/a**',
    '<https://example.com/a>',
    '"https://example.com/a"',
    'https://example.com/a#part',
    'https://example.com/aを見る',
    'https://example.com/abc and https://example.com/a',
  ])('where it ends: %s', (text) => {
    expect(cited(text, root, page)).toEqual(['page'])
  })

  it.each([
    'https://example.com/abc',
    'https://example.com/a/b',
    'https://example.com/a.html',
    'https://example.com/a?b=c',
    'https://example.com/a-b',
    'https://example.com/a%20b',
    'https://example.com/a_(b)',
  ])('and not where another begins like it: %s', (text) => {
    expect(cited(text, root, page)).toEqual([])
  })
})

describe('an id in square brackets is cited', () => {
  it.each(['[1]', 'So it is [1].', 'It is (so)[1]', 'rows[1], as in [1]', '見る[1]'])('in %s', (text) => {
    expect(cited(text, { id: '1' })).toEqual(['1'])
  })

  it.each(['rows[1] of the list', 'a_[1]', '1', '[12]'])('but not in %s', (text) => {
    expect(cited(text, { id: '1' })).toEqual([])
  })
})
