import type { Mutant } from './list.ts'
import { simulation } from './proofs.ts'

const SLICE = 'src/engine/run-slice.ts'
const RECORDER = 'src/engine/recorder.ts'
const WRITER = 'src/engine/journal-writer.ts'
const TRANSITIONS = 'src/engine/transitions.ts'

/** Of how the engine writes down what it does. */
export const journalMutants: readonly Mutant[] = [
  {
    name: 'once-call-unannounced',
    breaks: 'A call that acts once is made, its instance dies, and the next one makes it again.',
    file: SLICE,
    find: 'if (once && canRun(this.#context, call) && !(await this.#recorder.append([begun]))) return false',
    replace: 'void begun',
    proof: simulation(),
    rule: 'I4',
  },
  {
    name: 'rebase-skipped',
    breaks: 'A message or an answer that comes while a mission lies down is not read: it waits on.',
    file: RECORDER,
    find: `    if (result.kind === 'recorded') return true
    await this.rebase()`,
    replace: `    if (result.kind === 'recorded') return true
    this.#inbox = (await this.#context.missions.inbox(this.#lease)) ?? this.#inbox`,
    proof: simulation(2_950),
    rule: 'I8',
  },
  {
    name: 'release-without-inbox-guard',
    breaks: 'A message or an answer that comes while a mission lies down is passed over.',
    file: RECORDER,
    find: 'const guarded = { ...change, inbox: this.#inbox }',
    replace: 'const guarded = change',
    proof: simulation(2_950),
    rule: 'I8',
  },
  {
    name: 'event-appended-twice',
    breaks: 'Every result is in the journal twice.',
    file: SLICE,
    find: 'if (await this.#recorder.append([done.event, ...this.#consequences(done.event)])) return',
    replace: 'if (await this.#recorder.append([done.event, done.event])) return',
    proof: simulation(),
    rule: 'I3',
  },
  {
    name: 'retry-takes-the-next-number',
    breaks: 'After a broken connection, what went in at the first try goes in again behind it.',
    file: WRITER,
    find: "return (ambiguous ? await this.#readOwn(append) : undefined) ?? { kind: 'conflict' }",
    replace: 'return this.append({ ...append, afterSeq: append.afterSeq + append.events.length })',
    proof: simulation(),
    rule: 'I3',
  },
  {
    name: 'conflict-taken-for-recorded',
    breaks: 'An instance goes on from an event that is not in the journal, and acts upon it.',
    file: WRITER,
    find: "return (ambiguous ? await this.#readOwn(append) : undefined) ?? { kind: 'conflict' }",
    replace: `const written = append.events.map(({ event }) => ({ event, json: '' }))
    return { kind: 'recorded', recorded: recordedEvents(written, append.afterSeq, []) }`,
    proof: simulation(),
    rule: 'I3',
  },
  {
    name: 'lost-lease-taken-for-recorded',
    breaks: 'An instance that was fenced off goes on, and makes calls that nobody asked for.',
    file: WRITER,
    find: "if (times === undefined) return { kind: 'lost' }",
    replace: 'times ??= []',
    proof: simulation(200),
    rule: 'I4',
  },
  {
    name: 'end-keeps-the-owner',
    breaks: 'A mission that has ended is still held, and taken up again when its instance is gone.',
    file: TRANSITIONS,
    find: 'wakeInSeconds: null, release: true, ended: true',
    replace: 'wakeInSeconds: null, release: false, ended: true',
    proof: simulation(),
    rule: 'I16',
  },
  {
    name: 'rest-without-an-alarm',
    breaks: 'A mission that waits for a time is never woken.',
    file: TRANSITIONS,
    find: "return { status: 'waiting', wakeInSeconds, release: true",
    replace: "return { status: 'waiting', wakeInSeconds: null, release: true",
    proof: simulation(),
    rule: 'I8',
  },
  {
    name: 'hand-over-to-nobody',
    breaks: 'A mission that is handed over from one slice to the next lies still for ever.',
    file: TRANSITIONS,
    find: "return { status: 'running', wakeInSeconds: 0,",
    replace: "return { status: 'running', wakeInSeconds: null,",
    proof: simulation(),
    rule: 'I8',
  },
]
