import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import {
  call,
  create,
  expectEndedJournal,
  follow,
  journalOf,
  MISSIONS,
  post,
  problem,
  reach,
  waitingForAnswer,
  withoutChange,
  type Answer,
} from './client.ts'

const FOREIGN = '0198f6a0-1234-7abc-8def-0123456789ab'
const OTHER_TENANT = '0198f6a0-0000-7abc-8def-0123456789ab'

const ABOUT = '0198f6a0-1234-7abc-8def-0123456789ac'

/** A mission that nobody moves on, at an answer of the model that asks for a call that acts once. */
const ABOUT_TO_POST = `
  with pinned as (
    insert into taskforce.profiles (tenant_id, hash, name, body)
    select p.tenant_id, 'posts', p.name, jsonb_set(p.body, '{tools,0}',
      '{"name": "post_webhook", "description": "", "parameters": {}, "effect": "once"}')
    from taskforce.profiles p join taskforce.missions m on m.profile_hash = p.hash where m.id = $2
  ), mission as (
    insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
    select $1, tenant_id, 'waiting', 'Post', profile, 'posts' from taskforce.missions where id = $2
  )
  insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
  select $1, seq, 0, v, type, case seq when 1 then jsonb_set(data, '{profile,hash}', '"posts"') else
    data || '{"toolCalls": [{"id": "c0", "name": "post_webhook", "arguments": "{}"}]}' end, tenant_id
  from taskforce.events where mission_id = $2 and seq in (1, 2, 3)`

let env: TestEnvironment
let done: MissionView
beforeAll(async () => {
  env = await startTestEnvironment()
  done = await completed()
})
afterAll(() => env.stop())

function branch(id: string, how: string, body: unknown = '', headers: Record<string, string> = {}): Promise<Answer> {
  return post(env, `${MISSIONS}/${id}/${how}`, body, headers)
}

async function completed(settings: object = {}): Promise<MissionView> {
  const { id } = await create(env, { goal: 'Say hello', ...settings })
  return reach(env, id, 'completed')
}

async function cancelled(): Promise<string> {
  const { id } = await waitingForAnswer(env)
  await post(env, `${MISSIONS}/${id}/cancel`, '')
  return id
}

function accepted(answer: Answer): MissionView {
  const mission = answer.body as MissionView
  expect([answer.status, answer.headers.get('location')]).toEqual([202, mission.links.self])
  return mission
}

describe('a branch', () => {
  test('of a completed mission is a mission of its own', async () => {
    const settings = { labels: { team: 'a' }, priority: 3, metadata: { k: 1 }, limits: { steps: 9 } }
    const parent = await completed(settings)
    const over = { content: 'Wait 0.01 seconds and say done', priority: 4, limits: { tokens: 5000 } }
    const made = accepted(await branch(parent.id, 'continue', over))
    expect(made).toMatchObject({
      goal: over.content,
      labels: { team: 'a' },
      lastSeq: 1,
      usage: { steps: 0 },
      forkedFrom: { id: parent.id, seq: 3 },
    })
    const ended = await reach(env, made.id, 'completed')
    expect(ended.result?.text).toContain('Done.')
    const [first, ...journal] = await expectEndedJournal(env, made.id)
    expect(first?.data).toMatchObject({
      ...settings,
      priority: 4,
      limits: { steps: 9, tokens: 5000 },
      forkedFrom: { id: parent.id, seq: 3 },
      said: over.content,
    })
    expect(journal[0]?.type).toBe('mission.started')
    expect(await call(env, `${MISSIONS}/${parent.id}`)).toMatchObject({ body: parent })
  })

  test('gives its own events alone, and says in the list where it comes from', async () => {
    const { id } = accepted(await branch(done.id, 'continue', { content: 'Say hello' }))
    await reach(env, id, 'completed')
    const { events } = await follow(env, `${MISSIONS}/${id}/events`)
    expect(events.map((event) => event.id)).toEqual(['1', '2', '3', '4'])
    const list = (await call(env, MISSIONS)).body as { items: MissionView[] }
    expect(list.items.find((one) => one.id === id)?.forkedFrom).toEqual({ id: done.id, seq: 3 })
  })

  test('of a cancelled mission asks its question again', async () => {
    const parent = await cancelled()
    const { id } = accepted(await branch(parent, 'retry'))
    const { questions = [] } = await reach(env, id, 'waiting')
    await post(env, `${MISSIONS}/${id}/answers`, { questionId: questions[0]?.questionId, answer: 'red' })
    expect((await reach(env, id, 'completed')).result?.text).toContain('red')
    await expectEndedJournal(env, id)
  })

  test('of a mission that waits goes on beside it, from any event', async () => {
    const { id: parent } = await waitingForAnswer(env)
    for (const seq of [1, 2, 3, 4]) {
      const { id } = accepted(await branch(parent, 'fork', { seq, content: 'Say hello' }))
      expect((await reach(env, id, 'completed')).result?.text).toContain('Hello!')
    }
    await reach(env, parent, 'waiting')
  })

  test('reads the files of its parent', async () => {
    const { id: parent } = await create(env, { goal: 'Write a file note.txt with hello' })
    await reach(env, parent, 'completed')
    const { id } = accepted(await branch(parent, 'continue', { content: 'Say hello' }))
    expect((await call(env, `${MISSIONS}/${id}/files/note.txt`)).text).toBe('hello')
  })
})

