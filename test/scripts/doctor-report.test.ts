import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../scripts/mission/text.ts'
import { toLines } from '../../scripts/doctor/render.ts'
import { exitCode, toJson, verdict, type Check, type Report } from '../../scripts/doctor/report.ts'

const plain = picocolors.createColors(false)
const good: Check = { group: 'Node', name: 'version', status: 'pass', detail: '24.0.0 is supported' }
const poor: Check = { group: 'Search', name: 'index', status: 'warn', detail: 'none', hint: 'set AZURE_SEARCH_INDEX' }
const bad: Check = {
  group: 'Database',
  name: 'a connection with quite a long name',
  status: 'fail',
  detail: `${'127.0.0.1:5432 '.repeat(9)}${'x'.repeat(200)} 日本語のテキスト`,
  hint: `start it with ${'a long command '.repeat(9)}`,
}

function reportOf(...checks: Check[]): Report {
  return { checks, settings: [], nothingConfigured: false }
}

describe('the report', () => {
  it.each<[string, Check[], number, string]>([
    ['all is well', [good], 0, 'Everything needed is there.'],
    ['an optional thing is missing', [good, poor], 0, 'Everything needed is there (1 warning).'],
    ['one thing fails', [good, bad], 1, '1 problem.'],
    ['two things fail', [bad, bad, poor, poor], 1, '2 problems (2 warnings).'],
  ])('ends with a sentence and an exit code where %s', (_, checks, code, sentence) => {
    expect(exitCode({ checks })).toBe(code)
    expect(toLines(reportOf(...checks), { columns: 80, colors: plain }).at(-1)).toBe(sentence)
    expect(toJson(reportOf(...checks))).toEqual({ ok: code === 0, checks, settings: [] })
  })

  it('says where nothing is configured that nothing has to be, and what a deployment needs', () => {
    const nothing = { ...reportOf(good), nothingConfigured: true }
    expect(verdict(nothing)).toMatch(/npm start and npm run mission need nothing/)
    const text = toLines(nothing, { columns: 80, colors: plain }).join('\n')
    for (const name of ['DATABASE_URL', 'JOBS_STORAGE', 'TASKFORCE_API_KEY', 'OPENAI_API_KEY'])
      expect(text).toContain(name)
  })

  it('shows groups in their order, each ! and ✖ followed by what to do', () => {
    const lines = toLines(reportOf(poor, good), { columns: 80, colors: plain })
    expect(lines).toEqual([
      'Node',
      '  ✔ version  24.0.0 is supported',
      '',
      'Search',
      '  ! index  none',
      '           → set AZURE_SEARCH_INDEX',
      '',
      'Everything needed is there (1 warning).',
    ])
  })

  it('shows each setting with its source, and the names of those that are not set', () => {
    const settings: Report['settings'] = [
      { name: 'OPENAI_API_KEY', set: true, source: 'environment' },
      { name: 'OPENAI_MODEL', value: 'gpt-5.4-mini', source: 'default' },
      { name: 'LOG_LEVEL', set: true, source: 'environment', problem: 'wrong' },
      { name: 'PROFILE', set: false, source: null },
    ]
    const lines = toLines({ ...reportOf(), settings }, { columns: 80, colors: plain })
    expect(lines.slice(1, 4)).toEqual([
      '  ✔ OPENAI_API_KEY  set (environment)',
      '  ✔ OPENAI_MODEL    gpt-5.4-mini (default)',
      '    not set         PROFILE',
    ])
  })

  it.each([40, 80, 120])('fits %i columns', (columns) => {
    const settings = [
      { name: 'OPENAI_BASE_URL', value: `http://${'h'.repeat(150)}/v1`, source: 'environment' as const },
    ]
    const lines = toLines({ checks: [good, bad, poor], settings, nothingConfigured: true }, { columns, colors: plain })
    // The room for text is never less than 24 columns, whatever stands to its left.
    const widest = Math.max(columns, 26 + 6 + 24)
    expect(lines.filter((line) => displayWidth(line) > widest)).toEqual([])
    expect(lines.join('').replaceAll(/\s/g, '')).toContain('h'.repeat(150))
  })
})
