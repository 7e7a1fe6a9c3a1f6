import type { Read, Violation } from '../history.ts'
import type { Invariant, Subject } from './facts.ts'

/** I6: whoever reads along gets the journal from its beginning, each event once; all of it where he read to the end. */
export const reads: Invariant = (subject) => subject.reads.flatMap((read) => aboutRead(subject, read) ?? [])

function aboutRead({ id, rows }: Subject, { events, whole }: Read): Violation | undefined {
  const say = (counts: Violation['counts'], what: string): Violation => {
    return { invariant: 'I6', counts, missionId: id, what: `A reader ${what}.` }
  }
  for (const [index, { seq, type }] of events.entries()) {
    if (seq <= index) return say('duplicated', `got event ${seq} again, or late`)
    if (seq > index + 1) return say('gaps', `got event ${seq} without event ${index + 1}`)
    const row = rows.find((other) => other.seq === seq)
    if (row === undefined) return say('lost', `got event ${seq} (${type}), which is not in the journal`)
    if (row.type !== type) return say('illegal', `got event ${seq} as ${type}, and the journal has ${row.type}`)
  }
  if (!whole || events.length >= rows.length) return undefined
  return say('gaps', `was told that the mission had ended after ${events.length} of ${rows.length} events`)
}
