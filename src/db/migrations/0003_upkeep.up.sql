-- minCode: 1
-- What backups, drills and retention did, how long a tenant's missions are kept, and the right to take them away.

create table taskforce.upkeep (
  id uuid primary key,
  kind text not null check (kind in ('backup', 'drill', 'prune', 'retain', 'restore', 'delete_tenant')),
  -- The backup that it was about.
  backup text,
  started_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp(),
  ok boolean not null,
  -- What, how much, why.
  report jsonb not null
);
create index upkeep_latest on taskforce.upkeep (kind, ended_at desc);

-- Days that an ended mission is kept for, by tenant and how it ended; absent: what the deployment says.
create table taskforce.retention (
  tenant_id uuid not null references taskforce.tenants,
  status text not null check (status in ('completed', 'failed', 'cancelled')),
  keep_days integer not null check (keep_days >= 0),
  primary key (tenant_id, status)
);

-- From then on nothing of the tenant moves, and its rows go.
alter table taskforce.tenants add column deleted_at timestamptz;

-- What retention looks for: ended missions by their age.
create index missions_ended on taskforce.missions (tenant_id, status, ended_at) where ended_at is not null;
create index idempotency_keys_created on taskforce.idempotency_keys (created_at);

-- Nobody else may take anything away.
grant usage on schema taskforce to taskforce_retention;
grant select, delete on taskforce.missions, taskforce.events, taskforce.contents, taskforce.profiles,
  taskforce.idempotency_keys, taskforce.deltas, taskforce.watched, taskforce.retention to taskforce_retention;
grant select, update, delete on taskforce.tenants to taskforce_retention;
grant update on taskforce.missions to taskforce_retention;
grant select on taskforce.migrations, taskforce.facts, taskforce.instances to taskforce_retention;
grant select, insert, delete on taskforce.upkeep to taskforce_retention;
-- Stored again, a file is young again: retention takes away what no event names, and the event comes after the file.
grant update (created_at) on taskforce.contents to taskforce_api, taskforce_engine;
grant select on taskforce.upkeep, taskforce.retention to taskforce_api, taskforce_engine, taskforce_backup;
grant insert on taskforce.upkeep to taskforce_engine;

do $$
declare
  table_name text;
begin
  foreach table_name in array
    array['missions', 'events', 'contents', 'profiles', 'idempotency_keys', 'deltas', 'watched', 'tenants'] loop
    execute format('create policy retention on taskforce.%I to taskforce_retention using (true) with check (true)', table_name);
  end loop;
end
$$;
alter table taskforce.retention enable row level security, force row level security;
create policy tenant on taskforce.retention for select to taskforce_api using (tenant_id = current_setting('app.tenant')::uuid);
create policy every_tenant on taskforce.retention for select to taskforce_engine using (true);
create policy owner on taskforce.retention to taskforce_owner using (true) with check (true);
create policy reader on taskforce.retention for select to taskforce_backup using (true);
create policy retention on taskforce.retention to taskforce_retention using (true) with check (true);
