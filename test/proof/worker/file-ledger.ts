import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from '../agent.ts'
import type { Fault } from '../history.ts'

export interface FileLedger extends Ledger {
  fault(fault: Omit<Fault, 'at' | 'instance'>): void
}

/** Milliseconds of the machine's clock that never jumps: the same in all its processes, so it is the recorder's clock. */
export function recorderNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** JSON lines in a file that several processes may share: the kernel has each line when the call returns, whoever dies then. */
export function fileLedger(file: string, instance: string): FileLedger {
  const write = (line: object) => appendFileSync(file, `${JSON.stringify(line)}\n`)
  return {
    instance,
    now: recorderNow,
    sleep: async (ms, signal) => {
      await delay(ms, undefined, { signal }).catch(() => undefined)
    },
    begin: (run) => write({ begin: run }),
    end: (run) => write({ end: run }),
    fault: (fault) => write({ fault: { ...fault, at: recorderNow(), instance } }),
  }
}
