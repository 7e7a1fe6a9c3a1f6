import { requestJson, requestPatiently, type Api } from './api.ts'
import { ask } from './ask.ts'
import { mayPass, ProblemError, UnreachableError } from './errors.ts'
import { renderProblem } from './render-mission.ts'
import { missionSchema, questionSchema, type JournalEvent, type Question } from './schemas.ts'
import type { Terminal } from './terminal.ts'

export interface QuestionDesk {
  /** Takes up a question, one after the other; returns at once. */
  asked(event: JournalEvent): void
  /** Lets go of a question that was answered elsewhere or has expired. */
  closed(event: JournalEvent): void
  /** Prints now, or after the question that is on the screen. */
  print(lines: readonly string[]): void
  /** Asks nothing more, takes back what is on the screen, and is done once all is printed. */
  close(): Promise<void>
}

interface DeskOptions {
  api: Api
  missionId: string
  terminal: Terminal
  /** Called when there is a question and nobody to answer it here. */
  onNobody: (open: Question[]) => void
  /** Called when the person pressed Ctrl-C in a question. */
  onInterrupt: () => void
  /** Called when an answer could not be given at all. */
  onFailure: (error: unknown) => void
}

const ELSEWHERE = 'closed elsewhere'

/** What the desk knows while it works through its questions. */
interface DeskState {
  /** Lines that wait for the question on the screen. */
  held: string[]
  /** Ids of the questions that nobody need answer any more. */
  closed: Set<string>
  shut: AbortController
  /** The question on the screen. */
  current: { questionId: string; withdraw: AbortController } | undefined
}

/** Asks a mission's questions in the terminal while its events keep coming. */
export function createQuestionDesk(options: DeskOptions): QuestionDesk {
  const state: DeskState = { held: [], closed: new Set(), shut: new AbortController(), current: undefined }
  let queue = Promise.resolve()
  return {
    asked(event) {
      queue = queue.then(() => takeUp(options, state, event)).catch(options.onFailure)
    },
    closed({ data }) {
      state.closed.add(String(data.questionId))
      if (state.current?.questionId === data.questionId) state.current?.withdraw.abort(ELSEWHERE)
    },
    print(lines) {
      if (state.current === undefined) options.terminal.print(lines)
      else state.held.push(...lines)
    },
    close() {
      state.shut.abort()
      return queue
    },
  }
}

async function takeUp(options: DeskOptions, state: DeskState, event: JournalEvent): Promise<void> {
  const { terminal } = options
  const { held, closed, shut } = state
  const asked = questionSchema.safeParse(event.data)
  if (!asked.success) return
  const { questionId } = asked.data
  const isOver = (): boolean => closed.has(questionId) || shut.signal.aborted
  if (isOver()) return
  const open = await openQuestions(options, event, asked.data)
  if (!open.some((question) => question.questionId === questionId)) return
  if (!terminal.interactive) return options.onNobody(open)
  if (isOver()) return
  const withdraw = new AbortController()
  state.current = { questionId, withdraw }
  const show = terminal.region.hide()
  try {
    await askUntilTaken(options, asked.data, AbortSignal.any([withdraw.signal, shut.signal]))
  } finally {
    state.current = undefined
    terminal.print(held.splice(0))
    show()
  }
}

/** A journal that is read from its start has questions that were answered long ago: the mission says which are open. */
async function openQuestions(options: DeskOptions, event: JournalEvent, asked: Question): Promise<Question[]> {
  const { value } = await requestPatiently(options.api, missionSchema, `missions/${options.missionId}`)
  return value.lastSeq < event.seq ? [asked] : (value.questions ?? [])
}

async function askUntilTaken(options: DeskOptions, question: Question, signal: AbortSignal): Promise<void> {
  const { terminal, api, missionId } = options
  while (!signal.aborted) {
    const reply = await ask(question, { signal, input: terminal.streams.stdin, output: terminal.streams.stdout })
    if (reply === 'withdrawn') {
      // The mission's end also withdraws a question, and says more than this would.
      if (signal.reason === ELSEWHERE) terminal.note('The question was closed elsewhere.')
      return
    }
    if (reply === 'interrupted') return options.onInterrupt()
    const body = JSON.stringify({ questionId: question.questionId, answer: reply.answer })
    const refused = await tryTo(() =>
      requestJson(api, missionSchema, `missions/${missionId}/answers`, { method: 'POST', body }),
    )
    if (refused === undefined) return
    const lines = refused instanceof ProblemError ? renderProblem(refused.problem) : [refused.message]
    terminal.error(lines.join('\n'))
    if (!canBeAskedAgain(refused)) return
  }
}

async function tryTo(action: () => Promise<unknown>): Promise<ProblemError | UnreachableError | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    if (error instanceof ProblemError || error instanceof UnreachableError) return error
    throw error
  }
}

/** A bad answer and a passing trouble; not an answer that came too late or is not allowed. */
function canBeAskedAgain(error: ProblemError | UnreachableError): boolean {
  return mayPass(error) || (error instanceof ProblemError && [400, 422].includes(error.problem.status))
}
