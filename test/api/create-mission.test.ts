import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { call, create, problem, journalOf, MISSIONS, post, reach, withoutChange } from './client.ts'

const MIB = 1024 * 1024

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

/** JSON text with `levels` objects around a number. */
function nested(levels: number): string {
  return '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
}

function numbered<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function withFile(name: string, content = 'x', encoding?: string): object {
  return { goal: 'Say hello', files: [{ name, content, encoding }] }
}

describe('a request that is not valid is refused by name, and changes nothing', () => {
  const invalid: [what: string, body: unknown, ...pointers: string[]][] = [
    ['no body', ''],
    ['no JSON', '{"goal":'],
    ['nesting of 33 levels', `{"goal":"x","metadata":${nested(32)}}`],
    ['a thousand open brackets', '['.repeat(1000)],
    ['an array', [], ''],
    ['null', null, ''],
    ['neither goal nor messages', {}, '/goal'],
    ['both goal and messages', { goal: 'x', messages: [{ role: 'user', content: 'x' }] }, '/goal'],
    ['wrong types', { goal: 1, labels: [], files: {}, priority: '1' }, '/goal', '/labels', '/files', '/priority'],
    ['an unknown member', { goal: 'x', tenantId: 'other', 'a/b~c': 1 }, '/tenantId', '/a~1b~0c'],
    ['an unknown member of a member', { goal: 'x', limits: { stepz: 1 } }, '/limits/stepz'],
    ['an empty goal', { goal: ' \n' }, '/goal'],
    ['a goal over 32 KiB', { goal: 'x'.repeat(32 * 1024 + 1) }, '/goal'],
    ['a goal over 32 KiB in bytes alone', { goal: 'é'.repeat(16 * 1024 + 1) }, '/goal'],
    ['U+0000 in a goal', { goal: 'a\0b' }, '/goal'],
    ['half a surrogate pair in a goal', { goal: 'a\ud800' }, '/goal'],
    ['messages that end with the assistant', { messages: [{ role: 'assistant', content: 'x' }] }, '/messages'],
    ['a message of the system', { messages: [{ role: 'system', content: 'x' }] }, '/messages/0/role'],
    ['21 files', { goal: 'x', files: numbered(21, (n) => ({ name: `${n}`, content: '' })) }, '/files'],
    [
      'a file where another has a folder',
      { goal: 'x', files: numbered(2, (n) => ({ name: n === 0 ? 'a' : 'a/b', content: '' })) },
      '/files',
    ],
    ['two files of one name', { goal: 'x', files: numbered(2, () => ({ name: 'a', content: '' })) }, '/files'],
    ['no base64', withFile('a', 'a?b=', 'base64'), '/files/0/content'],
    ['base64 that was cut', withFile('a', 'YWJ', 'base64'), '/files/0/content'],
    ['half a surrogate pair in a file', withFile('a', '\udfff'), '/files/0/content'],
    ['an unknown encoding', withFile('a', 'x', 'utf16'), '/files/0/encoding'],
    ['33 labels', { goal: 'x', labels: Object.fromEntries(numbered(33, (n) => [`k${n}`, ''])) }, '/labels'],
    ['a label name of 65 characters', { goal: 'x', labels: { ['k'.repeat(65)]: '' } }, `/labels/${'k'.repeat(65)}`],
    ['a label of 257 characters', { goal: 'x', labels: { k: 'v'.repeat(257) } }, '/labels/k'],
    ['U+0000 in a label', { goal: 'x', labels: { k: '\0' } }, '/labels/k'],
    ['U+0000 in metadata', { goal: 'x', metadata: { a: [{ b: '\0' }] } }, '/metadata/a'],
    ['a deadline that has passed', { goal: 'x', deadline: '2020-01-01T00:00:00Z' }, '/deadline'],
    ['a deadline that is no time', { goal: 'x', deadline: 'tomorrow' }, '/deadline'],
    [
      'limits of 0',
      { goal: 'x', limits: { steps: 0, tokens: 0, wallMs: 0 } },
      '/limits/steps',
      '/limits/tokens',
      '/limits/wallMs',
    ],
    ['a negative cost', { goal: 'x', limits: { costUsd: '-1' } }, '/limits/costUsd'],
    ['money as a number', { goal: 'x', limits: { costUsd: 1 } }, '/limits/costUsd'],
    ['a __proto__ member', '{"goal":"x","__proto__":{"profile":"production"}}', '/__proto__'],
    ['a __proto__ label', '{"goal":"x","labels":{"__proto__":"x"}}', '/labels/__proto__'],
    ['a __proto__ deep in metadata', '{"goal":"x","metadata":{"a":[{"__proto__":1}]}}', '/metadata/a/0/__proto__'],
    ['forged headers of the platform', { goal: 'x', Headers: { Authorization: 'Bearer x' } }, '/Headers'],
  ]
  test.each(invalid)('%s', async (_what, body, ...pointers) => {
    expect(await withoutChange(env, () => post(env, MISSIONS, body))).toEqual(problem(400, 'invalid_request', pointers))
  })

  test.each([
    '../a',
    '/a',
    'a/../b',
    'a//b',
    'a/',
    '.env',
    'a/.env',
    '..',
    '',
    'a\\b',
    'a\nb',
    'a\u2028b',
    'x'.repeat(201),
  ])('the file name %j', async (name) => {
    const answer = await withoutChange(env, () => post(env, MISSIONS, withFile(name)))
    expect(answer).toEqual(problem(400, 'invalid_request', ['/files/0/name']))
  })

  test('bytes that are no UTF-8', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])
    const answer = await withoutChange(env, () => call(env, MISSIONS, { method: 'POST', body }))
    expect(answer).toEqual(problem(400, 'invalid_request', [], 'UTF-8'))
  })

  test.each(['nobody', 'constructor', '../dev', ''])('the profile %j, which is not there', async (profile) => {
    const answer = await withoutChange(env, () => post(env, MISSIONS, { goal: 'x', profile }))
    expect(answer).toEqual(problem(400, profile === '' ? 'invalid_request' : 'unknown_profile', ['/profile']))
  })

  test.each(['', 'a b', 'é', 'a,b', 'x'.repeat(256), '"a"b c"'])('the Idempotency-Key %j', async (key) => {
    const headers = { 'idempotency-key': key }
    const answer = await withoutChange(env, () => post(env, MISSIONS, { goal: 'x' }, headers))
    expect(answer).toEqual(problem(400, 'invalid_request', [], 'Idempotency-Key'))
  })

  test('two Idempotency-Key headers', async () => {
    const status = await withoutChange(env, () => rawPost(['idempotency-key: a', 'idempotency-key: b']))
    expect(status).toBe(400)
  })
})

