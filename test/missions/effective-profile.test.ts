import { expect, it } from 'vitest'
import { profileFileSchema } from '../../src/config/profile-file.ts'
import { effectiveProfileSchema } from '../../src/domain/profile.ts'
import { effectiveProfile, profileHash } from '../../src/missions/effective-profile.ts'
import { createTools } from '../../src/tools/registry.ts'
import type { Tool } from '../../src/tools/tool.ts'

const NAMES = ['ask_user', 'calculate', 'fetch_url', 'post_webhook', 'search_documents', 'get_document']
const search = { endpoint: 'http://127.0.0.1:1', index: 'i', vectorFields: [], semanticConfiguration: undefined }

function profile(egress: { allow?: string[]; post?: string[] } = {}, tools = createTools(), over: object = {}) {
  const file = profileFileSchema.parse({
    description: 'For tests',
    instructions: 'Do it',
    tools: NAMES,
    limits: { steps: 10, tokens: 1000, costUsd: '1', wallHours: 0.5 },
    egress,
    ...over,
  })
  return effectiveProfile('test', file, tools)
}

const offered = (...given: Parameters<typeof profile>) => profile(...given).tools.map(({ name }) => name)

it('offers no tool that could do nothing', () => {
  expect(offered()).toEqual(['ask_user', 'calculate'])
  expect(offered({ allow: ['*'] })).toEqual(['ask_user', 'calculate', 'fetch_url'])
  expect(offered({ post: ['https://a.example'] })).toEqual(['ask_user', 'calculate', 'post_webhook'])
  expect(offered({}, createTools({ search: { config: search } }))).toEqual([
    'ask_user',
    'calculate',
    'search_documents',
    'get_document',
  ])
})

it('asks each tool whether it is of use', () => {
  const of = (usable: boolean) => {
    const tools = createTools()
    const calculate = tools.get('calculate') as Tool
    return offered({}, tools.set('calculate', { ...calculate, usable: () => usable }))
  }
  expect(of(true)).toEqual(['ask_user', 'calculate'])
  expect(of(false)).toEqual(['ask_user'])
})

it('pins what the model is told, limits in milliseconds, under a hash of it all', () => {
  const one = profile()
  expect(one.limits).toEqual({ steps: 10, tokens: 1000, costUsd: '1', wallMs: 1_800_000 })
  expect(one.tools[1]).toMatchObject({ effect: 'read', parameters: { type: 'object', required: ['expression'] } })
  expect(profileHash(one)).toBe(profileHash(profile()))
  expect(profileHash(one)).not.toBe(profileHash(profile({ allow: ['*'] })))
})

it('pins who deals with unknown outcomes; a profile that says nothing keeps the hash that it had before there was a choice', () => {
  const one = profile()
  expect(JSON.stringify(one)).not.toContain('unknownOutcomes')
  expect(effectiveProfileSchema.parse(one).unknownOutcomes).toBeUndefined()
  const asking = profile({}, createTools(), { unknownOutcomes: 'person' })
  expect(effectiveProfileSchema.parse(asking).unknownOutcomes).toBe('person')
  expect(profileHash(asking)).not.toBe(profileHash(one))
  expect(() => profile({}, createTools(), { unknownOutcomes: 'again' })).toThrow('unknownOutcomes')
})
