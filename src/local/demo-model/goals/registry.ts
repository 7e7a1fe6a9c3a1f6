import type { Goal } from '../goal.ts'
import { auditInvoices } from './audit-invoices.ts'
import { favouriteColour } from './favourite-colour.ts'
import { fetchAndSummarise } from './fetch-and-summarise.ts'
import { fiveItemPlan } from './five-item-plan.ts'
import { sayHello } from './say-hello.ts'
import { totalInvoices } from './total-invoices.ts'
import { waitAndSayDone } from './wait-and-say-done.ts'
import { writeAFile } from './write-a-file.ts'

/** The sentences of the contracts page, "Demo goals", and one with many tools. */
export const goals: Goal[] = [
  sayHello,
  totalInvoices,
  auditInvoices,
  fiveItemPlan,
  favouriteColour,
  fetchAndSummarise,
  writeAFile,
  waitAndSayDone,
]
