import { readFileSync } from 'node:fs'
import { z } from 'zod'

const timeSpan = z
  .string()
  .regex(/^-?(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d{1,7})?$/, 'must be a time span such as "00:00:30"')

// Defaults and bounds of Microsoft.Azure.WebJobs.Extensions.Storage.Queues (QueuesOptions) and of the HTTP extension.
const hostJsonSchema = z.looseObject({
  version: z.literal('2.0'),
  functionTimeout: z.union([timeSpan, z.literal('-1')]).default('00:30:00'),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().default('api') }).prefault({}),
      queues: z
        .looseObject({
          batchSize: z.int().min(1).max(32).default(16),
          newBatchThreshold: z.int().min(0).optional(),
          maxDequeueCount: z.int().min(1).default(5),
          visibilityTimeout: timeSpan.default('00:00:00'),
          maxPollingInterval: timeSpan.default('00:01:00'),
          messageEncoding: z
            .string()
            .toLowerCase()
            .pipe(z.enum(['base64', 'none']))
            .default('base64'),
        })
        .prefault({}),
    })
    .prefault({}),
})

export type QueueSettings = {
  batchSize: number
  newBatchThreshold: number
  maxDequeueCount: number
  visibilityTimeoutMs: number
  maxPollingIntervalMs: number
  messageEncoding: 'base64' | 'none'
}

export type HostSettings = { functionTimeoutMs: number; routePrefix: string; queues: QueueSettings }

/** Reads the parts of host.json that this host honours. Throws with file, key and reason when one of them is wrong. */
export function readHostJson(path: string): HostSettings {
  const parsed = hostJsonSchema.safeParse(parseFile(path))
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`)
    throw new Error(`${path} is not a valid host.json, so no function can run. ${reasons.join('; ')}.`)
  }
  const { functionTimeout, extensions } = parsed.data
  const { http, queues } = extensions
  return {
    functionTimeoutMs: functionTimeout.startsWith('-') ? Infinity : timeSpanMs(functionTimeout),
    routePrefix: http.routePrefix.replace(/^\/+|\/+$/g, ''),
    queues: {
      batchSize: queues.batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2),
      maxDequeueCount: queues.maxDequeueCount,
      visibilityTimeoutMs: timeSpanMs(queues.visibilityTimeout),
      maxPollingIntervalMs: Math.max(100, timeSpanMs(queues.maxPollingInterval)),
      messageEncoding: queues.messageEncoding,
    },
  }
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path} could not be read as JSON, so no function can run: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Milliseconds of a .NET TimeSpan in its `[d.]hh:mm:ss[.fffffff]` form. */
function timeSpanMs(text: string): number {
  const [time = '', hours = '0', minutes = '0', seconds = '0'] = /^(.*):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec(text) ?? []
  const [hoursOfDay = '0', days = '0'] = hours.split('.').toReversed()
  if (!time) throw new Error(`"${text}" is not a time span.`)
  return Math.round((((Number(days) * 24 + Number(hoursOfDay)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000)
}
