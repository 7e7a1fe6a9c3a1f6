import { z } from 'zod'
import { limitsSchema, messageSchema } from '../domain/event.ts'
import { usdSchema } from '../domain/profile.ts'
import { Refusal } from '../missions/refusal.ts'
import type { NewMissionRequest } from '../missions/create-mission.ts'
import { clashOf, newFileName } from '../tools/file-name.ts'
import { jsonValue, parse, text } from './parse.ts'

const GOAL_BYTES = 32 * 1024
const FILE_BYTES = 8 * 1024 * 1024

/** What a person says to a mission. */
export const words = text
  .refine((value) => value.trim() !== '', 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= GOAL_BYTES, `must have at most ${GOAL_BYTES} bytes`)

const files = z
  .array(
    z.strictObject({ name: newFileName, content: z.string(), encoding: z.enum(['utf8', 'base64']).default('utf8') }),
  )
  .max(20)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have different names')
  .refine(
    (list) =>
      list.every(
        ({ name }) =>
          clashOf(
            name,
            list.map((file) => file.name),
          ) === undefined,
      ),
    {
      error: 'must not have a file where another has a folder, such as "a" and "a/b"',
    },
  )

const labels = z
  .record(text.min(1).max(64), text.max(256))
  .refine((map) => Object.keys(map).length <= 32, 'must have at most 32 members')

/** What a request may say about how a mission runs; nothing here has a default. */
export const settings = {
  labels: labels.optional(),
  limits: z
    .strictObject({ ...limitsSchema.shape, costUsd: usdSchema })
    .partial()
    .optional(),
  deadline: z.iso.datetime({ offset: true }).transform(toUtc).optional(),
  priority: z.int().min(-100).max(100).optional(),
  metadata: z.record(text, jsonValue).optional(),
}

const bodySchema = z
  .strictObject({
    goal: words.optional(),
    messages: z
      .array(messageSchema.extend({ content: words }).strict())
      .min(1)
      .max(50)
      .optional(),
    profile: z.string().min(1).max(64).optional(),
    files: files.default([]),
    ...settings,
    labels: settings.labels.default({}),
    priority: settings.priority.default(0),
  })
  .refine((body) => (body.goal === undefined) !== (body.messages === undefined), {
    path: ['goal'],
    message: 'give either "goal" or "messages"',
  })
  .refine((body) => body.messages === undefined || body.messages.at(-1)?.role === 'user', {
    path: ['messages'],
    message: 'must end with a message of the user',
  })

/** @throws Refusal `invalid_request` or `too_large`, naming each wrong member. */
export function parseCreateBody(value: unknown): NewMissionRequest {
  const { goal, messages, files: given, ...rest } = parse(bodySchema, value)
  return {
    ...rest,
    messages: messages ?? [{ role: 'user', content: goal ?? '' }],
    files: given.map((file, index) => ({ name: file.name, bytes: decodeFile(file, index) })),
  }
}

function toUtc(time: string): string {
  return new Date(time).toISOString()
}

function decodeFile(file: { name: string; content: string; encoding: 'utf8' | 'base64' }, index: number): Buffer {
  const pointer = `/files/${index}/content`
  const wrong = file.encoding === 'base64' ? base64Problem(file.content) : textProblem(file.content)
  if (wrong !== undefined) {
    throw new Refusal('invalid_request', `The content of "${file.name}" ${wrong}.`, [{ pointer, detail: wrong }])
  }
  const bytes = Buffer.from(file.content, file.encoding)
  if (bytes.length > FILE_BYTES) {
    const detail = `must have at most ${FILE_BYTES} bytes, and has ${bytes.length}`
    throw new Refusal('too_large', `"${file.name}" is larger than 8 MiB.`, [{ pointer, detail }])
  }
  return bytes
}

/** Node decodes whatever it can and passes over the rest, which would store another file than the one that was sent. */
function base64Problem(content: string): string | undefined {
  const right = content.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(content)
  return right ? undefined : 'must be base64'
}

function textProblem(content: string): string | undefined {
  return content.isWellFormed() ? undefined : 'must be valid Unicode, or base64 with "encoding": "base64"'
}
