import { exampleAnswer } from './answer-schema.ts'
import { commandFor, type SharedOptions } from './context.ts'
import type { Question } from './schemas.ts'
import { oneLine, plain } from './text.ts'

/** What a mission wants to know, each with the command that answers it. */
export function openQuestionLines(id: string, open: readonly Question[], options: SharedOptions): string[] {
  return open.flatMap((question) => [
    `The mission asks: ${plain(question.text)}`,
    `Answer with: ${commandFor(['answer', oneLine(id), oneLine(question.questionId), JSON.stringify(exampleAnswer(question))], options)}`,
  ])
}
