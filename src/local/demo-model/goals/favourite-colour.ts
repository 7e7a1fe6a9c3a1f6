import { z } from 'zod'
import { outcomesOf } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal } from '../goal.ts'
import { readJson } from '../read-json.ts'

const answerSchema = z.object({ answer: z.unknown() })

export const favouriteColour: Goal = {
  example: 'Ask me for my favourite colour and greet me with it',
  pattern: /^ask me for my favou?rite colou?r\b/i,
  needs: ['ask_user'],
  reply(conversation) {
    const [asked] = outcomesOf(conversation, 'ask_user')
    if (!asked) {
      const question = { question: 'What is your favourite colour?', schema: { type: 'string' } }
      return call('I ask you for your favourite colour.', { name: 'ask_user', arguments: question })
    }
    if (asked.failed) return say(`I could not ask you: ${asked.text}`)
    const answer = readJson(asked.text, answerSchema)?.answer
    if (answer === undefined || answer === null || answer === '') return say('Hello! You did not name a colour.')
    const colour = typeof answer === 'string' ? answer : JSON.stringify(answer)
    return say(`Hello, friend of ${colour}! May your day be full of it.`)
  },
}
