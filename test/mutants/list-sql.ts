import type { Mutant } from './list.ts'
import { simulationOnSql } from './proofs.ts'

const APPEND = 'src/db/queries/append-events.ts'
const CLAIM = 'src/db/queries/claim-mission.ts'

/** Of the statements' own text, which the memory of the simulation does not run. */
export const sqlMutants: readonly Mutant[] = [
  {
    name: 'no-epoch-guard',
    breaks: 'An instance that was fenced off writes on in a mission that another one works on.',
    file: APPEND,
    find: 'where m.id = $1 and m.epoch = $2 and m.owner = $3',
    replace: 'where m.id = $1 and ($2::int, $3::uuid) is not null',
    also: [
      {
        file: APPEND,
        find: `join taskforce.missions m on m.id = u.id and m.epoch = u.epoch and m.owner = $1
  order by`,
        replace: `join taskforce.missions m on m.id = u.id and $1::uuid is not null
  order by`,
      },
      {
        file: APPEND,
        find: `join taskforce.missions m on m.id = u.id and m.epoch = u.epoch and m.owner = $1
    where`,
        replace: `join taskforce.missions m on m.id = u.id
    where`,
      },
      {
        file: APPEND,
        find: 'where m.id = c.id and m.epoch = c.epoch and m.owner = $1',
        replace: 'where m.id = c.id and $1::uuid is not null',
      },
      {
        file: 'src/db/queries/release-mission.ts',
        find: 'select inbox from taskforce.missions where id = $1 and epoch = $2 and owner = $3',
        replace: 'select inbox from taskforce.missions where id = $1 and ($2::int, $3::uuid) is not null',
      },
    ],
    proof: simulationOnSql(2_140),
    rule: 'I10',
  },
  {
    name: 'claim-takes-from-the-living',
    breaks: 'Instances take each other’s missions away in the middle of the work.',
    file: CLAIM,
    find: 'where i.alive_until > now()',
    replace: 'where i.alive_until > now() + make_interval(hours => 1)',
    proof: simulationOnSql(),
    rule: 'I10',
  },
  {
    name: 'nobody-takes-over',
    breaks: 'The missions of an instance that died lie still for ever.',
    file: CLAIM,
    find: 'where m.owner is not null and m.owner not in (${LIVING}) and m.wake_at <= now()',
    replace: 'where false and m.owner not in (${LIVING}) and m.wake_at <= now()',
    proof: simulationOnSql(),
    rule: 'I8',
  },
  {
    name: 'answer-not-counted',
    breaks: 'The instance that holds a mission does not learn that something came in.',
    file: 'src/db/queries/missions.ts',
    find: `      set inbox = inbox + 1,
          wake_at = case when status = 'paused' then wake_at else least(wake_at, now()) end,`,
    replace: `      set wake_at = case when status = 'paused' then wake_at else least(wake_at, now()) end,`,
    proof: simulationOnSql(),
    rule: 'I7',
  },
  {
    name: 'limit-of-a-tenant-ignored',
    breaks: 'A tenant that may have one mission on the move has many, and others wait for it.',
    file: CLAIM,
    find: 'select id, weight, max_running - (',
    replace: 'select id, weight, 1000 + max_running - (',
    proof: simulationOnSql(465),
    rule: 'room',
  },
]
