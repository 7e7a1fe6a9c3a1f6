import type { ModelConfig } from '../../../src/config/config.ts'
import { RetryableError, TerminalError } from '../../../src/domain/errors.ts'
import { createModel } from '../../../src/models/create-model.ts'
import { duration, tokens } from '../../mission/text.ts'
import { causeOf } from '../failure.ts'
import type { Inputs } from '../probe.ts'
import { fail, pass, type Finding } from '../report.ts'
import { foreign } from '../scrub.ts'

/** One word back: a few tokens, or with a model that thinks first a few hundred. */
const QUESTION = 'Answer with the one word: ready'

/** One real call of the default model, made as missions make it; shows how long it took and what it used. */
export async function askModel(inputs: Inputs, model: ModelConfig, signal: AbortSignal): Promise<Finding[]> {
  const request = { model: model.name, messages: [{ role: 'user' as const, content: QUESTION }], tools: [] }
  const started = performance.now()
  try {
    const { model: served, usage } = await createModel(model, inputs.secrets).complete(request, { signal })
    const took = duration(performance.now() - started)
    const counted = `${tokens(usage)} tokens${usage.estimated === true ? ', estimated' : ''}`
    return [pass('answer', `${foreign(served, inputs.known(), 60)} in ${took}: ${counted}`)]
  } catch (error) {
    return [refusal(error, inputs)]
  }
}

/** The model's own errors are written for people and hold nothing that a server said; others are told by their code. */
function refusal(error: unknown, inputs: Inputs): Finding {
  const hint = 'see the line "server", then try again'
  if (error instanceof TerminalError) {
    return fail('answer', foreign(error.message, inputs.known(), 300), error.hint ?? hint)
  }
  if (error instanceof RetryableError) return fail('answer', foreign(error.message, inputs.known(), 300), hint)
  return fail('answer', causeOf(error), hint)
}
