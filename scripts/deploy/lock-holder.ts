import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
import { isAlive } from './process-mark.ts'
import { endCommandsOf } from './running-commands.ts'

export const lockSchema = z.object({
  /** Of the run that took it. */
  id: z.string(),
  who: z.string(),
  machine: z.string(),
  since: z.string(),
  /** Its process, and the whole path of its log. */
  pid: z.int().optional(),
  started: z.string().optional(),
  log: z.string().optional(),
})

export type Lock = z.infer<typeof lockSchema>

export function nameOf({ who, machine, since }: Lock): string {
  return `${who} on ${machine}, since ${since}`
}

/** Whether the run that took the lock lives, as far as this machine can know: where its log lies, it was here. */
export function stateOf({ machine, log, pid, started }: Lock): 'lives' | 'dead' | 'unknown' {
  if (pid === undefined || !isHere({ machine, log })) return 'unknown'
  return isAlive({ pid, started }) ? 'lives' : 'dead'
}

function isHere({ machine, log }: Pick<Lock, 'machine' | 'log'>): boolean {
  return machine === hostname() && log !== undefined && existsSync(log)
}

const UNCERTAIN = 'a command of that run may still be at work; look at what runs when this is done'
/** A package that was sent is taken in though nobody waits for it. */
const BEGUN = 'what Azure had taken of it by then may still be done; look at what runs when this is done'

/** Ends what a run whose lock is taken over has left running; what it started elsewhere, nobody here can end. Answers what to say. */
export async function endWorkOf(held: Lock): Promise<string[]> {
  if (held.log === undefined || !isHere(held)) return [UNCERTAIN]
  const { ended, mayGoOn } = await endCommandsOf(held.log)
  return [
    ...ended.map((line) => `ended what that run had left at work: ${line}`),
    ...(ended.length > 0 ? [BEGUN] : []),
    ...(mayGoOn ? [UNCERTAIN] : []),
  ]
}
