import { expect, it } from 'vitest'
import { DEFAULT_TENANT } from '../../../src/missions/context.ts'
import { Blocked, type Session } from '../backend.ts'
import { MemoryBackend, type Commit } from './backend.ts'

const ID = '00000000-0000-7000-8a00-000000000001'
const BEGIN = `begin; select set_config('role', 'taskforce_api', true), set_config('app.tenant', '${DEFAULT_TENANT}', true)`
const one: Session = { id: 1, pool: 'api' }
const other: Session = { id: 2, pool: 'api' }
const engine: Session = { id: 3, pool: 'engine' }

function create(backend: MemoryBackend): void {
  const values = [ID, DEFAULT_TENANT, 'x', 'dev', 'h', '{}', 0, '{}', null, null, null]
  backend.execute(one, { text: BEGIN }, 1)
  backend.execute(one, { name: 'insert_mission', text: '', values }, 2)
  backend.execute(one, { name: 'record_creation', text: '', values: [ID, ['mission.created'], ['{"a":1}']] }, 3)
  backend.execute(one, { text: 'commit' }, 4)
}

it('tells of each commit what it has changed, and of no other one', () => {
  const commits: Commit[] = []
  const backend = new MemoryBackend({ onCommit: (commit) => commits.push(commit) })
  create(backend)
  backend.execute(engine, { name: 'claim_missions', text: '', values: [ID, 1, [], []] }, 5)
  backend.execute(engine, { name: 'find_due', text: '', values: [65, 1] }, 6)
  backend.execute(one, { text: BEGIN }, 7)
  backend.execute(one, { name: 'wake_mission', text: '', values: [ID] }, 7)
  backend.execute(one, { text: 'rollback' }, 8)
  expect(commits).toMatchObject([
    {
      session: one,
      at: 4,
      missions: [{ before: undefined, after: { id: ID, epoch: 0 } }],
      events: [{ seq: 1, at: 3 }],
    },
    {
      session: engine,
      statement: 'claim_missions',
      at: 5,
      missions: [{ before: { epoch: 0 }, after: { epoch: 1 } }],
      events: [{ seq: 2 }],
    },
  ])
})

it('gives rows that nobody can change', () => {
  const backend = new MemoryBackend()
  create(backend)
  const read = () => backend.execute(engine, { name: 'read_events', text: '', values: [ID, 0, null] }, 5).rows
  const [row] = read() as { data: { a: number } }[]
  if (row !== undefined) row.data.a = 2
  expect(read()).toMatchObject([{ data: { a: 1 } }])
})

it('has done nothing where it is blocked, and lets go when a connection or a statement is given up', () => {
  const backend = new MemoryBackend()
  create(backend)
  const wake = (session: Session) => backend.execute(session, { name: 'wake_mission', text: '', values: [ID] }, 5)
  for (const session of [one, other]) backend.execute(session, { text: BEGIN }, 5)
  wake(one)
  expect(() => wake(other)).toThrow(Blocked)
  backend.disconnect(one)
  wake(other)
  backend.abort(other)
  expect(() => wake(other)).toThrow('current transaction is aborted')
  backend.execute(other, { text: 'commit' }, 6)
  expect(backend.snapshot().missions).toMatchObject([{ inbox: 0 }])
})

it('refuses what it does not know by name', () => {
  const backend = new MemoryBackend()
  expect(() => backend.execute(engine, { text: 'select 1' }, 1)).toThrow('has none: select 1')
  expect(() => backend.execute(engine, { name: 'list_missions', text: '' }, 1)).toThrow('no statement with the name')
})
