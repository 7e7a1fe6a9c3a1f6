import { readdir, readFile, readlink } from 'node:fs/promises'
import type { Fleet } from './fleet.ts'

/** What a process held at a moment. */
interface Sample {
  atMs: number
  rssMb: number
  sockets: number
}

/** How the memory and the sockets of one process went: medians of the first and of the last quarter of its life (I20). */
export interface Growth {
  who: string
  minutes: number
  rssMb: [first: number, last: number]
  mbPerMinute: number
  sockets: [first: number, last: number]
}

const EVERY_MS = 10_000
/** A median of a quarter needs some; younger processes are still warming up. */
const LEAST_SAMPLES = 24

/** Looks at the workers and at this process every 10 s, until it is stopped. */
export function startSampling(fleet: Fleet): { stop(): Growth[] } {
  const samples = new Map<string, Sample[]>()
  const look = async () => {
    const workers = fleet.running.flatMap(({ worker }) => worker ?? [])
    const processes = [
      { who: 'clients and API', pid: process.pid },
      ...workers.map((one) => ({ who: one.instance, pid: one.pid })),
    ]
    for (const { who, pid } of processes) {
      // It may have been killed in this moment.
      const sample = await sampleOf(pid).catch(() => undefined)
      if (sample !== undefined) samples.set(who, [...(samples.get(who) ?? []), sample])
    }
  }
  const timer = setInterval(() => void look(), EVERY_MS).unref()
  return {
    stop() {
      clearInterval(timer)
      return [...samples].flatMap(([who, taken]) => (taken.length < LEAST_SAMPLES ? [] : [growthOf(who, taken)]))
    },
  }
}

async function sampleOf(pid: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const rssMb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
  const descriptors = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return { atMs: performance.now(), rssMb, sockets: targets.filter((target) => target.startsWith('socket:')).length }
}

function growthOf(who: string, taken: readonly Sample[]): Growth {
  const quarter = Math.floor(taken.length / 4)
  const [first, last] = [taken.slice(0, quarter), taken.slice(-quarter)]
  const medians = (value: (sample: Sample) => number): [number, number] => [
    median(first.map(value)),
    median(last.map(value)),
  ]
  const rssMb = medians(({ rssMb: mb }) => mb)
  const [from, to] = medians(({ atMs }) => atMs)
  const minutes = ((taken.at(-1)?.atMs ?? 0) - (taken[0]?.atMs ?? 0)) / 60_000
  const mbPerMinute = (rssMb[1] - rssMb[0]) / ((to - from) / 60_000)
  return { who, minutes, rssMb, mbPerMinute, sockets: medians(({ sockets }) => sockets) }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
