import type { OpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TerminalError } from '../../src/domain/errors.ts'
import { filteredCategories } from '../../src/models/content-filter.ts'
import { chunk, DONE, refuse, startChatServer, stream, text, usage } from '../support/chat-server.ts'
import type { ChatServer, Step } from '../support/chat-server.ts'
import { ask, once } from './ask.ts'

let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

/** Of the types that @azure/openai/types adds to the package. */
type Choice = OpenAI.ChatCompletionChunk.Choice
type Verdicts = NonNullable<Choice['content_filter_results']>

const safe: Verdicts = {
  hate: { filtered: false, severity: 'safe' },
  self_harm: { filtered: false, severity: 'safe' },
  sexual: { filtered: false, severity: 'safe' },
  violence: { filtered: false, severity: 'low' },
}
const violent: Verdicts = { ...safe, violence: { filtered: true, severity: 'medium' } }

/** Comes before the first piece of text. */
const promptPassed = {
  choices: [],
  prompt_filter_results: [
    { prompt_index: 0, content_filter_results: { ...safe, jailbreak: { filtered: false, detected: false } } },
  ],
} satisfies Partial<OpenAI.ChatCompletionChunk>

/** A chunk of one choice with verdicts; the asynchronous filter's have no delta and come after the text. */
function judged(content_filter_results: Verdicts, more: Partial<Choice> = {}): object {
  return { model: '', choices: [{ index: 0, finish_reason: null, content_filter_results, ...more }] }
}

function answerTo(...steps: Step[]) {
  server.script(stream(promptPassed, ...steps, usage(12, 3), DONE))
  return ask(server, once)
}

describe('an answer', () => {
  const usageSent = { inputTokens: 12, outputTokens: 3 }

  test('with nothing but annotations says nothing of a filter', async () => {
    const answer = await answerTo(
      judged(safe, { delta: { content: 'Hel' } }),
      judged({ ...safe, protected_material_code: { filtered: false, detected: true } }, { delta: { content: 'lo' } }),
      judged(safe, { delta: {}, finish_reason: 'stop' }),
    )
    expect(answer).toMatchObject({ text: 'Hello', finishReason: 'stop', usage: usageSent })
    expect(answer.contentFilter).toBeUndefined()
  })

  test('that the filter stopped names what it objected to, and is paid for', async () => {
    const answer = await answerTo(
      judged(safe, { delta: { content: 'Hel' } }),
      judged(violent, { delta: {}, finish_reason: 'content_filter' }),
    )
    expect(answer).toMatchObject({
      text: 'Hel',
      finishReason: 'content_filter',
      contentFilter: ['violence (medium)'],
      usage: usageSent,
    })
  })

  test('that the asynchronous filter judges after its end is stopped all the same', async () => {
    const stolen: Verdicts = { protected_material_text: { filtered: true, detected: true } }
    const answer = await answerTo(
      chunk({ content: 'Hey Jude' }),
      chunk({}, 'stop'),
      judged(safe),
      judged(stolen, { finish_reason: 'content_filter' }),
    )
    expect(answer).toMatchObject({
      model: 'served-model',
      text: 'Hey Jude',
      finishReason: 'content_filter',
      contentFilter: ['protected_material_text'],
    })
  })

  test('that is followed by a verdict in place of an event is stopped, and is paid for', async () => {
    const error = { code: 'content_filter', message: 'The response was filtered.' }
    await expect(answerTo(chunk({ content: 'Hey Jude' }, 'stop'), usage(12, 3), { error })).rejects.toMatchObject({
      code: 'model_content_filter',
      spent: usageSent,
    })
  })

  test('that is not streamed is read too', async () => {
    const message = { content: '' }
    server.script(
      refuse(200, { choices: [{ message, finish_reason: 'content_filter', content_filter_results: violent }] }),
    )
    expect(await ask(server, once)).toMatchObject({ contentFilter: ['violence (medium)'] })
  })

  test.each([
    null,
    7,
    'all',
    [1],
    { hate: 1, violence: null, sexual: { filtered: 'yes' } },
    { error: { code: 'down' } },
  ])('is not lost to verdicts that are %o', async (content_filter_results) => {
    const odd = { choices: [{ index: 0, delta: { content: 'Hello' }, content_filter_results }] }
    server.script(
      stream({ choices: [], prompt_filter_results: content_filter_results }, odd, chunk({}, 'stop'), usage(12, 3)),
    )
    const answer = await ask(server, once)
    expect(answer).toMatchObject({ text: 'Hello', finishReason: 'stop', usage: usageSent })
    expect(answer.contentFilter).toBeUndefined()
  })
})

describe('a refused prompt', () => {
  /** As Azure OpenAI sends it. */
  function refusal(content_filter_result: unknown): object {
    const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result }
    const message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    return { error: { message, type: null, param: 'prompt', code: 'content_filter', status: 400, innererror } }
  }

  async function failure(content_filter_result: unknown): Promise<TerminalError> {
    server.script(refuse(400, refusal(content_filter_result)), text('too late'))
    const error = await ask(server).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TerminalError)
    expect(server.requests).toHaveLength(1)
    return error as TerminalError
  }

  test('names the categories that were filtered', async () => {
    const error = await failure({
      ...safe,
      violence: { filtered: true, severity: 'high' },
      jailbreak: { filtered: true, detected: true },
      profanity: { filtered: false, detected: true },
    })
    expect(error.code).toBe('model_content_filter')
    expect(error.message).toMatch(/^The content filter of .+ refused the request: violence \(high\), jailbreak\.$/)
    expect(error.contentFilter).toEqual(['violence (high)', 'jailbreak'])
  })

  test.each([undefined, null, 'none', {}, [{ filtered: true }]])(
    'with verdicts that are %o names none',
    async (odd) => {
      const error = await failure(odd)
      expect(error.message).toMatch(/refused the request\.$/)
      expect(error).toMatchObject({ code: 'model_content_filter', contentFilter: undefined })
    },
  )
})

test.each([
  [{ custom_blocklists: [{ filtered: false, id: 'a' }] }, []],
  [
    {
      custom_blocklists: [
        { filtered: false, id: 'a' },
        { filtered: true, id: 'b' },
      ],
    },
    ['custom_blocklists'],
  ],
  [{ indirect_attack: { filtered: true, detected: true } }, ['indirect_attack']],
  [{ violence: { filtered: true, severity: 'as high as <b>this</b>' } }, ['violence']],
  [{ 'not a name': { filtered: true } }, []],
])('verdicts %o are %o', (verdicts, categories) => {
  expect(filteredCategories(verdicts)).toEqual(categories)
})
