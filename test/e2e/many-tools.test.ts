import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startDemoModel } from '../../src/local/demo-model/start.ts'
import { readFile } from '../../src/missions/read-files.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { createOpenAiModel } from '../../src/models/openai.ts'
import { createTools } from '../../src/tools/registry.ts'
import { createWorld, type World } from '../support/engine.ts'

/** A mission with seven tools, against the demo model and against a server with every odd habit that we know of. */

const RECORDING = join(import.meta.dirname, '../recordings/odd-server')
const stops: (() => unknown)[] = []
let world: World
afterEach(async () => {
  await world.stop()
  for (const stop of stops.splice(0)) await stop()
})

const messageSchema = z.looseObject({
  role: z.string(),
  tool_call_id: z.string().optional(),
  tool_calls: z.array(z.looseObject({ id: z.string() })).optional(),
})
const requestSchema = z.looseObject({ messages: z.array(messageSchema) })

/** Gives the recorded answers in turn, however the requests look, and keeps these. */
async function replay() {
  const answers = readdirSync(RECORDING).filter((name) => /^\d/.test(name))
  const requests: z.infer<typeof requestSchema>[] = []
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(requestSchema.parse(JSON.parse(await text(request))))
    const name = answers[requests.length - 1] ?? 'none'
    response.setHeader('content-type', name.endsWith('.json') ? 'application/json' : 'text/event-stream')
    response.end(readFileSync(join(RECORDING, name)))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests }
}

async function audit(baseUrl: string) {
  world = await createWorld([...createTools().values()])
  const bytes = readFileSync('examples/invoices.csv')
  const id = await world.create('Audit these invoices and write a report', {
    files: [{ name: 'invoices.csv', bytes }],
  })
  const model = createOpenAiModel({ apiKey: '', baseUrl, retry: { attempts: 1 } })
  await world.engine({ over: () => ({ model }) }).run()
  const events = await world.events(id)
  const failures = events.filter(({ type }) => type === 'tool.failed' || type === 'model.failed')
  expect(failures).toEqual([])
  const used = new Set(events.flatMap(({ type, data }) => (type === 'tool.finished' ? [data.name] : [])))
  if (events.some(({ type }) => type === 'plan.updated')) used.add('make_plan')
  const mission = await readMission(world.missions, world.caller, id)
  const report = (await readFile(world.missions, world.caller, id, 'audit.md')).bytes.toString()
  return { used: [...used].sort(), mission, report, events }
}

const SEVEN = ['calculate', 'list_files', 'make_plan', 'query_table', 'read_file', 'run_javascript', 'write_file']

describe('a mission with many tools', () => {
  it('runs against the demo model', async () => {
    const demo = await startDemoModel({ delayMs: 0 })
    stops.push(() => demo.stop())
    const { used, mission, report } = await audit(demo.url)
    expect(used).toEqual(SEVEN)
    expect(mission).toMatchObject({ status: 'completed', result: { files: [{ name: 'audit.md' }] } })
    expect(report).toContain('40 invoices come to 55198.91; Huber, Wagner & Co owes 62.3 % of it.')
    expect(report).toContain('appear twice: none')
  })

  it('runs against a server that sends no usage, no ids, and text together with calls', async () => {
    const server = await replay()
    const { used, mission, report, events } = await audit(server.url)
    expect(used).toEqual(SEVEN)
    expect(mission).toMatchObject({
      status: 'completed',
      result: { text: expect.stringContaining('62.3 % of 55198.91'), files: [{ name: 'audit.md' }] },
    })
    expect(report).toContain('– äöü ✓')
    const answers = events.flatMap((event) => (event.type === 'model.answered' ? [event.data] : []))
    expect(answers.map(({ text: said }) => said)).toEqual([
      "I'll plan the audit first.",
      'Now the numbers.',
      '',
      '',
      'Let me check what I wrote.',
      expect.stringContaining('The audit is done'),
    ])
    expect(answers.every(({ usage }) => usage.estimated === true && usage.outputTokens > 0)).toBe(true)
  })

  it('sends each result back under an id of its own', async () => {
    const server = await replay()
    await audit(server.url)
    const last = server.requests.at(-1)?.messages ?? []
    const asked = last.flatMap(({ tool_calls: calls = [] }) => calls.map(({ id }) => id))
    const answered = last.flatMap(({ tool_call_id: id }) => (id === undefined ? [] : [id]))
    expect(asked).toHaveLength(9)
    expect(new Set(asked).size).toBe(asked.length)
    expect([...answered].sort()).toEqual([...asked].sort())
  })
})
