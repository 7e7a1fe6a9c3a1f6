do $$
declare
  table_name text;
begin
  foreach table_name in array
    array['missions', 'events', 'contents', 'profiles', 'idempotency_keys', 'deltas', 'watched', 'tenants'] loop
    execute format('drop policy retention on taskforce.%I', table_name);
  end loop;
end
$$;
revoke update (created_at) on taskforce.contents from taskforce_api, taskforce_engine;
drop index taskforce.idempotency_keys_created, taskforce.missions_ended;
alter table taskforce.tenants drop column deleted_at;
drop table taskforce.retention, taskforce.upkeep;
revoke all on all tables in schema taskforce from taskforce_retention;
revoke usage on schema taskforce from taskforce_retention;
