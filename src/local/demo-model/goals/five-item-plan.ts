import type { Conversation, Outcome } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal, Reply } from '../goal.ts'

interface Item {
  id: string
  title: string
  tool: string
  dependsOn?: string[]
  /** The tool's input, given what the items before it brought. */
  input(results: string[]): Record<string, unknown>
}

type Round = { plan: Outcome; work: Outcome | undefined }

const FILE = 'plan-result.txt'

const items: Item[] = [
  { id: 'first', title: 'Work out 6 times 7', tool: 'calculate', input: () => ({ expression: '6 * 7' }) },
  { id: 'second', title: 'Work out 17 times 23', tool: 'calculate', input: () => ({ expression: '17 * 23' }) },
  {
    id: 'sum',
    title: 'Add the two results',
    tool: 'calculate',
    dependsOn: ['first', 'second'],
    input: ([first, second]) => ({ expression: `${first ?? 0} + ${second ?? 0}` }),
  },
  {
    id: 'write',
    title: `Write the sum into ${FILE}`,
    tool: 'write_file',
    dependsOn: ['sum'],
    input: (results) => ({ name: FILE, content: `The sum is ${results[2] ?? 'not known'}.\n` }),
  },
  { id: 'check', title: 'Read the file back', tool: 'read_file', dependsOn: ['write'], input: () => ({ name: FILE }) },
]

/** Turn 1 makes the plan, each of the next five marks one item as begun and works on it, the last marks all as done. */
export const fiveItemPlan: Goal = {
  example: 'Make a plan with five items and work through them',
  pattern: /^make a plan with (?:five|5) items\b/i,
  needs: ['make_plan'],
  reply(conversation) {
    const rounds = readRounds(conversation)
    const failed = rounds.find((round) => round.plan.failed)
    if (failed) return say(`I could not write the plan: ${failed.plan.text}`)
    if (rounds.length > items.length + 1) return sumUp(rounds.slice(1), conversation)
    return nextRound(rounds, conversation)
  },
}

function readRounds({ outcomes }: Conversation): Round[] {
  return outcomes.flatMap((plan, position) => {
    if (plan.name !== 'make_plan') return []
    const next = outcomes[position + 1]
    return [{ plan, work: next?.name === 'make_plan' ? undefined : next }]
  })
}

function nextRound(rounds: Round[], { offered }: Conversation): Reply {
  const worked = rounds.slice(1)
  const current = rounds.length === 0 ? undefined : items[worked.length]
  const plan = items.map(({ id, title, dependsOn }, position) => ({
    id,
    title,
    status: rounds.length === 0 ? 'pending' : statusOf(position, worked),
    ...(dependsOn && { dependsOn }),
  }))
  const results = worked.map((round) => lastNumber(round.work))
  const work = current && offered.has(current.tool) ? [{ name: current.tool, arguments: current.input(results) }] : []
  const text = current ? `${current.title}.` : rounds.length === 0 ? 'I make a plan.' : 'All items are worked through.'
  return call(text, { name: 'make_plan', arguments: { items: plan } }, ...work)
}

function statusOf(position: number, worked: Round[]): string {
  const round = worked[position]
  if (round) return isDone(round) ? 'done' : 'skipped'
  return position === worked.length ? 'in_progress' : 'pending'
}

function sumUp(worked: Round[], { offered }: Conversation): Reply {
  const lines = items.map(({ title, tool }, position) => {
    const round = worked[position]
    if (round && isDone(round)) return `- ${title}: done`
    return `- ${title}: skipped, ${offered.has(tool) ? (round?.work?.text ?? 'no result') : `the tool ${tool} is not offered`}`
  })
  const done = worked.filter(isDone).length
  const sum = lastNumber(worked[2]?.work)
  const result = sum === '' ? [] : ['', `The sum of the two products is ${sum}; it is in ${FILE}.`]
  return say(
    [`I made a plan with five items and worked through them; ${done} are done.`, ...lines, ...result].join('\n'),
  )
}

function isDone(round: Round): boolean {
  return round.work !== undefined && !round.work.failed
}

/** The last number in a result, since calculators differ in what they write around it; empty where there is none. */
function lastNumber(outcome: Outcome | undefined): string {
  if (!outcome || outcome.failed) return ''
  return outcome.text.match(/-?\d+(?:\.\d+)?/g)?.at(-1) ?? ''
}
