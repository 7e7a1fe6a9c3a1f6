import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mulberry, WORDS } from './payload.ts'

/** Of the database that every migration leaves behind. */
export const TENANT = '00000000-0000-7000-8000-000000000001'
export const PROFILE = { name: 'bench', hash: createHash('sha256').update('bench').digest('hex'), body: '{}' }

/** Words that nobody has heard, by syllables: with the known ones as many as zstd needs to get no more than 2.5 to 3 from the text. */
const RARE_WORDS = 30_000
const ONSETS = 'b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sh sk st t th tr v w'.split(' ')
const NUCLEI = 'a e i o u ai ea ee ia io ou'.split(' ')
const CODAS = ['', '', 'ck', 'd', 'l', 'm', 'n', 'nd', 'ng', 'nt', 'r', 'rk', 's', 'st', 't', 'x']
/** 24 MB of sentences: twelve windows of zstd's level 3, so that a sentence is seldom still in the window when it comes again. */
const SENTENCES = 200_000
const EVENTS_A_MISSION = 32
/** One of so many missions has a file. */
const CONTENT_EVERY = 4

/** One mission's rows in COPY's text form, by table. */
export interface MissionRows {
  missions: string
  events: string
  contents: string
}

/** Conversations of agents: prose, code-like arguments, uuids, hex and numbers, a kilobyte or two each. The same for a seed but for its ids. */
export function createConversations(seed: number): () => MissionRows {
  const random = mulberry(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const words = vocabulary(pick)
  // A word's rank by a power of the draw: near to Zipf's law, under which half of a text are some hundred words.
  const word = () => words[Math.floor(random() ** 5 * words.length)] as string
  const sentences = Array.from({ length: SENTENCES }, () => sentence(word, 8 + Math.floor(random() * 24)))
  const prose = (least: number, most: number) =>
    Array.from({ length: least + Math.floor(random() * (most - least + 1)) }, () => pick(sentences)).join(' ')
  const number = (below: number) => Math.floor(random() * below)

  function data(seq: number, callId: string): { type: string; data: object } {
    const traceId = randomBytes(16).toString('hex')
    const durationMs = number(20_000)
    if (seq === 1) return { type: 'mission.created', data: { goal: prose(2, 6), traceId } }
    if (seq % 2 === 0) {
      const query = JSON.stringify({ query: prose(1, 1), limit: number(100), cursor: randomUUID() })
      const usage = { inputTokens: number(90_000), outputTokens: number(4_000), costUsd: (random() / 10).toFixed(6) }
      const toolCalls = [{ id: callId, name: `${pick(words)}_${pick(words)}`, arguments: query }]
      return {
        type: 'model.answered',
        data: { model: 'bench', text: prose(8, 20), toolCalls, usage, durationMs, traceId },
      }
    }
    const hits = Array.from({ length: 3 }, () => ({ id: randomUUID(), score: random(), text: prose(2, 5) }))
    return {
      type: 'tool.finished',
      data: { callId, name: 'search', effect: 'read', output: { hits }, durationMs, traceId },
    }
  }

  let made = 0
  return () => {
    const id = randomUUID()
    const at = new Date(Date.UTC(2026, 0, 1) + made * 60_000).toISOString()
    const summary = JSON.stringify({ lastSeq: EVENTS_A_MISSION, result: { text: prose(2, 8) } })
    const mission = [id, TENANT, 'completed', prose(1, 3), PROFILE.name, PROFILE.hash, escaped(summary), at, at, at]
    let events = ''
    for (let seq = 1, callId = ''; seq <= EVENTS_A_MISSION; seq++) {
      if (seq % 2 === 0) callId = `call_${randomBytes(12).toString('base64url')}`
      const { type, data: body } = data(seq, callId)
      events += `${[id, seq, 1, 1, type, escaped(JSON.stringify(body)), at, TENANT].join('\t')}\n`
    }
    return {
      missions: `${mission.join('\t')}\n`,
      events,
      contents: made++ % CONTENT_EVERY === 0 ? content(prose(40, 80)) : '',
    }
  }
}

function content(text: string): string {
  const sha256 = createHash('sha256').update(text).digest('hex')
  return `${TENANT}\t${sha256}\t\\\\x${Buffer.from(text).toString('hex')}\n`
}

/** JSON has no control characters of its own, so that backslashes are all that COPY would take for something else. */
function escaped(json: string): string {
  return json.replaceAll('\\', '\\\\')
}

function vocabulary(pick: <T>(from: readonly T[]) => T): string[] {
  const rare = Array.from({ length: RARE_WORDS }, () => {
    const syllable = () => pick(ONSETS) + pick(NUCLEI) + pick(CODAS)
    return Array.from({ length: pick([1, 2, 2, 3]) }, syllable).join('')
  })
  return [...WORDS, ...rare]
}

function sentence(word: () => string, length: number): string {
  const text = Array.from({ length }, word).join(' ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
