import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { fetchLock, removeLock, storeLock } from './commands/blobs.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

const lockSchema = z.object({
  /** Of the run that took it. */
  id: z.string(),
  who: z.string(),
  machine: z.string(),
  since: z.string(),
})

type Lock = z.infer<typeof lockSchema>

const IS_THERE = /BlobAlreadyExists|already exists/i
const IS_GONE = /BlobNotFound|does not exist/i

/**
 * Keeps others from changing the environment until `releaseLock`. A run that was killed leaves its lock: one of the same person on
 * the same machine is taken over, and another's by `--take-over`. Does nothing where this run has it already.
 * @throws TerminalError `deployment_locked`
 */
export async function takeLock(session: Session, target: Target, who: string): Promise<void> {
  if (session.lock !== undefined) return
  const lock: Lock = { id: randomUUID(), who, machine: hostname(), since: session.now().toISOString() }
  await inFolder(async (file) => {
    await writeFile(file, JSON.stringify(lock))
    if (!(await isStored(session, target, file))) {
      const held = await readLock(session, target)
      if (held !== undefined) requireMine(session, held, lock)
      await session.run(storeLock(target, session.environment, file, true))
    }
  })
  session.lock = { target, id: lock.id }
}

async function isStored({ run, environment }: Session, target: Target, file: string): Promise<boolean> {
  try {
    await run(storeLock(target, environment, file))
    return true
  } catch (error) {
    if (error instanceof TerminalError && IS_THERE.test(error.message)) return false
    throw error
  }
}

function requireMine({ environment, options, log }: Session, held: Lock, mine: Lock): void {
  const whose = `${held.who} on ${held.machine}, since ${held.since}`
  const isMine = held.who === mine.who && held.machine === mine.machine
  if (isMine || options.takeOver === true) {
    log.say(`  took the lock over from ${whose}${isMine ? ': a run that did not come to its end' : ''}`)
    return
  }
  throw new TerminalError('deployment_locked', `${environment.name} is being changed by ${whose}.`, {
    hint: 'Let them finish. Where that run was killed and nobody goes on with it: the same command with --take-over.',
  })
}

/** Lets others in, whatever became of the work. One that somebody took over stays theirs. */
export async function releaseLock(session: Session): Promise<void> {
  const { lock, run, environment, log } = session
  if (lock === undefined) return
  delete session.lock
  try {
    const held = await readLock(session, lock.target)
    if (held?.id === lock.id) await run(removeLock(lock.target, environment))
    else log.say('  the lock was taken over meanwhile, and stays')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    log.say(`  the lock could not be removed (${why}): others go on with --take-over, you without`)
  }
}

/** Undefined where it has just gone; one that can't be read is somebody's. */
async function readLock({ run, environment }: Session, target: Target): Promise<Lock | undefined> {
  return inFolder(async (file) => {
    try {
      await run(fetchLock(target, environment, file))
    } catch (error) {
      if (error instanceof TerminalError && IS_GONE.test(error.message)) return undefined
      throw error
    }
    const parsed = lockSchema.safeParse(parseJson(await readFile(file, 'utf8')))
    return parsed.success ? parsed.data : { id: '', who: 'somebody', machine: 'an unknown machine', since: 'then' }
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function inFolder<T>(work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-lock-'))
  try {
    return await work(join(folder, 'lock.json'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
