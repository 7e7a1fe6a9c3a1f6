import { z } from 'zod'
import { limitsSchema, messageSchema } from '../domain/event.ts'
import { usdSchema } from '../domain/profile.ts'
import { Refusal } from '../missions/refusal.ts'
import type { NewMissionRequest } from '../missions/create-mission.ts'
import { parse } from './parse.ts'

const GOAL_BYTES = 32 * 1024
const FILE_BYTES = 8 * 1024 * 1024

/** Postgres can't hold U+0000 in text, nor half a surrogate pair in JSON. */
const text = z
  .string()
  .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be valid Unicode without U+0000')

const words = text
  .refine((value) => value.trim() !== '', 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= GOAL_BYTES, `must have at most ${GOAL_BYTES} bytes`)

/** The names that a workspace takes: no way out of it, and nothing that a terminal or a file system trips over. */
const fileName = text
  .max(200)
  .regex(
    /^[^/\\.\p{Cc}][^\\\p{Cc}]*$/u,
    'must not start with a dot or a slash, nor hold control characters or backslashes',
  )
  .refine(
    (name) => name.split('/').every((part) => part !== '' && part !== '..' && part !== '.'),
    'must not hold empty parts or dots alone',
  )

const files = z
  .array(z.strictObject({ name: fileName, content: z.string(), encoding: z.enum(['utf8', 'base64']).default('utf8') }))
  .max(20)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have different names')

const labels = z
  .record(text.min(1).max(64), text.max(256))
  .refine((map) => Object.keys(map).length <= 32, 'must have at most 32 members')

const future = z.iso.datetime({ offset: true }).refine((at) => Date.parse(at) > Date.now(), 'must be in the future')

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
    labels: labels.default({}),
    limits: z
      .strictObject({ ...limitsSchema.shape, costUsd: usdSchema })
      .partial()
      .optional(),
    deadline: future.optional(),
    priority: z.int().min(-100).max(100).default(0),
    metadata: z.record(z.string(), z.unknown()).optional(),
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
  const { goal, messages, files: given, deadline, ...rest } = parse(bodySchema, value)
  return {
    ...rest,
    messages: messages ?? [{ role: 'user', content: goal ?? '' }],
    files: given.map((file, index) => ({ name: file.name, bytes: decodeFile(file, index) })),
    deadline: deadline === undefined ? undefined : new Date(deadline).toISOString(),
  }
}

function decodeFile(file: { name: string; content: string; encoding: 'utf8' | 'base64' }, index: number): Buffer {
  const bytes = Buffer.from(file.content, file.encoding)
  const pointer = `/files/${index}/content`
  if (file.encoding === 'base64' && !isBase64(file.content)) {
    throw new Refusal('invalid_request', `The content of "${file.name}" is no base64.`, [
      { pointer, detail: 'must be base64' },
    ])
  }
  if (bytes.length > FILE_BYTES) {
    const detail = `must have at most ${FILE_BYTES} bytes, and has ${bytes.length}`
    throw new Refusal('too_large', `"${file.name}" is larger than 8 MiB.`, [{ pointer, detail }])
  }
  return bytes
}

/** Node decodes whatever it can and passes over the rest, which would store another file than the one that was sent. */
function isBase64(content: string): boolean {
  return content.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(content)
}
