import { z } from 'zod'
import { outcomesOf } from '../conversation.ts'
import type { Conversation, Outcome } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal, Reply } from '../goal.ts'
import { readJson } from '../read-json.ts'
import { cell, findTable } from './invoice-table.ts'

const customersSchema = z.object({
  rows: z.array(z.object({ customer: cell, total: cell, invoices: cell })),
  totalRows: z.number(),
})
const sumSchema = z.object({ rows: z.tuple([z.object({ total: cell, invoices: cell })]) })

/** Longer lists are cut: an answer is for reading. */
const SHOWN_CUSTOMERS = 20

/** Every figure comes from query_table, which adds exactly; nothing is added up here. */
export const totalInvoices: Goal = {
  example: 'Total these invoices by customer and say who owes most',
  pattern: /^total (?:these |the |my )?invoices by customer\b/i,
  needs: ['list_files', 'query_table'],
  reply(conversation) {
    const [listed] = outcomesOf(conversation, 'list_files')
    if (!listed) return call('I look which files there are.', { name: 'list_files', arguments: {} })
    if (listed.failed) return say(`I could not list the files: ${listed.text}`)
    const [customers, sum] = outcomesOf(conversation, 'query_table')
    if (!customers || !sum) return query(conversation)
    const failure = [customers, sum].find((outcome) => outcome.failed)
    if (failure) return say(`I could not total the invoices: ${failure.text}`)
    return answer(customers, sum)
  },
}

function query(conversation: Conversation): Reply {
  const file = findTable(conversation)
  if (file === undefined) {
    return say('There is no CSV file in this mission. Send one with the columns "customer" and "amount".')
  }
  const aggregate = [
    { column: 'amount', op: 'sum', as: 'total' },
    { op: 'count', as: 'invoices' },
  ]
  const sort = [{ column: 'total', direction: 'desc' }]
  return call(
    `I total ${file} by customer.`,
    { name: 'query_table', arguments: { file, groupBy: ['customer'], aggregate, sort } },
    { name: 'query_table', arguments: { file, aggregate } },
  )
}

function answer(customersOutcome: Outcome, sumOutcome: Outcome): Reply {
  const customers = readJson(customersOutcome.text, customersSchema)
  const sum = readJson(sumOutcome.text, sumSchema)?.rows[0]
  if (!customers || !sum) return say('The result of query_table is not one that I can read.')
  const [first] = customers.rows
  if (!first) return say('The file has no invoices.')
  const shown = customers.rows.slice(0, SHOWN_CUSTOMERS)
  const more = customers.totalRows - shown.length
  const owing = customers.rows.filter((row) => row.total === first.total).map((row) => row.customer)
  return say(
    [
      `${owing.join(' and ')} ${owing.length > 1 ? 'owe' : 'owes'} most: ${first.total}${owing.length > 1 ? ' each' : ''}.`,
      '',
      ...shown.map((row) => `- ${row.customer}: ${row.total} (invoices: ${row.invoices})`),
      ...(more > 0 ? [`- and ${more} more customers`] : []),
      '',
      `Total: ${sum.total} (invoices: ${sum.invoices}).`,
    ].join('\n'),
  )
}