/** Sends header lines as they are; fetch would join two of one name. */
function rawPost(headers: string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const lines = headers.flatMap((line) => line.split(': '))
    const host = new URL(env.url).host
    const sent = request(env.url + MISSIONS, { method: 'POST', headers: ['host', host, ...lines] }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end('{"goal":"Say hello"}')
  })
}

describe('a request that is too large is refused, and changes nothing', () => {
  test('a file of 8 MiB and a byte, as text and as base64', async () => {
    const bytes = Buffer.alloc(8 * MIB + 1, 'x')
    for (const encoding of ['utf8', 'base64'] as const) {
      const body = withFile('a.csv', bytes.toString(encoding), encoding)
      const answer = await withoutChange(env, () => post(env, MISSIONS, body))
      expect(answer).toEqual(problem(413, 'too_large', ['/files/0/content'], 'a.csv'))
    }
  })

  test('a body over 12 MiB that says its length', async () => {
    const answer = await withoutChange(env, () => post(env, MISSIONS, { goal: 'x'.repeat(12 * MIB) }))
    expect(answer).toEqual(problem(413, 'too_large', [], '12 MiB'))
  })

  test('a body over 12 MiB that comes in chunks', async () => {
    async function* body() {
      for (let i = 0; i < 13; i++) yield Buffer.alloc(MIB, ' ')
    }
    const init = { method: 'POST', body: body(), duplex: 'half' } as unknown as RequestInit
    expect(await withoutChange(env, () => call(env, MISSIONS, init))).toEqual(problem(413, 'too_large'))
  })
})

