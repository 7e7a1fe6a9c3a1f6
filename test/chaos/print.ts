import type { History, Violation } from '../proof/history.ts'
import type { ChaosRun } from './run.ts'

const MOST_MISSIONS = 3

/** What a run did beyond its report: for people, line by line. */
export function figuresOf({ history, atRestMs, connections, told, growth, stubborn }: ChaosRun): string[] {
  const statuses = count(history.missions.map(({ status }) => status))
  const requests = count(history.requests.map(({ kind, outcome }) => `${kind} ${outcome}`))
  const rest = atRestMs === undefined ? 'NOT at rest in time' : `at rest ${seconds(atRestMs)} after the last fault`
  return [
    `${history.missions.length} missions (${shown(statuses)}), ${history.events.length} events, ${rest}`,
    `${history.toolRuns.length} runs of tools, ${history.claims.length} claims, ${new Set(history.events.map(({ epoch, missionId }) => `${missionId}/${epoch}`)).size} leases that wrote something`,
    `${history.reads.length} readers over ${connections} connections`,
    `Requests: ${shown(requests)}`,
    `Workers told: ${shown(told)}`,
    ...(stubborn === 0 ? [] : [`${stubborn} workers did not end within the time of a drain`]),
    ...growth.map(
      ({ who, minutes, rssMb: [a, b], mbPerMinute, sockets: [c, d] }) =>
        `${who}, ${minutes.toFixed(0)} minutes: ${a.toFixed(0)} -> ${b.toFixed(0)} MB RSS (${mbPerMinute.toFixed(2)} MB/min), ${c} -> ${d} sockets`,
    ),
  ]
}

/** The journals of the first missions that broke a rule, with what tools and clients saw of them. */
export function evidenceOf(history: History, violations: readonly Violation[]): string[] {
  const ids = [...new Set(violations.flatMap(({ missionId }) => missionId ?? []))].slice(0, MOST_MISSIONS)
  return ids.flatMap((id) => {
    const of = <T extends { missionId: string }>(all: readonly T[]) => all.filter(({ missionId }) => missionId === id)
    const row = history.missions.find((mission) => mission.id === id)
    return [
      `Mission ${id}: ${JSON.stringify(row)}`,
      ...violations.filter(({ missionId }) => missionId === id).map(({ invariant, what }) => `  ${invariant}: ${what}`),
      ...of(history.events).map(
        ({ seq, epoch, at, type, data }) =>
          `  ${seq} epoch ${epoch} ${new Date(at).toISOString()} ${type} ${JSON.stringify(data).slice(0, 300)}`,
      ),
      ...of(history.toolRuns).map((run) => `  tool ${JSON.stringify(run)}`),
      ...of(history.requests).map((request) => `  request ${JSON.stringify(request)}`),
      ...of(history.reads).map((read) => `  read ${JSON.stringify(read)}`),
    ]
  })
}

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function shown(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, number]) => `${number} ${name}`)
    .join(', ')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
