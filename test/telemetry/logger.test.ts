import { describe, expect, test } from 'vitest'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { inInvocation } from '../../src/telemetry/invocation.ts'
import { createLogger, scrubber } from '../../src/telemetry/logger.ts'

const KNOWN = 'known-secret-of-this-process'
const RANDOM = 'q7Zt3Lw9Xv5Bn1Mk8Rj4Hd6Ys2Gc0Pf'

function capture(level = 'debug') {
  const lines: string[] = []
  const logger = createLogger({ level, secrets: [KNOWN], destination: { write: (line) => void lines.push(line) } })
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('the scrubber', () => {
  const scrub = scrubber([KNOWN, 'short', 'his "quoted" \\key'])

  test.each([
    ['a key that the process knows', `failed with ${KNOWN}!`, 'failed with [redacted]!'],
    ['the same twice', `${KNOWN} ${KNOWN}`, '[redacted] [redacted]'],
    ['a bearer token', `authorization: Bearer ${RANDOM}==, next`, 'authorization: [redacted], next'],
    ['a bearer token in lower case', `"bearer ${RANDOM}"`, '"[redacted]"'],
    ["OpenAI's key", `key sk-proj-${RANDOM} is wrong`, 'key [redacted] is wrong'],
    ['our own key', `key tf_live_${RANDOM}.`, 'key [redacted].'],
    ['a JWT', `token eyJhbGciOiJI.eyJzdWIiOiIx.${RANDOM} expired`, 'token [redacted] expired'],
    ['a storage key', `AccountName=a;AccountKey=${RANDOM}+/==;Suffix`, 'AccountName=a;AccountKey=[redacted];Suffix'],
    ['a SAS', `https://a.blob/b?sv=1&sig=${RANDOM}%3D&se=2`, 'https://a.blob/b?sv=1&sig=[redacted]&se=2'],
    ['the password of a URL', 'at postgresql://me:p%40ss@host:5432/db', 'at postgresql://me:[redacted]@host:5432/db'],
    [
      'what follows a line break in JSON',
      `{"a":"1\\nBearer ${RANDOM}\\tsk-${RANDOM}"}`,
      '{"a":"1\\n[redacted]\\t[redacted]"}',
    ],
    ['a known key as JSON writes it', '{"a":"his \\"quoted\\" \\\\key"}', '{"a":"[redacted]"}'],
    ['the password of any scheme', 'amqps://u:pw-1@h', 'amqps://u:[redacted]@h'],
  ])('takes out %s', (_what, text, clean) => {
    expect(scrub(text)).toBe(clean)
  })

  test.each([
    'a bearer of bad news',
    'the task-force is short',
    'http://localhost:7071/api/v1/missions?after=1',
    'https://host:443/a@b',
    'design=1&sig=',
    '01999999-9999-7999-8999-000000000001',
    '{"event":"agent.model.answered","durationMs":12}',
  ])('leaves %j as it is', (text) => {
    expect(scrub(text)).toBe(text)
  })

  test('searches a long line in time that grows with its length', () => {
    const line = `${'a:'.repeat(50_000)}${'://u:'.repeat(20_000)}${'eyJ'.repeat(20_000)}${'Bearer '.repeat(20_000)}`
    expect(scrub(line)).toHaveLength(line.length)
  })
})

describe('a log line', () => {
  test('is JSON with event, level as a word and timestamp', () => {
    const { logger, lines, parsed } = capture()
    logger.warn({ n: 1 }, 'engine.test')
    expect(lines[0]).toMatch(/^\{.*\}\n$/)
    expect(parsed()).toEqual([
      { event: 'engine.test', level: 'warn', n: 1, timestamp: expect.stringMatching(/^\d{4}-.*T.*\.\d{3}Z$/) },
    ])
  })

  test('names the mission as session_id, its tenant and its profile', () => {
    const { logger, parsed } = capture()
    const about = { missionId: 'm1', tenantId: 't1', profile: 'dev' }
    createTelemetry(logger).missionAccepted({ ...about, goal: 'the words of the goal' })
    expect(parsed()[0]).toMatchObject({
      event: 'agent.mission.accepted',
      level: 'info',
      session_id: 'm1',
      tenant: 't1',
      profile: 'dev',
    })
  })

  test('names the invocation that it belongs to, and none where it is the process that speaks', async () => {
    const { logger, parsed } = capture()
    const telemetry = createTelemetry(logger)
    const traceParent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await inInvocation({ invocationId: 'i1', traceParent }, async () => {
      await Promise.resolve()
      telemetry.poisoned({ message: 'torn' })
      telemetry.heartbeatFailed(new Error('late'))
      telemetry.leaseLost({ missionId: 'm2' })
    })
    telemetry.leaseLost({ missionId: 'm1' })
    const [inside, heartbeat, next, outside] = parsed()
    expect(inside).toMatchObject({ invocationId: 'i1', traceId: '0af7651916cd43dd8448eb211c80319c' })
    expect(next).toMatchObject({ invocationId: 'i1', session_id: 'm2' })
    expect(next).not.toHaveProperty('message')
    expect(heartbeat).not.toHaveProperty('invocationId')
    expect(outside).not.toHaveProperty('invocationId')
  })

  test("has the goal's text only at debug", () => {
    const about = { missionId: 'm1', goal: 'the words of the goal' }
    const debug = capture('debug')
    createTelemetry(debug.logger).missionAccepted(about)
    expect(debug.parsed().at(-1)).toMatchObject({ level: 'debug', session_id: 'm1', mission: about.goal })
    const info = capture('info')
    createTelemetry(info.logger).missionAccepted(about)
    expect(info.lines.join('')).not.toContain(about.goal)
    expect(info.lines).toHaveLength(1)
  })

  test('stays one line of JSON when a secret is taken out of an error, its stack and its fields', () => {
    const { logger, lines, parsed } = capture()
    const error = new Error(`no login with postgresql://me:${RANDOM}@h/db and "${KNOWN}"\nBearer ${RANDOM}`)
    createTelemetry(logger).requestFailed({ route: 'get-mission', invocationId: 'i1', error })
    createTelemetry(logger).poisoned({ message: `{"key":"${KNOWN}"}` })
    expect(lines.join('')).not.toMatch(new RegExp(`${RANDOM}|${KNOWN}`))
    expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true)
    expect(parsed()[0]).toMatchObject({
      event: 'api.request.failed',
      level: 'error',
      route: 'get-mission',
      invocationId: 'i1',
      err: {
        type: 'Error',
        message: 'no login with postgresql://me:[redacted]@h/db and "[redacted]"\n[redacted]',
        stack: expect.stringContaining('logger.test.ts:'),
      },
    })
  })
})