describe('a mission that is accepted', () => {
  test('is answered with 202, its address and links', async () => {
    const answer = await post(env, MISSIONS, { goal: 'Say hello', labels: { team: 'a' } })
    const mission = answer.body as MissionView
    const self = `${MISSIONS}/${mission.id}`
    expect(answer.status).toBe(202)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      location: self,
      'operation-location': self,
      'retry-after': '2',
    })
    expect(answer.headers.has('idempotent-replayed')).toBe(false)
    expect(mission).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      status: expect.toBeOneOf(['queued', 'running']),
      goal: 'Say hello',
      profile: 'dev',
      labels: { team: 'a' },
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      usage: { steps: 0, inputTokens: 0, outputTokens: 0, costUsd: '0' },
      lastSeq: expect.any(Number),
      links: { self, events: `${self}/events`, cancel: `${self}/cancel`, answers: `${self}/answers` },
    })
    expect(await reach(env, mission.id, 'completed')).toMatchObject({
      result: { text: expect.stringMatching(/^Hello!/) },
    })
  })

  test('has everything that was sent in its first event, and its files by their hash', async () => {
    const bytes = Buffer.from([0, 255, 10, 13])
    const { id } = await create(env, {
      messages: [
        { role: 'assistant', content: 'What now?' },
        { role: 'user', content: 'Say hello' },
      ],
      profile: 'staging',
      files: [
        { name: 'dir/naïve name.txt', content: 'a\0b' },
        { name: 'b.bin', content: bytes.toString('base64'), encoding: 'base64' },
      ],
      labels: { constructor: 'x' },
      limits: { steps: 7 },
      deadline: '2999-01-01T00:00:00+01:00',
      priority: -5,
      metadata: { ticket: { n: [1, null] } },
    })
    const [first] = await journalOf(env, id)
    const file = (name: string, content: Buffer) => {
      return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
    }
    expect(first).toMatchObject({
      seq: 1,
      type: 'mission.created',
      data: {
        messages: [{ role: 'assistant' }, { role: 'user', content: 'Say hello' }],
        profile: { name: 'staging' },
        files: [file('dir/naïve name.txt', Buffer.from('a\0b')), file('b.bin', bytes)],
        labels: { constructor: 'x' },
        limits: { steps: 7, tokens: 2_000_000, costUsd: '5.00' },
        deadline: '2998-12-31T23:00:00.000Z',
        priority: -5,
        metadata: { ticket: { n: [1, null] } },
      },
    })
  })

  test('may be as large as the limits say', async () => {
    const { id } = await create(env, {
      goal: 'é'.repeat(16 * 1024),
      files: [{ name: 'x'.repeat(200), content: Buffer.alloc(8 * MIB, 'x').toString('base64'), encoding: 'base64' }],
      labels: Object.fromEntries(numbered(32, (n) => [`${n}`.padStart(64, 'k'), 'v'.repeat(256)])),
      metadata: JSON.parse(nested(31)) as object,
    })
    const [first] = await journalOf(env, id)
    expect(first).toMatchObject({
      data: { messages: [{ content: 'é'.repeat(16 * 1024) }], files: [{ bytes: 8 * MIB }] },
    })
  })
})

describe('an Idempotency-Key', () => {
  test('makes one mission of 50 requests at once (F51)', async () => {
    const before = await env.snapshot()
    const headers = { 'idempotency-key': 'fifty-at-once' }
    const answers = await Promise.all(numbered(50, () => post(env, MISSIONS, { goal: 'Say hello' }, headers)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(new Set(answers.map((answer) => (answer.body as MissionView).id)).size).toBe(1)
    expect(new Set(answers.map((answer) => answer.headers.get('location'))).size).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(49)
    const after = await env.snapshot()
    expect([after.missions - before.missions, after.keys - before.keys]).toEqual([1, 1])
  })

  test('is the same with and without quotes', async () => {
    const bare = await create(env, { goal: 'Say hello' }, { 'idempotency-key': 'quoted' })
    const quoted = await post(env, MISSIONS, { goal: 'Say hello' }, { 'idempotency-key': '"quoted"' })
    expect(quoted.headers.get('idempotent-replayed')).toBe('true')
    expect((quoted.body as MissionView).id).toBe(bare.id)
  })

  test('does not take another body', async () => {
    const { id } = await create(env, { goal: 'Say hello' }, { 'idempotency-key': 'other-body' })
    await reach(env, id, 'completed')
    const headers = { 'idempotency-key': 'other-body' }
    const answer = await withoutChange(env, () => post(env, MISSIONS, { goal: 'Say hello ' }, headers))
    expect(answer).toEqual(problem(422, 'idempotency_conflict'))
  })

  test('stays free when its request was refused', async () => {
    const headers = { 'idempotency-key': 'refused-first' }
    expect(await post(env, MISSIONS, { goal: 'Say hello', profile: 'nobody' }, headers)).toEqual(
      problem(400, 'unknown_profile', ['/profile']),
    )
    const answer = await post(env, MISSIONS, { goal: 'Say hello' }, headers)
    expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([202, null])
  })

  test('gives the mission also after the deadline in its request', async () => {
    const headers = { 'idempotency-key': 'late-repeat' }
    const deadline = Date.now() + 1000
    const body = { goal: 'Say hello', deadline: new Date(deadline).toISOString() }
    const { id } = await create(env, body, headers)
    await sleep(deadline - Date.now() + 50)
    const again = await post(env, MISSIONS, body, headers)
    expect([again.status, (again.body as MissionView).id]).toEqual([202, id])
  })
})
