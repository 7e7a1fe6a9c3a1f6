import { outcomesOf } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal } from '../goal.ts'

const SENTENCES = 3
/** A text without full stops must not come back whole. */
const MOST_CHARACTERS = 600

export const fetchAndSummarise: Goal = {
  example: 'Fetch URL and summarise it',
  pattern: /^fetch\s+[<"']?([^\s<>"']+)[>"']?\s+and\s+summari[sz]e\b/i,
  needs: ['fetch_url'],
  reply(conversation, match) {
    const url = match[1] ?? ''
    const [fetched] = outcomesOf(conversation, 'fetch_url')
    if (!fetched) return call(`I fetch ${url}.`, { name: 'fetch_url', arguments: { url } })
    if (fetched.failed) return say(`I could not fetch ${url}: ${fetched.text}`)
    const { title, sentences } = summarise(fetched.text)
    return say(`${title ? `"${title}"` : url} begins so:\n\n${sentences || '(There is no readable text.)'}`)
  },
}

function summarise(text: string): { title: string; sentences: string } {
  const named = /^Title: *(.+)/.exec(text)?.[1]?.trim()
  const title = named === undefined || named === '(none)' ? '' : named
  const body = text.replace(/^(?:(?:Title|URL):[^\n]*\n?)+/, '')
  const segments = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(body.replace(/\s+/g, ' ').trim())
  const first = Array.from(segments, (segment) => segment.segment).slice(0, SENTENCES)
  const sentences = first.join('').trim()
  return {
    title,
    sentences: sentences.length > MOST_CHARACTERS ? `${sentences.slice(0, MOST_CHARACTERS)}…` : sentences,
  }
}
