import type { ModelAnswer, ModelCallOptions, ModelRequest } from '../../src/models/model.ts'
import { createOpenAiModel } from '../../src/models/openai.ts'
import type { OpenAiModelOptions } from '../../src/models/openai.ts'
import type { ChatServer } from '../support/chat-server.ts'

export const KEY = 'sk-canary-1234567890'
export const SECRET = 'the-goal-nobody-may-see'

export const request: ModelRequest = {
  model: 'some-model',
  messages: [{ role: 'user', content: SECRET }],
  tools: [],
}

/** For tests of a single attempt. */
export const once = { retry: { attempts: 1 } }

interface Asking extends Partial<OpenAiModelOptions>, Partial<ModelCallOptions> {
  request?: Partial<ModelRequest>
  /** Gets the waits between attempts, in milliseconds; they take no time. */
  waits?: number[]
}

/** Puts one request to a scripted server. */
export function ask(server: ChatServer, asking: Asking = {}): Promise<ModelAnswer> {
  const { signal = new AbortController().signal, onText, onRestart, waits = [], ...rest } = asking
  const { request: changes, ...options } = rest
  const wait = (ms: number) => Promise.resolve(void waits.push(ms))
  const retry = { wait, random: () => 0, ...options.retry }
  const model = createOpenAiModel({ apiKey: KEY, baseUrl: server.url, ...options, retry })
  return model.complete({ ...request, ...changes }, { signal, onText, onRestart })
}