describe('is refused, and changes nothing', () => {
  test.each<[how: string, body: unknown, what: string, words: string]>([
    ['retry', '', 'completed', 'continue'],
    ['retry', '', 'waiting', 'Cancel it first'],
    ['continue', { content: 'x' }, 'waiting', 'Send it a message'],
  ])('to %s with %j a mission that is %s', async (how, body, what, words) => {
    const { id } = what === 'completed' ? done : await waitingForAnswer(env)
    const answer = await withoutChange(env, () => branch(id, how, body))
    expect(answer).toEqual(problem(409, 'illegal_state', [], words))
  })

  test('to fork, without new words, a mission that is about to act once', async () => {
    await env.owner.query(ABOUT_TO_POST, [ABOUT, done.id])
    const answer = await withoutChange(env, () => branch(ABOUT, 'fork'))
    expect(answer).toEqual(problem(409, 'illegal_state', [], 'pause it first, or give "content"'))
    accepted(await branch(ABOUT, 'fork', { content: 'Say hello' }))
  })

  test.each<[how: string, body: unknown, pointers: string[]]>([
    ['continue', '', ['/content']],
    ['continue', { content: 'x', seq: 1 }, ['/seq']],
    ['continue', { content: 'x', deadline: '2020-01-01T00:00:00Z' }, ['/deadline']],
    ['continue', { content: 'x', limits: { steps: 0 } }, ['/limits/steps']],
    ['continue', { content: 'x', labels: { k: '\0' } }, ['/labels/k']],
    ['fork', { seq: 0 }, ['/seq']],
    ['fork', { seq: 4 }, ['/seq']],
    ['fork', { seq: 1.5 }, ['/seq']],
    ['fork', '', ['/content']],
    ['fork', { seq: 3 }, ['/content']],
    ['fork', { content: '' }, ['/content']],
    ['retry', { content: 'x' }, ['/content']],
    ['retry', { profile: 'dev' }, ['/profile']],
  ])('to %s with %j', async (how, body, pointers) => {
    const answer = await withoutChange(env, () => branch(done.id, how, body))
    expect(answer).toEqual(problem(400, 'invalid_request', pointers))
  })

  test.each(['retry', 'continue', 'fork'])('to %s a mission of another tenant', async (how) => {
    await env.owner.query(
      `with tenant as (insert into taskforce.tenants (id, name) values ($2, 'other') on conflict do nothing),
         profile as (insert into taskforce.profiles (tenant_id, hash, name, body)
           values ($2, 'h', 'dev', '{}') on conflict do nothing),
         mission as (insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
           values ($1, $2, 'failed', 'secret', 'dev', 'h') on conflict do nothing)
       insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       values ($1, 1, 0, 1, 'mission.created', '{}', $2) on conflict do nothing`,
      [FOREIGN, OTHER_TENANT],
    )
    const body = how === 'continue' ? { content: 'x' } : ''
    expect(await withoutChange(env, () => branch(FOREIGN, how, body))).toEqual(problem(404, 'not_found'))
  })
})

describe('an Idempotency-Key of a branch', () => {
  test('makes one mission of ten requests at once', async () => {
    const parent = await cancelled()
    const headers = { 'idempotency-key': 'ten-at-once' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => branch(parent, 'retry', '', headers)))
    expect(new Set(answers.map((answer) => accepted(answer).id)).size).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(9)
  })

  test('does not take another route, another mission or another body', async () => {
    const headers = { 'idempotency-key': 'one-branch' }
    const body = { content: 'Say hello' }
    const { id } = accepted(await branch(done.id, 'continue', body, headers))
    await reach(env, id, 'completed')
    for (const other of [
      () => branch(done.id, 'fork', body, headers),
      () => branch(id, 'continue', body, headers),
      () => branch(done.id, 'continue', { content: 'Say hello ' }, headers),
      () => post(env, MISSIONS, { goal: 'Say hello' }, headers),
    ]) {
      expect(await withoutChange(env, other)).toEqual(problem(422, 'idempotency_conflict'))
    }
  })

  test('stays free when its request was refused', async () => {
    const headers = { 'idempotency-key': 'refused-branch' }
    expect((await branch(done.id, 'retry', '', headers)).status).toBe(409)
    expect((await journalOf(env, done.id)).length).toBe(4)
    accepted(await branch(done.id, 'continue', { content: 'Say hello' }, headers))
  })
})
