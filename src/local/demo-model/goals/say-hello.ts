import { say } from '../goal.ts'
import type { Goal } from '../goal.ts'

export const sayHello: Goal = {
  example: 'Say hello',
  pattern: /^say hello\b/i,
  needs: [],
  reply: () => say('Hello! Your mission ran from the request to this answer, and every step of it is in the journal.'),
}
