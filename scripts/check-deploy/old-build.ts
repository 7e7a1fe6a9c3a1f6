import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Decision, DecisionInput } from '../../src/engine/next-decision.ts'

/** Folding the longest journals takes seconds; what takes longer never ends. */
const ANSWER_MS = 60_000

const replySchema = z.union([
  z.object({ readable: z.literal(true), decision: z.string() }),
  z.object({ readable: z.literal(false), why: z.string() }),
])

const helloSchema = z.union([
  z.object({ loaded: z.literal(true) }),
  z.object({ loaded: z.literal(false), why: z.string() }),
])

/**
 * The old build in a process of its own: without the environment, so that it has no setting and no secret, and with Node's
 * permission model, so that it can neither write files nor start programs. Whatever it does, this process lives on.
 */
export class OldBuild {
  readonly #file: string
  readonly #answerMs: number
  #child: ChildProcess | undefined

  constructor(file: string, answerMs: number = ANSWER_MS) {
    this.#file = file
    this.#answerMs = answerMs
  }

  /** @throws TerminalError `no_old_build` where the file is none that answers. */
  async start(): Promise<void> {
    const child = fork(join(import.meta.dirname, 'old-build-process.ts'), [this.#file], {
      env: {},
      execArgv: ['--permission', '--allow-fs-read=*'],
      // What it prints is nobody's; an old build answers over the channel alone.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child = child
    // Whoever waits for an answer hears of it; where nobody does, it is no failure yet.
    child.on('error', () => undefined)
    const hello = helloSchema.safeParse(await this.#next(child))
    if (hello.data?.loaded === true) return
    this.stop()
    const why = hello.data?.why ?? 'its process ended or did not answer'
    throw new TerminalError('no_old_build', `${this.#file} can't be asked: ${why}.`, {
      hint: '--from takes the folder of a package that npm run build made, or the check-deploy.cjs in it.',
    })
  }

  /** A mission that the old build hangs or dies on is one that it can't read; the next one is asked of a new process. */
  async ask(input: DecisionInput): Promise<Decision> {
    if (this.#child === undefined) await this.start()
    const child = this.#child as ChildProcess
    child.send(input)
    const reply = replySchema.safeParse(await this.#next(child))
    if (reply.success) return reply.data
    this.stop()
    return { readable: false, why: 'its process ended, hung or gave no answer that can be read' }
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  /** The next message; undefined where the process ends or the time is up. */
  async #next(child: ChildProcess): Promise<unknown> {
    const over = new AbortController()
    const { signal } = over
    const timer = setTimeout(() => over.abort(), this.#answerMs)
    const ended = (): void => over.abort()
    child.once('exit', ended).once('error', ended)
    try {
      return ((await once(child, 'message', { signal })) as unknown[])[0]
    } catch {
      return undefined
    } finally {
      clearTimeout(timer)
      child.off('exit', ended).off('error', ended)
    }
  }
}
