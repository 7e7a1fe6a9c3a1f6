/** Moves everything that is known about mission $1 into the past by $2 seconds, which is as good as waiting. */
export const LET_TIME_PASS = `
  with past as (
    update taskforce.events
    set at = at - make_interval(secs => $2::float8),
        data = data || coalesce((
          select jsonb_object_agg(key, to_char((value::timestamptz - make_interval(secs => $2::float8)) at time zone 'utc',
            'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
          from jsonb_each_text(data) where key in ('until', 'deadline')), '{}')
    where mission_id = $1
  )
  update taskforce.missions set wake_at = wake_at - make_interval(secs => $2::float8) where id = $1`
