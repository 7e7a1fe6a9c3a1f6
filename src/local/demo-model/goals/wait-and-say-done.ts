import { outcomesOf } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal } from '../goal.ts'

export const waitAndSayDone: Goal = {
  example: 'Wait N seconds and say done',
  pattern: /^wait\s+(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)\b/i,
  needs: ['wait'],
  reply(conversation, match) {
    const seconds = Number(match[1])
    const [waited] = outcomesOf(conversation, 'wait')
    if (!waited) return call(`I wait ${seconds} seconds.`, { name: 'wait', arguments: { seconds } })
    if (waited.failed) return say(`I could not wait: ${waited.text}`)
    return say('Done.')
  },
}
