import type { Mutant } from './list.ts'
import { simulation } from './proofs.ts'

const ANSWER = 'src/missions/answer-question.ts'

/** Of what clients ask for. */
export const missionMutants: readonly Mutant[] = [
  {
    name: 'idempotency-key-ignored',
    breaks: 'A client that repeats a request has two missions, and pays for both.',
    file: 'src/missions/accept-mission.ts',
    find: 'idempotency === undefined ? await make(id, undefined) : await underKey(context, caller, id, idempotency, make)',
    replace: '(await make(id, undefined)) as Made | string',
    proof: simulation(),
    rule: 'I2',
  },
  {
    name: 'key-of-a-message-ignored',
    breaks: 'A message that is sent again after a broken connection is said twice.',
    file: 'src/missions/send-message.ts',
    find: '    idempotency,\n    decide',
    replace: '    decide',
    proof: simulation(1_300),
    rule: 'I13',
  },
  {
    name: 'accepted-before-it-is-safe',
    breaks: 'A mission that was accepted is not there.',
    file: 'src/db/in-tenant.ts',
    find: "    await client.query('commit')\n",
    replace: "    await client.query('commit').catch(() => undefined)\n",
    proof: simulation(),
    rule: 'I1',
  },
  {
    name: 'answer-accepted-twice',
    breaks: 'Two people answer a question, both are told that it counts, and the agent reads one of them.',
    file: ANSWER,
    find: `  if (closed === 'answered')
    throw new Refusal('already_answered', 'This question has been answered; the first answer counts.')`,
    replace: "  if (closed === 'answered') return { schema: {} } as QuestionState",
    proof: simulation(),
    rule: 'I12',
  },
  {
    name: 'answer-not-told-to-the-row',
    breaks: 'An answer is recorded, and the mission goes on waiting for it.',
    file: ANSWER,
    find: 'apply: (tx, row) => wakeMission(tx, row.id),',
    replace: 'apply: async () => undefined,',
    proof: simulation(),
    rule: 'I7',
  },
  {
    name: 'cancel-leaves-the-row-open',
    breaks: 'A mission that was cancelled is shown as waiting.',
    file: 'src/missions/cancel-mission.ts',
    find: "endMission(tx, row.id, 'cancelled', summarise(state))",
    replace: "endMission(tx, row.id, 'waiting', summarise(state))",
    proof: simulation(),
    rule: 'I5',
  },
  {
    name: 'page-skips-an-event',
    breaks: 'Whoever reads along misses an event at each page.',
    file: 'src/missions/read-journal.ts',
    find: 'readEvents(tx, id, page.after, page.limit + 1)',
    replace: 'readEvents(tx, id, page.after + 1, page.limit + 1)',
    proof: simulation(),
    rule: 'I6',
  },
]
