import { z } from 'zod'
import type { ModelConfig } from '../../../src/config/config.ts'
import { keepsSecrets } from '../../../src/config/keeps-secrets.ts'
import { causeOf } from '../failure.ts'
import { getJson, type Answer } from '../get.ts'
import { notLookedAt, type Inputs, type Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'
import { foreign, isNoKey } from '../scrub.ts'
import { plainUrl } from '../show-value.ts'
import { NoTokenError, SCOPES } from '../tokens.ts'
import { askModel } from './ask-model.ts'

const OPENAI_URL = 'https://api.openai.com/v1'
const ASK = 'npm run doctor -- --ask makes one small paid call and tells'
const SET_ONE =
  'OPENAI_API_KEY=KEY; or OPENAI_BASE_URL and OPENAI_MODEL; or AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT'
/** A cold local model takes its time to load; the app waits as long for a first byte. */
const ASK_MS = 60_000

const listSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) })

/** The model server, by its list of models, which costs nothing; with `--ask`, by one small call as well. */
export function modelProbes(inputs: Inputs): Probe[] {
  const { model } = inputs.config
  const broken = inputs.broken.get('model')
  const hint = `start the model server, or correct ${addressSetting(model)}`
  const probe = (run: Probe['run']): Probe => ({ group: 'Model', name: 'server', hint, run })
  if (broken !== undefined) return [probe(() => notLookedAt('server', broken))]
  if (model.provider === 'none') return [probe(() => [none(inputs)])]
  const unusable = unusableAddress(inputs, model)
  if (unusable !== undefined) return [probe(() => [unusable])]
  const look = probe((signal) =>
    model.provider === 'openai' ? lookAtOpenAi(inputs, model, signal) : lookAtAzure(inputs, model, signal),
  )
  if (!inputs.ask) return [look]
  const asking = { group: 'Model', name: 'answer', hint, deadlineMs: ASK_MS } as const
  return [look, { ...asking, run: (signal) => askModel(inputs, model, signal) }]
}

function none({ bare, config }: Inputs): Finding {
  if (bare) return warn('server', 'none; npm start and npm run mission bring a scripted demo model', SET_ONE)
  const missed = config.warnings.find(({ key }) => key.startsWith('AZURE_OPENAI_'))?.key
  return fail('server', 'none, so every mission fails', missed === undefined ? SET_ONE : `set ${missed}; or ${SET_ONE}`)
}

type OpenAi = Extract<ModelConfig, { provider: 'openai' }>
type Azure = Extract<ModelConfig, { provider: 'azure-openai' }>

async function lookAtOpenAi(inputs: Inputs, model: OpenAi, signal: AbortSignal): Promise<Finding[]> {
  const base = model.baseUrl ?? OPENAI_URL
  const key = inputs.secrets.openAiApiKey
  const url = `${base.replace(/\/+$/, '')}/models`
  const place = plainUrl(base) ?? ''
  let answer: Answer
  try {
    answer = await getJson(url, key === undefined ? {} : { authorization: `Bearer ${key}` }, signal)
  } catch (error) {
    return [unreachable(error, place, model)]
  }
  const refused = refusal(answer, place, model, key !== undefined)
  if (refused !== undefined) return [refused]
  const list = listSchema.safeParse(answer.body)
  if (!list.success) {
    const hint = `correct OPENAI_BASE_URL (it usually ends in /v1); ${ASK}`
    return [fail('server', `${place} answers, but gives no list of models`, hint)]
  }
  const ids = list.data.data.map(({ id }) => id)
  const taken = key === undefined ? 'answers without a key' : 'takes the key'
  return [pass('server', `${place} ${taken}`), ...namesOf(inputs, model).map((name) => checkListed(name, ids, inputs))]
}

async function lookAtAzure(inputs: Inputs, model: Azure, signal: AbortSignal): Promise<Finding[]> {
  const key = inputs.secrets.azureOpenAiApiKey
  const place = plainUrl(model.endpoint) ?? ''
  const url = `${model.endpoint.replace(/\/+$/, '')}/openai/models?api-version=${model.apiVersion}`
  let answer: Answer
  try {
    answer = await getJson(url, await signIn(inputs, key), signal)
  } catch (error) {
    return [unreachable(error, place, model)]
  }
  const refused = refusal(answer, place, model, key !== undefined)
  if (refused !== undefined) return [refused]
  if (!listSchema.safeParse(answer.body).success) {
    const hint = 'correct AZURE_OPENAI_ENDPOINT: https://NAME.openai.azure.com, without a path'
    return [fail('server', `${place} answers, but not as Azure OpenAI`, hint)]
  }
  const taken = key === undefined ? 'takes the identity' : 'takes the key'
  return [pass('server', `${place} ${taken}`), pass('deployment', `${model.name}; not called by this check`, ASK)]
}

