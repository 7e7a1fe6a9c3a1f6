-- minCode: 1
-- The schema of one mission's life: the journal (events) is the truth, everything else a projection or a lookup.
-- tenant_id is on every table, row-level security on every table that holds a tenant's data.

create table taskforce.tenants (
  id uuid primary key,
  name text not null unique,
  -- Share of the claims that a tenant gets when several have work; 1 is the ordinary share.
  weight integer not null default 1 check (weight between 1 and 1000),
  created_at timestamptz not null default now()
);

create table taskforce.profiles (
  tenant_id uuid not null references taskforce.tenants,
  hash text not null,
  name text not null,
  body jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, hash)
);

create table taskforce.instances (
  id uuid primary key,
  alive_until timestamptz not null,
  started_at timestamptz not null default now(),
  version text not null,
  host text not null
);

create table taskforce.missions (
  id uuid primary key,
  tenant_id uuid not null references taskforce.tenants,
  status text not null check (status in ('queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled')),
  -- The first 2,000 characters, for lists; the journal has the whole.
  goal text not null,
  profile text not null,
  profile_hash text not null,
  labels jsonb not null default '{}',
  priority smallint not null default 0,
  -- Lease: the instance that may advance the mission; void when the instance's row has expired. No foreign key: rows of
  -- dead instances are removed while missions still name them.
  epoch integer not null default 0,
  owner uuid,
  -- When the mission may move next; null while it waits for somebody, or has ended.
  wake_at timestamptz,
  -- Counts what came from outside the lease (answers, cancels): a release is refused where it would miss one.
  inbox integer not null default 0,
  -- Claims in a row that ended in a crash without an event, and the journal's length at the last claim.
  crashes smallint not null default 0,
  claimed_seq integer not null default 0,
  -- Projection for lists, written at transitions only: usage, lastSeq, waitingFor, result, error.
  summary jsonb not null default '{}',
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  foreign key (tenant_id, profile_hash) references taskforce.profiles (tenant_id, hash)
);
create index missions_wake on taskforce.missions (priority desc, wake_at) where wake_at is not null;
create index missions_owner on taskforce.missions (owner) where owner is not null;
create index missions_list on taskforce.missions (tenant_id, created_at desc, id desc);
create index missions_labels on taskforce.missions using gin (labels jsonb_path_ops);

-- No foreign key to missions: every insert already joins missions on id and epoch, and a key check costs a lock a step.
create table taskforce.events (
  mission_id uuid not null,
  seq integer not null check (seq > 0),
  epoch integer not null,
  v smallint not null,
  type text not null,
  data jsonb not null,
  at timestamptz not null default clock_timestamp(),
  tenant_id uuid not null,
  primary key (mission_id, seq)
);

-- Files and large payloads, once per hash and tenant, up to 16 MiB.
create table taskforce.contents (
  tenant_id uuid not null references taskforce.tenants,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes bytea not null check (octet_length(bytes) <= 16777216),
  created_at timestamptz not null default now(),
  primary key (tenant_id, sha256)
);

create table taskforce.idempotency_keys (
  tenant_id uuid not null references taskforce.tenants,
  key text not null,
  fingerprint text not null,
  mission_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, key)
);

-- Facts about the deployment as a whole, such as when the last sweep ran.
create table taskforce.facts (
  name text primary key,
  at timestamptz not null default now(),
  value jsonb not null default '{}'
);

insert into taskforce.tenants (id, name) values ('00000000-0000-7000-8000-000000000001', 'default');

-- Row-level security. `current_setting` without missing_ok fails closed: a query outside a tenant's transaction is an error.
do $$
declare
  table_name text;
begin
  foreach table_name in array array['missions', 'events', 'contents', 'profiles', 'idempotency_keys'] loop
    execute format('alter table taskforce.%I enable row level security, force row level security', table_name);
    execute format($p$create policy tenant on taskforce.%I to taskforce_api
      using (tenant_id = current_setting('app.tenant')::uuid) with check (tenant_id = current_setting('app.tenant')::uuid)$p$, table_name);
    execute format('create policy every_tenant on taskforce.%I to taskforce_engine using (true) with check (true)', table_name);
    execute format('create policy owner on taskforce.%I to taskforce_owner using (true) with check (true)', table_name);
    execute format('create policy reader on taskforce.%I for select to taskforce_backup using (true)', table_name);
  end loop;
end
$$;
-- An event must also belong to a mission of the tenant: its key names the mission alone. Only the API pays for this look;
-- the engine's inserts join missions anyway.
alter policy tenant on taskforce.events with check (
  tenant_id = current_setting('app.tenant')::uuid and exists (select from taskforce.missions m where m.id = mission_id));
alter table taskforce.tenants enable row level security, force row level security;
create policy tenant on taskforce.tenants for select to taskforce_api using (id = current_setting('app.tenant')::uuid);
create policy every_tenant on taskforce.tenants for select to taskforce_engine using (true);
create policy owner on taskforce.tenants to taskforce_owner using (true) with check (true);
create policy reader on taskforce.tenants for select to taskforce_backup using (true);

grant usage on schema taskforce to taskforce_api, taskforce_engine, taskforce_backup;
grant select on all tables in schema taskforce to taskforce_api, taskforce_engine, taskforce_backup;
grant insert, update on taskforce.missions to taskforce_api, taskforce_engine;
grant insert on taskforce.events, taskforce.contents to taskforce_api, taskforce_engine;
grant insert on taskforce.profiles, taskforce.idempotency_keys to taskforce_api;
grant insert, update, delete on taskforce.instances to taskforce_engine;
grant insert, update on taskforce.facts to taskforce_engine;
