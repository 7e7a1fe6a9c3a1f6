import { readFileSync } from 'node:fs'
import { z } from 'zod'

export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const
export type Environment = (typeof ENVIRONMENTS)[number]

const resourceSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  tags: z.record(z.string(), z.string()).optional(),
  sku: z.looseObject({ name: z.string() }).optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
})

export type Resource = z.infer<typeof resourceSchema>

/** What an environment deploys, as it is pinned; that it is still true is `compile.test.ts`'s to say. */
export function pinned(environment: Environment): Resource[] {
  return readPinned(readFileSync(`test/bicep/snapshots/${environment}.json`, 'utf8'))
}

/** The resources of a snapshot. */
export function readPinned(text: string): Resource[] {
  return z.object({ predictedResources: z.array(resourceSchema) }).parse(JSON.parse(text)).predictedResources
}

export function ofType(resources: readonly Resource[], type: string): Resource[] {
  return resources.filter((resource) => resource.type === type)
}

interface Compiled {
  name?: unknown
  existing?: boolean | undefined
  copy?: unknown
  dependsOn: string[]
  properties?:
    | {
        template?:
          { resources: Record<string, Compiled>; outputs?: Record<string, { value?: unknown }> | undefined } | undefined
        parameters?: Record<string, { value?: unknown }> | undefined
      }
    | undefined
}

const compiledSchema: z.ZodType<Compiled> = z.looseObject({
  existing: z.boolean().optional(),
  copy: z.unknown().optional(),
  dependsOn: z.array(z.string()).default([]),
  get properties() {
    return (
      z
        .looseObject({
          template: z
            .looseObject({
              resources: z.record(z.string(), compiledSchema),
              outputs: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).optional(),
            })
            .optional(),
          parameters: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).optional(),
        })
        .optional()
        // An expression.
        .catch(undefined)
    )
  },
})

/** main.json, as far as the order of things goes. */
export const templateSchema = z.looseObject({
  resources: z.record(z.string(), compiledSchema),
  outputs: z.record(z.string(), z.object({ value: z.string() }).loose()),
})

export type Template = z.infer<typeof templateSchema>
