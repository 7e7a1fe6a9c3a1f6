import type { Conversation } from './conversation.ts'
import { say } from './goal.ts'
import type { Goal, Reply } from './goal.ts'
import { goals } from './goals/registry.ts'

/** The next turn: of the script whose sentence was asked for last, or a list of what there is. */
export function decideReply(conversation: Conversation): Reply {
  for (const text of conversation.asked) {
    for (const goal of goals) {
      const match = goal.pattern.exec(text)
      if (match) return follow(goal, match, conversation)
    }
  }
  const list = goals.map((goal) => `- ${goal.example}`).join('\n')
  return say(`I am a demo model and only know a few goals by heart. Try one of these:\n\n${list}`)
}

function follow(goal: Goal, match: RegExpExecArray, conversation: Conversation): Reply {
  const missing = goal.needs.filter((name) => !conversation.offered.has(name))
  if (missing.length === 0) return goal.reply(conversation, match)
  const tools = missing.length > 1 ? `the tools ${missing.join(' and ')}` : `the tool ${missing.join('')}`
  return say(`"${goal.example}" needs ${tools}, which this mission's profile does not offer.`)
}
