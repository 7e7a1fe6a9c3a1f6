import { oneLine } from '../mission/text.ts'
import type { Report } from './check.ts'

/** Of each list; a person who needs more takes --json. */
const MOST_SHOWN = 20

/** The report for a person: each list with what it means and what to do. */
export function toLines(report: Report, { from }: { from?: string }): string[] {
  const { checked, unreadable, changed } = report
  const byNew = unreadable.filter(({ by }) => by === 'new')
  const byOld = unreadable.filter(({ by }) => by === 'old')
  return [
    `Checked ${missions(checked)} with this build${from === undefined ? '' : ` and with the one in ${oneLine(from)}`}.`,
    ...section(byNew, (count) => `${count} can't be read by this build:`, unreadableLine, [
      'With this build they would stand still, looked at every five minutes; nothing of them is lost.',
      'Before you deploy it, give it what it lacks (an upcaster in src/domain/upcast.ts), or let them end.',
    ]),
    ...section(byOld, (count) => `${count} can't be read by the old build:`, unreadableLine, [
      'After a rollback they would stand still until a build is back that reads them.',
    ]),
    ...section(changed, (count) => `${count} would go on in another way:`, changedLine, [
      'Where that is not meant, give this build the old behaviour for journals like theirs, or let them end before you deploy.',
    ]),
    ...(unreadable.length + changed.length === 0 ? [verdict(from)] : []),
  ]
}

function section<T>(
  items: readonly T[],
  title: (count: string) => string,
  line: (item: T) => string,
  advice: string[],
) {
  if (items.length === 0) return []
  const more = items.length - MOST_SHOWN
  const rest = more > 0 ? [`  and ${more.toLocaleString('en')} more: --json lists all`] : []
  return ['', title(missions(items.length)), ...items.slice(0, MOST_SHOWN).map(line), ...rest, ...advice]
}

function unreadableLine({ id, why }: Report['unreadable'][number]): string {
  return `  ${id}  ${oneLine(why)}`
}

function changedLine({ id, ...change }: Report['changed'][number]): string {
  return `  ${id}  old: ${oneLine(change.old)}; new: ${oneLine(change.new)}`
}

function verdict(from: string | undefined): string {
  return from === undefined ? 'All can be read.' : 'Both read all of them and would do the same next.'
}

function missions(count: number): string {
  return count === 1 ? '1 unfinished mission' : `${count.toLocaleString('en')} unfinished missions`
}
