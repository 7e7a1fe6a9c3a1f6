-- minCode: 1
-- Tenants in turn at the claim, missions that go on from others, and what is shown while a step is still under way.

-- Most missions of the tenant that move at once, over all instances; null: no limit.
alter table taskforce.tenants add column max_running integer check (max_running > 0);
-- Counts the claims that looked at the limit: two claimers of one moment must not both take the last place.
alter table taskforce.tenants add column turns integer not null default 0;
create policy takes_turns on taskforce.tenants for update to taskforce_engine using (true) with check (true);
grant update (turns) on taskforce.tenants to taskforce_engine;

-- The mission whose first events this one goes on from. They are read by reference, so that mission must be kept as long.
alter table taskforce.missions add column forked_from uuid;
alter table taskforce.missions add column forked_seq integer check (forked_seq > 0);
create index missions_forked on taskforce.missions (forked_from) where forked_from is not null;

-- What may move now without an owner, in each tenant's own order; and what waits for its time. One index for both would be
-- walked past every waiting mission at each claim.
create index missions_ready on taskforce.missions (tenant_id, priority desc, wake_at)
  where owner is null and wake_at is not null and status in ('queued', 'running');
create index missions_due on taskforce.missions (tenant_id, wake_at)
  where owner is null and wake_at is not null and status = 'waiting';
drop index taskforce.missions_wake;

-- The text of a model's answer so far, for those who read along; gone when the step is recorded. Unlogged: it is a preview,
-- and costs no WAL.
create unlogged table taskforce.deltas (
  mission_id uuid primary key,
  tenant_id uuid not null references taskforce.tenants,
  epoch integer not null,
  -- The journal's length when the model was asked: a preview of the event after it, or a later one.
  after_seq integer not null,
  text text not null,
  at timestamptz not null default clock_timestamp()
);
-- Which missions somebody reads along with, as their watchers say every few seconds.
create unlogged table taskforce.watched (
  mission_id uuid primary key,
  tenant_id uuid not null references taskforce.tenants,
  until timestamptz not null
);

do $$
declare
  table_name text;
begin
  foreach table_name in array array['deltas', 'watched'] loop
    execute format('alter table taskforce.%I enable row level security, force row level security', table_name);
    execute format($p$create policy tenant on taskforce.%I to taskforce_api
      using (tenant_id = current_setting('app.tenant')::uuid) with check (tenant_id = current_setting('app.tenant')::uuid)$p$, table_name);
    execute format('create policy every_tenant on taskforce.%I to taskforce_engine using (true) with check (true)', table_name);
    execute format('create policy owner on taskforce.%I to taskforce_owner using (true) with check (true)', table_name);
    execute format('create policy reader on taskforce.%I for select to taskforce_backup using (true)', table_name);
  end loop;
end
$$;
grant select on taskforce.deltas, taskforce.watched to taskforce_api, taskforce_backup;
grant select, insert, update, delete on taskforce.deltas, taskforce.watched to taskforce_engine;
