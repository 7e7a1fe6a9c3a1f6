import { z } from 'zod'
import { outcomesOf } from '../conversation.ts'
import type { Conversation } from '../conversation.ts'
import { readJson } from '../read-json.ts'

const filesSchema = z.object({ files: z.array(z.object({ name: z.string() })) })

/** A value in a row of query_table. */
export const cell = z
  .union([z.string(), z.number()])
  .nullable()
  .transform((value) => String(value ?? '(no name)'))

/** The table that a mission is about: one that the goal names, one called so, or the first that list_files found. */
export function findTable(conversation: Conversation): string | undefined {
  const [listed] = outcomesOf(conversation, 'list_files')
  const tables = (readJson(listed?.text ?? '', filesSchema)?.files ?? [])
    .map((file) => file.name)
    .filter((name) => /\.[ct]sv$/i.test(name))
  return (
    tables.find((name) => conversation.asked.some((text) => text.includes(name))) ??
    tables.find((name) => /invoice/i.test(name)) ??
    tables[0]
  )
}
