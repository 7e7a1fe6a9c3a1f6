import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listModelUsage } from '../commands/subscription.ts'
import type { Session } from '../session.ts'
import { mayBeBegun } from './may-be-begun.ts'
import { readOrTell } from './read-or-tell.ts'
import type { TemplateValues } from './read-template-values.ts'

const usagesSchema = z.array(
  z.looseObject({ name: z.looseObject({ value: z.string() }), currentValue: z.number(), limit: z.number() }),
)

/**
 * Whether the subscription has quota for the models. What an environment has already is part of what is used, so there it is said
 * alone. @throws TerminalError `quota_too_small`
 */
export async function checkModelQuota(session: Session, { models, openAiLocation }: TemplateValues): Promise<void> {
  const { log } = session
  if (models.length === 0) return
  const usages = await readOrTell(session, {
    command: listModelUsage(openAiLocation),
    schema: usagesSchema,
    what: `quotas of models in ${openAiLocation}`,
  })
  if (usages === undefined) return
  for (const { model, sku, capacity } of models) {
    const quota = `OpenAI.${sku}.${model}`
    const usage = usages.find(({ name }) => name.value.toLowerCase() === quota.toLowerCase())
    if (usage === undefined) {
      log.say(`  quota ${quota} is not one that ${openAiLocation} tells of: whether there is enough is not known`)
      continue
    }
    const left = Math.max(0, usage.limit - usage.currentValue)
    if (capacity <= left) continue
    const words = `${quota} in ${openAiLocation}: ${left} of ${usage.limit} are left, and ${capacity} are asked for (thousand tokens a minute)`
    if (await mayBeBegun(session)) log.say(`  quota ${words}, part of which may be in use here already`)
    else throw tooSmall(words, left)
  }
}

function tooSmall(words: string, left: number): TerminalError {
  const fewer = left > 0 ? [`take less: OPENAI_CAPACITY=${left}`] : []
  return new TerminalError('quota_too_small', `There is not enough quota ${words}.`, {
    hint: [...fewer, 'take another region with --location', 'or ask for more: https://aka.ms/oai/stuquotarequest'].join(
      '; ',
    ),
  })
}
