import { createHash, createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import {
  call,
  create,
  problem,
  MISSIONS,
  post,
  reach,
  read,
  withoutChange,
  type Answer,
  type ProblemBody,
} from './client.ts'

interface Page {
  items: MissionView[]
  nextCursor: string | null
}

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

/** Every route of one mission. */
const ROUTES: [method: 'GET' | 'POST', path: string, body?: object][] = [
  ['GET', ''],
  ['GET', '/events'],
  ['GET', '/files'],
  ['GET', '/files/a.csv'],
  ['POST', '/cancel'],
  ['POST', '/answers', { questionId: 'q1', answer: 1 }],
]

function ask(id: string, [method, path, body]: (typeof ROUTES)[number]): Promise<Answer> {
  const target = `${MISSIONS}/${id}${path}`
  return method === 'GET' ? call(env, target) : post(env, target, body ?? '{}')
}

describe('a mission that is not there', () => {
  test.each(ROUTES)('is a 404 of the same bytes whatever the id: %s %s', async (...route) => {
    const answers = await withoutChange(env, () =>
      Promise.all([randomUUID(), randomUUID()].map((id) => ask(id, route))),
    )
    const bodies = answers.map((answer) => {
      expect(answer).toEqual(problem(404, 'not_found'))
      return answer.text.replace((answer.body as ProblemBody).instance, '')
    })
    expect(bodies[0]).toBe(bodies[1])
  })

  test.each(ROUTES)('is a 404 for what is no id: %s %s', async (...route) => {
    for (const id of ['nope', '1', `${randomUUID()}0`, '%00', "'"]) {
      const target = `${env.url}${MISSIONS}/${id}${route[1]}`
      const response = await fetch(target, { method: route[0], ...(route[0] === 'POST' ? { body: '{}' } : {}) })
      expect([id, response.status, await response.text()]).toEqual([id, 404, ''])
    }
  })
})

describe('a mission by its id', () => {
  test('is found in every form that the platform takes for an id', async () => {
    const { id } = await create(env, { goal: 'Say hello' })
    await reach(env, id, 'completed')
    for (const form of [id.toUpperCase(), `{${id}}`, `(${id})`, id.replaceAll('-', '')]) {
      expect((await read(env, form)).links.self).toBe(`${MISSIONS}/${id}`)
    }
  })

  test('is not sent again to who has it already', async () => {
    const { id } = await create(env, { goal: 'Say hello' })
    await reach(env, id, 'completed')
    const path = `${MISSIONS}/${id}`
    const first = await call(env, path)
    const etag = first.headers.get('etag') ?? ''
    expect([first.status, etag]).toEqual([200, expect.stringMatching(/^"[^"]+"$/)])
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await call(env, path, { headers: { 'if-none-match': known } })
      expect([known, again.status, again.headers.get('etag'), again.text]).toEqual([known, 304, etag, ''])
    }
    for (const other of ['"other"', etag.slice(1, -1)]) {
      expect((await call(env, path, { headers: { 'if-none-match': other } })).text).toBe(first.text)
    }
  })

  test('has another tag with every event', async () => {
    const { id } = await create(env, { goal: 'Ask me for my favourite colour' })
    const { questions } = await reach(env, id, 'waiting')
    const tag = async () => (await call(env, `${MISSIONS}/${id}`)).headers.get('etag')
    const before = await tag()
    await post(env, `${MISSIONS}/${id}/answers`, { questionId: questions?.[0]?.questionId, answer: 'red' })
    await reach(env, id, 'completed')
    expect(await tag()).not.toBe(before)
  })
})

describe('the list of missions', () => {
  const ids: string[] = []
  beforeAll(async () => {
    for (let i = 0; i < 7; i++) {
      const goal = i === 3 ? 'Ask me for my favourite colour' : 'Say hello'
      ids.unshift((await create(env, { goal, labels: { list: 'yes', odd: `${i % 2}`, 'ä=b': 'x' } })).id)
    }
    await Promise.all(ids.map((id) => reach(env, id, 'completed', 'waiting')))
  })

  const list = async (query: string) => (await call(env, `${MISSIONS}?label=list=yes&${query}`)).body as Page

  test('comes in pages, newest first, each mission once', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const { items, nextCursor } = await list(`limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      expect(items.length).toBe(nextCursor === null ? 1 : 3)
      seen.push(...items.map(({ id }) => id))
      cursor = nextCursor
    }
    expect(seen).toEqual(ids)
  })

  test('has no next page where the page is exactly full', async () => {
    expect(await list('limit=7')).toMatchObject({ items: { length: 7 }, nextCursor: null })
  })

  test('shows a mission as GET shows it, but for its open questions', async () => {
    for (const item of (await list('')).items) {
      const { questions: _, ...whole } = await read(env, item.id)
      expect(item).toEqual(whole)
    }
  })

  test('is filtered by status and by labels', async () => {
    const found = async (query: string) => (await list(query)).items.map(({ id }) => ids.indexOf(id))
    expect(await found('status=waiting')).toEqual([3])
    expect(await found('label=odd=1')).toEqual([1, 3, 5])
    expect(await found('label=odd=1&status=completed')).toEqual([1, 5])
    expect(await found('label=odd=2')).toEqual([])
    expect(await found(`label=${encodeURIComponent('odd=')}`)).toEqual([])
  })

  test.each([
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=', '/limit'],
    ['limit=1e1', '/limit'],
    ['status=done', '/status'],
    ['label=a', '/label/1'],
    ['label==a', '/label/1'],
    ['label=a%00%3Db', '/label/1'],
    ['Headers=x', '/Headers'],
    ['cursor=x', '/cursor'],
    [`cursor=${'x'.repeat(501)}`, '/cursor'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(await call(env, `${MISSIONS}?label=list=yes&${query}`)).toEqual(problem(400, 'invalid_request', [pointer]))
  })

  test('refuses a cursor of another list, and one that was changed', async () => {
    const { nextCursor } = await list('limit=2')
    const [position = '', seal = ''] = nextCursor?.split('.') ?? []
    const other = Buffer.from(JSON.stringify(['2026-01-01 00:00:00+00', ids[0]])).toString('base64url')
    const queries = [
      `${MISSIONS}?cursor=${nextCursor}`,
      `${MISSIONS}?label=list=yes&status=waiting&cursor=${nextCursor}`,
      ...[`${other}.${seal}`, `${position}.${seal.slice(0, -1)}`, `${position}.`, `${nextCursor}.x`].map(
        (cursor) => `${MISSIONS}?label=list=yes&cursor=${cursor}`,
      ),
    ]
    for (const query of queries) expect(await call(env, query)).toEqual(problem(400, 'invalid_request', ['/cursor']))
  })

  test.each([['no JSON'], ['[]'], ['["now","x"]'], [`["2026-02-30 00:00:00+00","${DEFAULT_TENANT}"]`]])(
    'refuses the forged position %s under a seal that is right',
    async (position) => {
      const payload = Buffer.from(position).toString('base64url')
      const bound = JSON.stringify([DEFAULT_TENANT, null, null])
      const seal = createHmac('sha256', bound).update(payload).digest('base64url').slice(0, 22)
      const answer = await call(env, `${MISSIONS}?cursor=${payload}.${seal}`)
      expect(answer).toEqual(problem(400, 'invalid_request', ['/cursor']))
    },
  )
})

describe('the files of a mission', () => {
  const given = [
    ['a.csv', 'customer,amount\n'],
    ['dir/sub dir/b?c#d%2F.txt', '<script>'],
    ["it's (1)*.txt", ''],
    ['naïve 日本.md', '\r\n'],
  ] as const
  let id = ''
  beforeAll(async () => {
    const files = given.map(([name, content]) => ({ name, content }))
    id = (await create(env, { goal: 'Write a file out/made.txt with made here', files })).id
    await reach(env, id, 'completed')
  })

  test('are listed with size and hash, those that the agent wrote too', async () => {
    const all = [...given, ['out/made.txt', 'made here']] as const
    const items = all.map(([name, content]) => ({
      name,
      bytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    }))
    const { items: listed } = (await call(env, `${MISSIONS}/${id}/files`)).body as { items: { name: string }[] }
    expect(listed.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(items.sort((a, b) => (a.name < b.name ? -1 : 1)))
  })

  test.each([
    ['a.csv', 'a.csv', given[0][1]],
    ['dir/sub%20dir/b%3Fc%23d%252F.txt', 'b%3Fc%23d%252F.txt', given[1][1]],
    ['dir%2Fsub%20dir%2Fb%3Fc%23d%252F.txt', 'b%3Fc%23d%252F.txt', given[1][1]],
    ["it's%20(1)*.txt", 'it%27s%20%281%29%2A.txt', given[2][1]],
    ['na%C3%AFve%20%E6%97%A5%E6%9C%AC.md', 'na%C3%AFve%20%E6%97%A5%E6%9C%AC.md', given[3][1]],
    ['out/made.txt', 'made.txt', 'made here'],
  ])('%s is a download, never a page', async (path, saved, content) => {
    const answer = await call(env, `${MISSIONS}/${id}/files/${path}`)
    expect([answer.status, answer.text]).toEqual([200, content])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${saved}`,
      'x-content-type-options': 'nosniff',
    })
  })

  test.each(['b.csv', 'made.txt', 'dir', 'A.CSV', '%00', '%FF', '..%2Fa.csv', 'dir/', '%2Fetc%2Fpasswd'])(
    '%s is not there',
    async (name) => {
      expect(await call(env, `${MISSIONS}/${id}/files/${name}`)).toEqual(problem(404, 'not_found'))
    },
  )
})
