import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { TerminalError } from '../../src/domain/errors.ts'
import { fetchLock, removeLock, storeLock } from './commands/blobs.ts'
import { inFolder } from './in-folder.ts'
import { endWorkOf, lockSchema, nameOf, stateOf, type Lock } from './lock-holder.ts'
import { parseJson } from './parse-json.ts'
import { markOf } from './process-mark.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Of somebody all the same. */
const UNKNOWN: Lock = { id: '', who: 'somebody', machine: 'an unknown machine', since: 'then' }

const IS_THERE = /BlobAlreadyExists|already exists/i
const IS_GONE = /BlobNotFound|does not exist/i

/**
 * Keeps others from changing the environment until `releaseLock`. A run that was killed leaves its lock: where this machine can see that
 * its process is gone it is taken over, and every other by `--take-over`. Does nothing where this run has it already.
 * @throws TerminalError `deployment_locked`
 */
export async function takeLock(session: Session, target: Target, who: string): Promise<void> {
  if (session.lock !== undefined) return
  const { cwd, log, now, environment } = session
  const lock: Lock = {
    id: randomUUID(),
    who,
    machine: hostname(),
    since: now().toISOString(),
    ...markOf(process.pid),
    log: join(cwd, log.file),
  }
  try {
    await withFile(async (file) => {
      await writeFile(file, JSON.stringify(lock))
      const held = await storeOrFind(session, target, { file, id: lock.id })
      if (held === undefined) return
      const lines = requireTakeOver(session, held)
      await session.run(storeLock(target, environment, file, true))
      // A run that lives sees by then whose the lock is, and takes nothing back when its command ends.
      for (const line of [...lines, ...(await endWorkOf(held))]) log.say(`  ${line}`)
    })
  } catch (error) {
    // It may be stored all the same, though its upload was ended or its answer lost.
    if (mayBeStored(error)) await releaseLock({ ...session, lock: { target, id: lock.id } })
    throw error
  }
  session.lock = { target, id: lock.id }
}

function mayBeStored(error: unknown): boolean {
  return error instanceof TerminalError && ['interrupted', 'command_timed_out', 'command_failed'].includes(error.code)
}

/** Stores the lock, or answers the one that is in the way. One that goes meanwhile is in nobody's way, but a third run may be faster. */
async function storeOrFind(
  session: Session,
  target: Target,
  { file, id }: { file: string; id: string },
): Promise<Lock | undefined> {
  for (let tries = 3; ; tries--) {
    if (await isStored(session, target, file)) return undefined
    const found = await readLock(session, target)
    // The answer to the upload was lost, and it was repeated.
    if (found?.id === id) return undefined
    if (found !== undefined) return found
    if (tries === 0) return UNKNOWN
  }
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

/** Answers what to say. */
function requireTakeOver({ environment, options }: Session, held: Lock): string[] {
  const state = stateOf(held)
  if (state !== 'dead' && options.takeOver !== true) {
    const process = state === 'lives' ? ` It is process ${held.pid} of this machine, and its log is ${held.log}.` : ''
    throw new TerminalError('deployment_locked', `${environment.name} is being changed by ${nameOf(held)}.`, {
      hint: `Let them finish.${process} Where that run was killed and nobody goes on with it: the same command with --take-over.`,
    })
  }
  return [`took the lock over from ${nameOf(held)}${state === 'dead' ? ': a run that did not come to its end' : ''}`]
}

/**
 * Looks whether the lock is this run's still, before what others would be hurt by.
 * @throws TerminalError `lock_taken` where another run has it, `lock_gone` where nobody does
 */
export async function requireLock(session: Session): Promise<void> {
  const { lock, environment } = session
  if (lock === undefined) throw new Error('the lock is looked at before it is taken')
  const held = await readLock(session, lock.target)
  if (held?.id === lock.id) return
  const { shape, name } = environment
  const hint = `What was done last: npm run deployments -- ${shape}${name === shape ? '' : ` --name ${name}`}`
  if (held === undefined)
    throw new TerminalError('lock_gone', 'The lock of this run is gone: another run took it over and has ended.', {
      hint,
    })
  throw new TerminalError('lock_taken', `The lock was taken over by ${nameOf(held)}: that run changes it now.`, {
    hint,
  })
}

/** Whether another run has taken the lock over, whose drain and package are none of this one's. */
export async function isTakenOver(session: Session): Promise<boolean> {
  try {
    await requireLock(session)
    return false
  } catch (error) {
    return error instanceof TerminalError && error.code === 'lock_taken'
  }
}

/** Lets others in, whatever became of the work. One that somebody took over stays theirs. */
export async function releaseLock(session: Session): Promise<void> {
  const { lock, run, environment, log } = session
  if (lock === undefined) return
  delete session.lock
  try {
    const held = await readLock(session, lock.target)
    if (held?.id === lock.id) await run(removeLock(lock.target, environment))
    else if (held !== undefined) log.say('  the lock was taken over meanwhile, and stays')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    log.say(`  the lock could not be removed (${why}): elsewhere, one goes on with --take-over, and here without`)
  }
}

/** Undefined where it has just gone; one that can't be read is somebody's. */
async function readLock({ run, environment }: Session, target: Target): Promise<Lock | undefined> {
  return withFile(async (file) => {
    try {
      await run(fetchLock(target, environment, file))
    } catch (error) {
      if (error instanceof TerminalError && IS_GONE.test(error.message)) return undefined
      throw error
    }
    const parsed = lockSchema.safeParse(parseJson(await readFile(file, 'utf8')))
    return parsed.success ? parsed.data : UNKNOWN
  })
}

function withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
  return inFolder(join(tmpdir(), 'taskforce-lock-'), (folder) => work(join(folder, 'lock.json')))
}
