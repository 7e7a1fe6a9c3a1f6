import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listModels } from '../commands/subscription.ts'
import type { Session } from '../session.ts'
import { mayBeBegun } from './may-be-begun.ts'
import { readOrTell } from './read-or-tell.ts'
import type { TemplateValues } from './read-template-values.ts'

const DAY_MS = 86_400_000
/** From here on it is said: time to try another model, and for missions of weeks to end. */
const SOON_DAYS = 180

/** Of a version in a region: when its deployments answer nothing but errors any more, by kind of deployment or for all. */
const modelsSchema = z.array(
  z.looseObject({
    name: z.string(),
    version: z.string().nullish(),
    ends: z.string().nullish(),
    skus: z.array(z.looseObject({ name: z.string(), deprecationDate: z.string().nullish() })).nullish(),
  }),
)

type Offered = z.infer<typeof modelsSchema>[number]

/**
 * Whether the region has the versions of models that are pinned, and until when. What an environment has already works as long as it
 * works, so there it is said alone. @throws TerminalError `model_unavailable`
 */
export async function checkModelLife(session: Session, { models, openAiLocation }: TemplateValues): Promise<void> {
  if (models.length === 0) return
  const command = listModels(openAiLocation)
  const what = `which models ${openAiLocation} has`
  const offered = await readOrTell(session, { command, schema: modelsSchema, what })
  if (offered === undefined) return
  for (const wanted of models) {
    const found = offered.find(({ name, version }) => name === wanted.model && version === wanted.version)
    const sku = found?.skus?.find(({ name }) => name === wanted.sku)
    const called = `${wanted.model} ${wanted.version} (${wanted.sku})`
    if (found === undefined || sku === undefined) await refuse(session, `${openAiLocation} has no ${called}`)
    else await checkEnd(session, called, endOf(found, sku.deprecationDate))
  }
}

async function checkEnd(session: Session, called: string, end: number): Promise<void> {
  const days = Math.floor((end - session.now().getTime()) / DAY_MS)
  // Where no date is given, or none that can be read.
  if (!Number.isFinite(days) || days > SOON_DAYS) return
  const date = new Date(end).toISOString().slice(0, 10)
  if (days < 0) return refuse(session, `${called} has ended on ${date}`)
  session.log.say(`  ${called} ends in ${days} days, on ${date}: missions fail then. docs/runbooks/model-change.md`)
}

/** The earlier one of both dates. */
function endOf({ ends }: Offered, ofSku: string | null | undefined): number {
  return Math.min(...[ends, ofSku].flatMap((date) => (date ? [Date.parse(date)] : [])))
}

async function refuse(session: Session, words: string): Promise<void> {
  if (await mayBeBegun(session)) return session.log.say(`  ${words}. docs/runbooks/model-change.md`)
  throw new TerminalError('model_unavailable', `${words}.`, {
    hint: 'Take another model or version in bicep/shared.bicepparam (docs/runbooks/model-change.md), or another region with --location.',
  })
}
