import { describe, expect, it } from 'vitest'
import { eventIn, there } from './doctor.ts'
import type { History, Violation } from './history.ts'
import { legalHistory } from './legal-history.ts'
import { countFaults, describeRun, passed, printReport, recoveryTimes, report, type ProofRun } from './report.ts'

const violation = (over: Partial<Violation> = {}): Violation => {
  return { invariant: 'I5', counts: 'gaps', missionId: 'm', what: 'The journal has no event 3.', ...over }
}

const run = (over: Partial<ProofRun> = {}): ProofRun => {
  const { faults } = legalHistory()
  return {
    unit: 'missions',
    number: 8,
    violations: [],
    recoveriesMs: [],
    faults: countFaults(faults),
    seed: 7,
    ...over,
  }
}

describe('the report', () => {
  it('of a good run is all zeros', () => {
    const recoveryMs = { p50: null, p99: null }
    const zeros = { lost: 0, duplicated: 0, gaps: 0, stuck: 0, illegal: 0 }
    expect(report(run())).toEqual({ missions: 8, ...zeros, recoveryMs, seed: 7 })
    expect(report(run({ unit: 'histories' }))).toHaveProperty('histories', 8)
    expect(passed(report(run()))).toBe(true)
  })

  it('counts a mission and a rule once, and the missions of two histories twice', () => {
    const violations = [[violation(), violation(), violation({ missionId: 'n' })], [violation()]]
    expect(report(run({ violations }))).toMatchObject({ gaps: 3, lost: 0 })
  })

  it.each(['lost', 'duplicated', 'gaps', 'stuck', 'illegal'] as const)('fails for what is %s', (counts) => {
    const result = report(run({ violations: [[violation({ counts })]] }))
    expect(result[counts]).toBe(1)
    expect(passed(result)).toBe(false)
  })

  it('gives the times of recovery by the nearest rank', () => {
    const recoveriesMs = Array.from({ length: 200 }, (_, n) => 200 - n)
    expect(report(run({ recoveriesMs })).recoveryMs).toEqual({ p50: 100, p99: 198 })
  })

  it('is the last line that is printed', () => {
    const lines: string[] = []
    expect(printReport(run({ violations: [[violation()]] }), (line) => lines.push(line))).toBe(false)
    expect(JSON.parse(there(lines.join('\n').split('\n').at(-1)))).toMatchObject({ missions: 8, gaps: 1, seed: 7 })
    expect(printReport(run(), () => undefined)).toBe(true)
  })
})

describe('the description', () => {
  it('has the faults, the violations by rule, and the verdict', () => {
    const violations = [
      [violation(), violation({ invariant: 'I16', counts: 'illegal', missionId: undefined, what: 'Wakes.' })],
    ]
    expect(describeRun(run({ violations, recoveriesMs: [40_000] }))).toBe(
      [
        'Faults injected, by kind:',
        '  kill           1',
        '  freeze         1',
        '  database-down  1',
        'Recovery: 1 times, p50 40000 ms, p99 40000 ms',
        'Violations:',
        '  I5, gaps: 1',
        '    m: The journal has no event 3.',
        '  I16, illegal: 1',
        '    all: Wakes.',
        'FAILED: 8 missions, seed 7; 1 gaps, 1 illegal',
      ].join('\n'),
    )
    expect(describeRun(run({ faults: new Map() }))).toBe(
      'Faults injected, by kind: none\nPASSED: 8 missions, seed 7; nothing lost, duplicated, missing, stuck or illegal',
    )
  })

  it('shows 20 violations, some of each rule', () => {
    const many = Array.from({ length: 50 }, (_, n) => violation({ missionId: `m${n}` }))
    const text = describeRun(run({ violations: [[...many, violation({ invariant: 'I8', counts: 'stuck' })]] }))
    expect(text.match(/: The journal/g)).toHaveLength(11)
    expect(text).toContain('I5, gaps: 50')
    expect(text).toContain('I8, stuck: 1')
    expect(text).toContain('… and 40 more')
  })
})

describe('the recovery', () => {
  it('is the time until another instance moves on', () => {
    // Killed at 8 s; the next owner records an event at 50 s.
    expect(recoveryTimes(legalHistory())).toEqual([42_000])
  })

  it('ends with a tool that another instance runs', () => {
    const history = legalHistory()
    const killed = there(history.toolRuns.find(({ missionId, key }) => missionId === 'acting' && key === '6.0'))
    history.toolRuns.push({ ...killed, instance: 'i3', begunAt: 45_000 })
    expect(recoveryTimes(history)).toEqual([37_000])
  })

  it('is looked for after a freeze too, and after nothing else', () => {
    const history = legalHistory()
    history.faults[1] = { ...there(history.faults[1]), owned: [{ missionId: 'cancelled', epoch: 2 }] }
    history.faults[0] = { ...there(history.faults[0]), kind: 'drained' }
    expect(recoveryTimes(history)).toEqual([49_000])
  })

  const left: [string, (history: History) => void][] = [
    ['that nobody moved on', (h) => void (h.events = h.events.filter((e) => e.missionId !== 'acting' || e.seq < 8))],
    ['that the same instance moved on', (h) => void Object.assign(eventIn(h, 'acting', 8), { epoch: 1 })],
    // It had just asked; the answer comes half a second later.
    [
      'that had only to rest',
      (h) => void Object.assign(there(h.faults[0]), { at: 8_500, owned: [{ missionId: 'whole', epoch: 1 }] }),
    ],
    ['that is not there', (h) => void Object.assign(there(h.faults[0]), { owned: [{ missionId: 'none', epoch: 0 }] })],
  ]
  it.each(left)('leaves out a mission %s', (_, change) => {
    const history = legalHistory()
    change(history)
    expect(recoveryTimes(history)).toEqual([])
  })
})
