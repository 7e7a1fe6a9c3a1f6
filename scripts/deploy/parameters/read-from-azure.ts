import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import type { Command } from '../commands/command.ts'
import { listServers, readBudgetStart } from '../commands/subscription.ts'
import type { Account } from '../preflight.ts'
import { readOutput } from '../read-output.ts'
import type { Session } from '../session.ts'
import type { Target } from '../target.ts'
import type { TemplateParameters } from './remember.ts'

/** Parameters that Azure itself knows. */
export const READ = ['BUDGET_START', 'POSTGRES_STORAGE_GB', 'AZURE_PRINCIPAL_TYPE'] as const

const startSchema = z.string().regex(/^\d{4}-\d\d-01/)
const serversSchema = z.array(z.looseObject({ host: z.string().nullable(), gb: z.int() }))

/** What the person gives in the shell is left alone; what can't be read is said, and left out. */
export async function readFromAzure(
  session: Session,
  account: Account,
  target: Target | undefined,
): Promise<TemplateParameters> {
  const { env } = session
  const found: TemplateParameters = {
    AZURE_PRINCIPAL_TYPE: account.user.type === 'servicePrincipal' ? 'ServicePrincipal' : 'User',
    ...(env['BUDGET_START'] ? {} : await budgetStart(session)),
    ...(env['POSTGRES_STORAGE_GB'] ? {} : await postgresStorage(session, target)),
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => !env[name]))
}

/** Where there is a budget: Azure takes no other beginning for one that is there. */
async function budgetStart(session: Session): Promise<TemplateParameters> {
  const start = await readIfThere(
    session,
    readBudgetStart(session.environment),
    startSchema.nullish(),
    'the budget was not read: where there is one of an earlier month, give its first day as BUDGET_START',
  )
  return start == null ? {} : { BUDGET_START: start.slice(0, 10) }
}

/** Storage of Postgres grows by itself and never shrinks: a smaller one in the templates would be refused. */
async function postgresStorage(session: Session, target: Target | undefined): Promise<TemplateParameters> {
  const servers = await readIfThere(
    session,
    listServers(session.environment),
    serversSchema,
    'the size of the database was not read: where its storage has grown, give it as POSTGRES_STORAGE_GB',
  )
  // A server that Azure restored may lie beside the one that is used.
  const ours = (servers ?? []).filter(({ host }) => target === undefined || host === target.postgresHost)
  return ours.length === 0 ? {} : { POSTGRES_STORAGE_GB: String(Math.max(...ours.map(({ gb }) => gb))) }
}

async function readIfThere<T>(
  { run, log }: Session,
  command: Command,
  schema: z.ZodType<T>,
  otherwise: string,
): Promise<T | undefined> {
  try {
    return await readOutput(run, command, schema)
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    if (!/ResourceGroupNotFound/.test(error.message)) log.say(`  ${otherwise}`)
    return undefined
  }
}
