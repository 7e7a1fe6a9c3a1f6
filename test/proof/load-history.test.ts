import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createWorld, say, type World } from '../support/engine.ts'
import { planned, plannedTools, goalOf, type Ledger } from './agent.ts'
import { check } from './check.ts'
import type { ToolRun } from './history.ts'
import { loadHistory, readLedger } from './load-history.ts'

describe('a history', () => {
  let world: World
  afterEach(() => world.stop())

  const now = () => performance.now()
  const nothing = { toolRuns: [], requests: [], reads: [], faults: [], poisoned: 0, healedAt: 0 }

  it('is loaded from the database, and breaks no rule', async () => {
    const toolRuns: ToolRun[] = []
    const ledger: Ledger = {
      instance: '',
      now,
      sleep: async () => undefined,
      begin: () => undefined,
      end: (run) => void toolRuns.push({ ...run, instance: engine.instance }),
    }
    world = await createWorld([...plannedTools(ledger).values()])
    const engine = world.engine({ model: planned })
    const plan = [
      [
        { tool: 'look', ms: 1 },
        { tool: 'put', ms: 1 },
        { tool: 'act', ms: 1 },
      ],
      [{ tool: 'ask', question: '?' }],
    ] as const
    const ids = [
      await world.create(goalOf([[...plan[0]], []])),
      await world.create(goalOf([[...plan[0]], [...plan[1]]])),
    ]
    await engine.run()
    const requests = ids.map((missionId) => {
      return {
        kind: 'create' as const,
        missionId,
        tenantId: world.caller.tenantId,
        outcome: 'accepted' as const,
        at: now(),
      }
    })
    const claims = [...world.effects.claims.keys()]
    const history = await loadHistory(world.database.ownerUrl, {
      ...nothing,
      toolRuns,
      requests,
      claims,
      endedAt: now(),
    })
    expect(history.missions.map(({ status }) => status).toSorted()).toEqual(['completed', 'waiting'])
    expect(history.living).toEqual([engine.instance])
    expect(history.events.map(({ missionId, seq }) => [missionId, seq])).toEqual(
      history.missions.flatMap(({ id }) => history.events.filter((e) => e.missionId === id).map((_, n) => [id, n + 1])),
    )
    expect(history.claims).toHaveLength(2)
    expect(history.missions.every(({ wakeAt }) => wakeAt === null || wakeAt > history.databaseNow)).toBe(true)
    expect(check(history, { deep: true })).toEqual([])
    // The very history without one of its events.
    history.events.splice(3, 1)
    expect(check(history).map(({ invariant }) => invariant)).toContain('I5')
  })

  it('is what the engine reads, to the millisecond', async () => {
    world = await createWorld()
    const id = await world.create()
    await world.engine({ model: () => say('Done') }).run()
    const { events, missions } = await loadHistory(world.database.ownerUrl, { ...nothing, claims: [], endedAt: 0 })
    const engines = (await world.events(id)).map((event) => ({ ...event, at: Math.trunc(event.at) }))
    expect(events.map(({ seq, epoch, type, data, at }) => ({ seq, epoch, type, data, at }))).toEqual(engines)
    expect(missions).toMatchObject([{ id, owner: null, wakeAt: null, forkedFrom: null, inbox: 0 }])
  })
})

describe('a ledger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'))
  const file = join(folder, 'ledger.jsonl')
  afterEach(() => rmSync(file, { force: true }))
  afterAll(() => rmSync(folder, { recursive: true }))

  const begin: ToolRun = { missionId: 'm', key: '3.0', tool: 'act', effect: 'once', instance: 'i', begunAt: 1 }
  const end: ToolRun = { ...begin, endedAt: 2, outcome: 'done' }
  const kill = { kind: 'kill', at: 3, instance: 'i', owned: [{ missionId: 'm', epoch: 1 }] }
  const write = (...lines: object[]) => writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

  it('gives runs with their ends, runs without, and faults', () => {
    const other = { ...begin, key: '4.0' }
    write({ begin }, { begin: other }, { end }, { fault: kill })
    expect(readLedger(file)).toEqual({ toolRuns: [end, other], faults: [kill] })
  })

  it('tells two runs of one millisecond apart', () => {
    write({ begin }, { end: { ...end, outcome: 'failed' } }, { begin }, { end }, { begin })
    expect(readLedger(file).toolRuns).toEqual([{ ...end, outcome: 'failed' }, end, begin])
  })

  it('leaves out a last line that was cut', () => {
    writeFileSync(file, `${JSON.stringify({ begin })}\n${JSON.stringify({ end }).slice(0, -5)}`)
    expect(readLedger(file).toolRuns).toEqual([begin])
  })

  it('reads on where another process wrote behind a cut line', () => {
    writeFileSync(file, `${JSON.stringify({ begin }).slice(0, -5)}${JSON.stringify({ begin })}\n`)
    expect(readLedger(file).toolRuns).toEqual([begin])
  })

  it('is empty where nothing was written', () => {
    expect(readLedger(file)).toEqual({ toolRuns: [], faults: [] })
  })

  it.each(['{"begun": {}}', '{"begin": {"missionId": "m"}}', 'x', ''])('refuses the line %j', (line) => {
    writeFileSync(file, `${line}\n${JSON.stringify({ begin })}\n`)
    expect(() => readLedger(file)).toThrow(/Line 1 of .*ledger.jsonl/)
  })
})
