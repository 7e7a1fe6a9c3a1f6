import { z } from 'zod'
import { profileFileSchema } from '../../src/config/profile-file.ts'

interface JsonSchema {
  type?: string
  description?: string
  default?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
}

/** A table of every key that a profile may have, from the schema that checks them. */
export function profileKeys(): string {
  const schema = z.toJSONSchema(profileFileSchema, { io: 'input' }) as JsonSchema
  const rows = keysOf(schema, '')
  return ['| key | type | needed | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function keysOf(schema: JsonSchema, prefix: string): string[] {
  const needed = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`
    const row = `| \`${key}\` | ${typeOf(property)} | ${neededOf(property, needed.has(name))} | ${property.description ?? ''} |`
    const entries = typeof property.additionalProperties === 'object' ? property.additionalProperties : undefined
    return [row, ...keysOf(property, `${key}.`), ...(entries === undefined ? [] : keysOf(entries, `${key}.NAME.`))]
  })
}

function typeOf({ type = 'text', items, additionalProperties }: JsonSchema): string {
  if (type === 'array') return `list of ${typeOf(items ?? {})}`
  if (type === 'object') return typeof additionalProperties === 'object' ? 'by name' : 'keys'
  return type === 'string' ? 'text' : type
}

function neededOf({ default: fallback }: JsonSchema, needed: boolean): string {
  if (needed) return 'yes'
  return fallback === undefined || typeof fallback === 'object' ? 'no' : `no: \`${JSON.stringify(fallback)}\``
}
