import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { draftAfter, draftLines, nextDraft, type Delta, type Draft } from '../../scripts/mission/draft.ts'
import { displayWidth } from '../../scripts/mission/text.ts'

const delta = (offset: number, text: string, afterSeq = 2): Delta => ({ afterSeq, offset, text })
const after = (...deltas: Delta[]) => deltas.reduce<Draft | undefined>(nextDraft, undefined)
const lines = (text: string, columns: number, most: number) =>
  draftLines({ afterSeq: 2, text }, columns, most).map((line) => line.text)

describe('a draft', () => {
  test.each<[string, Delta[], string | undefined]>([
    ['grows', [delta(0, 'Hel'), delta(3, 'lo')], 'Hello'],
    ['starts over', [delta(0, 'Hello'), delta(0, 'Hi')], 'Hi'],
    ['takes a piece twice without harm', [delta(0, 'Hel'), delta(3, 'lo'), delta(3, 'lo')], 'Hello'],
    ['takes no piece that others are missing before', [delta(0, 'Hel'), delta(9, 'lo')], 'Hel'],
    ['takes no piece of another answer', [delta(0, 'Hel'), delta(3, 'lo', 5)], 'Hel'],
    ['begins at its beginning', [delta(3, 'lo')], undefined],
  ])('%s', (_, deltas, text) => {
    expect(after(...deltas)?.text).toBe(text)
  })

  test('is kept within bounds whatever a server sends', () => {
    const piece = 'x'.repeat(200_000)
    expect(after(delta(0, piece), delta(200_000, piece))?.text).toHaveLength(256 * 1024)
  })

  test.each([
    ['model.answered', false],
    ['model.failed', false],
    ['mission.cancelled', false],
    ['mission.message', true],
  ])('after %s is still there: %s', (type, kept) => {
    const event = { seq: 3, type, at: '', data: {} }
    expect(draftAfter(after(delta(0, 'a')), event) !== undefined).toBe(kept)
  })

  test('is shown by its last lines, without empty ones and without escape sequences', () => {
    expect(lines('one\n\ntwo \u001b[31mred\nthree and four', 8, 4)).toEqual(['one', 'two red', 'three', 'and four'])
    expect(lines('one\n\ntwo \u001b[31mred\nthree and four', 8, 2)).toEqual(['three', 'and four'])
    expect(lines('  - indented', 20, 2)).toEqual(['  - indented'])
    expect(lines('東京東京東京', 5, 9)).toEqual(['東京', '東京', '東京'])
    expect(lines('a', 5, 0)).toEqual([])
  })

  test('fits any width and loses no word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, columns) => {
        const shown = lines(text, columns, Infinity)
        for (const line of shown) expect(displayWidth(line)).toBeLessThanOrEqual(columns)
        expect(shown.join('').replaceAll(/\s/g, '')).toBe(lines(text, 1e6, Infinity).join('').replaceAll(/\s/g, ''))
      }),
    )
  })
})
