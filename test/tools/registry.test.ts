import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createTools, describeTool, optionalTools } from '../../src/tools/registry.ts'

const search = {
  config: { endpoint: 'https://127.0.0.1:1', index: 'i', vectorFields: [], semanticConfiguration: undefined },
}

test('every tool is found under its own name and says what it does', () => {
  const tools = createTools({ search })
  expect([...tools.keys()]).toEqual([
    'list_files',
    'read_file',
    'write_file',
    'query_table',
    'calculate',
    'fetch_url',
    'post_webhook',
    'run_javascript',
    'search_documents',
    'get_document',
  ])
  for (const [name, tool] of tools) {
    expect(tool.name).toBe(name)
    expect(name).toMatch(/^[a-z_]{1,64}$/)
    expect(tool.description.length).toBeGreaterThan(40)
  }
})

test('the tools that need a search index are the optional ones, and are left out without one', () => {
  const all = [...createTools({ search }).keys()]
  expect([...createTools().keys()]).toEqual(all.filter((name) => !optionalTools.has(name)))
  expect(all).toEqual(expect.arrayContaining([...optionalTools]))
})

test('what acts on the outside world is never repeated', () => {
  const once = [...createTools({ search }).values()].filter(({ effect }) => effect === 'once')
  expect(once.map(({ name }) => name)).toEqual(['post_webhook'])
})

test('every parameter of every tool has a description that a model can read, and nothing unknown is taken', () => {
  for (const tool of createTools({ search }).values()) {
    const { parameters } = describeTool(tool)
    expect(parameters).toMatchObject({ type: 'object', additionalProperties: false })
    expect(parameters).not.toHaveProperty('$schema')
    for (const [name, schema] of Object.entries(parameters.properties as object)) {
      expect(schema, `${tool.name}.${name}`).toMatchObject({ description: expect.stringMatching(/\w/) })
    }
  }
})

test('a parameter with a default is optional to the model', () => {
  const readFile = createTools().get('read_file')
  expect(readFile && describeTool(readFile).parameters).toMatchObject({ required: ['name'] })
})

test('making the tools loads none of the heavy packages', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { createTools } = await import('./src/tools/registry.ts')
    createTools({ search: ${JSON.stringify(search)} })
    const before = loaded.filter((url) => /node_modules\\/(undici|html-to-text|csv-parse|@azure|quickjs\\S*)\\//.test(url)).length
    await import('csv-parse/sync')
    const after = loaded.filter((url) => url.includes('/csv-parse/')).length
    console.log(JSON.stringify({ before, seen: after > 0 }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(JSON.parse(stdout)).toEqual({ before: 0, seen: true })
})
