import { z } from 'zod'
import { outcomesOf } from '../conversation.ts'
import type { Conversation } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal, Reply } from '../goal.ts'
import { readJson } from '../read-json.ts'
import { cell, findTable } from './invoice-table.ts'

const FILE = 'audit.md'
const STAGES = ['Look at the table', 'Check it', 'Write the report', 'Read the report back'] as const
const PLAN = STAGES.map((title, index) => ({
  id: String(index + 1),
  title,
  ...(index > 0 && { dependsOn: [String(index)] }),
}))

const rowsSchema = z.object({ rows: z.array(z.object({ customer: cell.optional(), total: cell })) })
const checkSchema = z.object({
  result: z.object({ invoices: z.number(), repeated: z.array(z.string()), overdueFirst: z.array(z.string()) }),
})

/** Runs in the sandbox: what query_table has no words for. */
const CHECK = `
const [header, ...lines] = files[FILE].trim().split(/\\r?\\n/)
const at = header.split(',').indexOf('invoice')
const ids = lines.map((line) => line.split(',')[at])
const repeated = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))]
const dates = lines.map((line) => line.match(/\\d{4}-\\d\\d-\\d\\d/g) ?? [])
const overdueFirst = ids.filter((_, index) => dates[index].length > 1 && dates[index][1] < dates[index][0])
;({ invoices: ids.length, repeated, overdueFirst })
`

/** Seven tools in six turns: what a mission with several hands looks like. */
export const auditInvoices: Goal = {
  example: 'Audit these invoices and write a report',
  pattern: /^audit (?:these |the |my )?invoices\b/i,
  needs: ['list_files', 'make_plan', 'query_table', 'run_javascript', 'calculate', 'write_file', 'read_file'],
  reply(conversation) {
    const failed = conversation.outcomes.find((outcome) => outcome.failed)
    if (failed) return say(`I had to stop, because ${failed.name} failed: ${failed.text}`)
    const file = findTable(conversation)
    if (outcomesOf(conversation, 'list_files').length === 0) return begin()
    if (file === undefined) return say('There is no CSV file in this mission. Send one with the columns of an invoice.')
    return next(conversation, file)
  },
}

function begin(): Reply {
  return call('I make a plan and look which files there are.', plan(0), { name: 'list_files', arguments: {} })
}

function next(conversation: Conversation, file: string): Reply {
  if (outcomesOf(conversation, 'query_table').length === 0) return query(file)
  if (outcomesOf(conversation, 'calculate').length === 0) return share(conversation)
  if (outcomesOf(conversation, 'write_file').length === 0) return write(conversation, file)
  const [report] = outcomesOf(conversation, 'read_file')
  if (report === undefined)
    return call('I read the report back.', plan(3), { name: 'read_file', arguments: { name: FILE } })
  const [, , sentence = ''] = report.text.split('\n')
  return say(`I checked ${file} and wrote ${FILE}. ${sentence}`)
}

function query(file: string): Reply {
  const aggregate = [{ column: 'amount', op: 'sum', as: 'total' }]
  const sort = [{ column: 'total', direction: 'desc' }]
  return call(
    `I total ${file} and look for mistakes.`,
    plan(1),
    { name: 'query_table', arguments: { file, aggregate } },
    { name: 'query_table', arguments: { file, groupBy: ['customer'], aggregate, sort, limit: 1 } },
    { name: 'run_javascript', arguments: { code: CHECK.replace('FILE', JSON.stringify(file)), files: [file] } },
  )
}

function share(conversation: Conversation): Reply {
  const { total, most } = totals(conversation)
  const expression = `round(100 * ${most?.total ?? 0} / ${total ?? 1}, 1)`
  return call('I work out the share of the largest customer.', { name: 'calculate', arguments: { expression } })
}

function write(conversation: Conversation, file: string): Reply {
  const { total, most } = totals(conversation)
  const check = readJson(outcomesOf(conversation, 'run_javascript')[0]?.text ?? '', checkSchema)?.result
  const percent = outcomesOf(conversation, 'calculate')[0]?.text ?? ''
  const content = [
    `# Audit of ${file}`,
    '',
    `${check?.invoices ?? 0} invoices come to ${total ?? 0}; ${most?.customer ?? 'nobody'} owes ${percent} % of it.`,
    '',
    `- Invoice numbers that appear twice: ${check?.repeated.join(', ') || 'none'}`,
    `- Invoices due before their date: ${check?.overdueFirst.join(', ') || 'none'}`,
    '',
  ].join('\n')
  return call('I write the report.', plan(2), { name: 'write_file', arguments: { name: FILE, content } })
}

function totals(conversation: Conversation) {
  const [sum, largest] = outcomesOf(conversation, 'query_table').map(({ text }) => readJson(text, rowsSchema)?.rows[0])
  return { total: sum?.total, most: largest }
}

/** The plan with the items before `current` done. */
function plan(current: number): Reply['calls'][number] {
  const status = (index: number) => (index < current ? 'done' : index === current ? 'in_progress' : 'pending')
  return { name: 'make_plan', arguments: { items: PLAN.map((item, index) => ({ ...item, status: status(index) })) } }
}
