import { outcomesOf } from '../conversation.ts'
import { call, say } from '../goal.ts'
import type { Goal } from '../goal.ts'

export const writeAFile: Goal = {
  example: 'Write a file NAME with TEXT',
  pattern: /^write (?:a |the )?file\s+(?:"([^"]+)"|(\S+))\s+with\s+([\s\S]+)$/i,
  needs: ['write_file'],
  reply(conversation, match) {
    const name = match[1] ?? match[2] ?? ''
    const content = (match[3] ?? '').replace(/^"([\s\S]*)"$/, '$1')
    const [written] = outcomesOf(conversation, 'write_file')
    if (!written) return call(`I write ${name}.`, { name: 'write_file', arguments: { name, content } })
    if (written.failed) return say(`I could not write ${name}: ${written.text}`)
    return say(`I wrote ${name} (${content.length} characters).`)
  },
}
