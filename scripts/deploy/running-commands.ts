import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { createAttempt } from './attempt.ts'
import { endTree } from './end-tree.ts'
import { isAlive, markOf } from './process-mark.ts'

const notesSchema = z.array(z.object({ pid: z.int(), started: z.string().optional(), line: z.string() }))

type Notes = z.infer<typeof notesSchema>

/** Notes a command that runs; the answer takes the note away. */
export type NoteCommand = (pid: number, line: string) => () => void

/** Beside the log of a run: what it runs at the moment. */
const notesOf = (logFile: string) => logFile.replace(/(?:\.log)?$/, '.running.json')

/**
 * Commands outlive a run that is killed, and would have their way after a later one. So each is noted while it runs; where that can't
 * be written, it is told once, and the run goes on.
 * @param logFile of the run, with its whole path
 */
export function createNotes(logFile: string, tell: (line: string) => void): NoteCommand {
  const file = notesOf(logFile)
  const notes = new Map<number, Notes[number]>()
  const attempt = createAttempt((why) =>
    tell(`What runs can't be noted, so should this run be killed, a later one does not end its last command: ${why}`),
  )
  const store = () =>
    attempt(() => {
      if (notes.size === 0) return rmSync(file, { force: true })
      mkdirSync(dirname(file), { recursive: true })
      return writeFileSync(file, JSON.stringify([...notes.values()]), { mode: 0o600 })
    })
  return (pid, line) => {
    notes.set(pid, { ...markOf(pid), line })
    store()
    return () => {
      notes.delete(pid)
      store()
    }
  }
}

/** Ends what a run on this machine left running. Answers the lines of what was ended, and whether something may go on. */
export async function endCommandsOf(logFile: string): Promise<{ ended: string[]; mayGoOn: boolean }> {
  const file = notesOf(logFile)
  const notes = await readNotes(file)
  const alive = notes.filter(isAlive)
  // Without its start, a number may be somebody else's by now.
  const known = alive.filter(({ started }) => started !== undefined)
  for (const { pid } of known) endTree(pid, process.platform)
  rmSync(file, { force: true })
  return { ended: known.map(({ line }) => line), mayGoOn: known.length < alive.length }
}

async function readNotes(file: string): Promise<Notes> {
  try {
    return notesSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return []
  }
}
