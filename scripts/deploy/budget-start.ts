import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { readBudgetStart } from './commands/subscription.ts'
import { readOutput } from './read-output.ts'
import type { Session } from './session.ts'

const startSchema = z.string().regex(/^\d{4}-\d\d-01/)

/**
 * The environment variable that the templates read the beginning of the budget from, where there is a budget: Azure takes no other for
 * one that is there. What the person gives (BUDGET_START) is left alone; what can't be read is said, and left out.
 */
export async function budgetStart({ run, environment, env, log }: Session): Promise<Record<string, string>> {
  if (env['BUDGET_START']) return {}
  try {
    const start = await readOutput(run, readBudgetStart(environment), startSchema.nullish())
    return start == null ? {} : { BUDGET_START: start.slice(0, 10) }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    if (!/ResourceGroupNotFound/.test(error.message))
      log.say('  the budget was not read: where there is one of an earlier month, give its first day as BUDGET_START')
    return {}
  }
}