async function signIn({ tokens }: Inputs, key: string | undefined): Promise<Record<string, string>> {
  if (key !== undefined) return { 'api-key': key }
  return { authorization: `Bearer ${await tokens.get(SCOPES.model)}` }
}

/** Why nothing is sent there, not even with `--ask`; undefined where nothing is wrong with the address. */
function unusableAddress({ secrets }: Inputs, model: OpenAi | Azure): Finding | undefined {
  const setting = addressSetting(model)
  const address = model.provider === 'openai' ? (model.baseUrl ?? OPENAI_URL) : model.endpoint
  if (!URL.canParse(address)) {
    return fail('server', `${setting} is no URL`, `correct ${setting}: an address such as http://127.0.0.1:11434/v1`)
  }
  if (keepsSecrets(address)) return undefined
  if (model.provider === 'azure-openai') {
    return fail('server', 'a key or token would go there unencrypted', `begin ${setting} with https://`)
  }
  const key = secrets.openAiApiKey
  if (key === undefined || isNoKey(key)) return undefined
  // Not a failure: missions work, in a network that may be a private one.
  const hint = `begin ${setting} with https://, or leave out OPENAI_API_KEY where the server needs none`
  return warn('server', 'not looked at, as the key would go there unencrypted, and does with each mission', hint)
}

function unreachable(error: unknown, place: string, model: ModelConfig): Finding {
  if (error instanceof NoTokenError) {
    return fail('server', 'Entra ID gives no token for the model', 'see Azure identity, or AZURE_OPENAI_API_KEY')
  }
  return fail('server', `${place}: ${causeOf(error)}`, `start the model server, or correct ${addressSetting(model)}`)
}

/** What a status says; undefined for a good one. */
function refusal(
  { status }: { status: number },
  place: string,
  model: ModelConfig,
  hasKey: boolean,
): Finding | undefined {
  const azure = model.provider === 'azure-openai'
  const keySetting = azure ? 'AZURE_OPENAI_API_KEY' : 'OPENAI_API_KEY'
  if (status >= 200 && status < 300) return undefined
  if (status === 401 || status === 403) {
    if (hasKey) return fail('server', `${place} refuses the key (${status})`, `correct ${keySetting}`)
    return azure
      ? fail('server', `${place} refuses the identity (${status})`, 'give it the role "Cognitive Services OpenAI User"')
      : fail('server', `${place} asks for a key (${status})`, `set ${keySetting}`)
  }
  if (status === 404 || status === 405 || status === 501) {
    const address = azure ? 'correct AZURE_OPENAI_ENDPOINT' : 'correct OPENAI_BASE_URL where it should end in /v1'
    const hint = `${address}; ${ASK}`
    return warn('server', `${place} answers, and has no list of models (${status})`, hint)
  }
  if (status === 429) return warn('server', `${place} limits the rate of requests (429)`, 'try again in a minute')
  if (status >= 500) {
    return fail('server', `${place} has an error of its own (${status})`, 'look into the log of that server')
  }
  const reason = status >= 300 && status < 400 ? 'sends elsewhere' : 'refuses'
  return fail('server', `${place} ${reason} (${status})`, `correct ${addressSetting(model)}`)
}

/** The default, and those that profiles name. */
function namesOf({ profiles }: Inputs, model: ModelConfig): string[] {
  const named = [...profiles.byName.values()].flatMap((profile) => profile.model.name ?? [])
  return [...new Set([model.name, ...named])]
}

function checkListed(name: string, ids: readonly string[], inputs: Inputs): Finding {
  // Ollama lists with a tag what may be called without.
  if (ids.includes(name) || ids.includes(`${name}:latest`)) return pass('model', `${name} is there`)
  const some = ids.slice(0, 5).map((id) => foreign(id, inputs.known(), 40))
  const others = ids.length === 0 ? 'it lists none' : `it lists ${some.join(', ')}${ids.length > 5 ? ' …' : ''}`
  return warn(
    'model',
    `${name} is not listed; ${others}`,
    `set OPENAI_MODEL (or the profile's model.name) to one that is; ${ASK}`,
  )
}

function addressSetting(model: ModelConfig): string {
  return model.provider === 'azure-openai' ? 'AZURE_OPENAI_ENDPOINT' : 'OPENAI_BASE_URL'
}
