import { z } from 'zod'
import type { JournalRow } from '../../src/domain/parse-event.ts'
import { foldLine } from '../../src/engine/fold-line.ts'
import { nextDecision } from '../../src/engine/next-decision.ts'
import { shortDecision } from '../check-deploy/short-decision.ts'

/** What stays true of a journal in every later version: nothing that is worded anew now and then. */
const digestSchema = z.strictObject({
  status: z.string(),
  seq: z.int(),
  usage: z.strictObject({ steps: z.int(), inputTokens: z.int(), outputTokens: z.int(), costUsd: z.string() }),
  /** How many things the model has been told or has said. */
  turns: z.int(),
  lastText: z.string(),
  /** Ids of the open ones. */
  questions: z.array(z.string()),
  /** Items with their states. */
  plan: z.array(z.string()),
  /** Names in the workspace. */
  files: z.array(z.string()),
  /** In a few words, at the time of the last event. */
  decision: z.string(),
})

const rowSchema = z.object({ seq: z.int(), v: z.int(), type: z.string(), data: z.unknown(), at: z.number() })

/** A file of `test/journals`: a journal as a released version wrote it, and what that version made of it. */
export const releasedSchema = z.strictObject({
  version: z.string(),
  story: z.string(),
  rows: z.array(rowSchema).min(1),
  /** Where it goes on from other missions: what it shares with them, the nearest first. */
  parents: z.array(z.array(rowSchema)).default([]),
  profile: z.unknown(),
  expected: digestSchema,
})

export type Released = z.infer<typeof releasedSchema>
export type Digest = z.infer<typeof digestSchema>

/** What this build makes of a journal. Throws what folding it throws. */
export function digestOf(rows: readonly JournalRow[], parents: readonly JournalRow[][], profile: unknown): Digest {
  const state = foldLine([rows, ...parents])
  const { steps, inputTokens, outputTokens, costUsd } = state.usage
  const now = rows.at(-1)?.at ?? 0
  const next = nextDecision({ v: 1, journal: [...rows], parents: [...parents], profile, now })
  return {
    status: state.outcome?.status ?? (state.paused ? 'paused' : 'unfinished'),
    seq: state.seq,
    usage: { steps, inputTokens, outputTokens, costUsd },
    turns: state.turns.length,
    lastText: state.lastText,
    questions: state.questions.map(({ questionId }) => questionId),
    plan: state.plan.map(({ id, status }) => `${id} ${status}`),
    files: state.files.map(({ name }) => name),
    decision: next.readable ? shortDecision(next.decision) : next.why,
  }
}
