/**
 * Lets the login that restores by plain psql give the schema to `taskforce_owner` and go on working in it. Who makes a role may
 * grant it, and is no member: before 16 nothing is granted, from 16 on it can't be set. Changes nothing for a superuser, nor
 * where somebody granted it before; where this login may not, it says so and goes on, like the roles.
 */
export function ownerMembership(): string {
  return `do $$
declare
  modern constant boolean := pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000;
  kind constant text := case when modern then 'set' else 'member' end;
begin
  if pg_catalog.pg_has_role('taskforce_owner', kind) and pg_catalog.pg_has_role('taskforce_owner', 'usage') then
    return;
  end if;
  begin
    execute pg_catalog.format('grant taskforce_owner to %I', current_user)
      || case when modern then ' with inherit true, set true' else '' end;
  exception
    -- The first two: another restore by this login has granted it at the same time.
    when unique_violation or internal_error or insufficient_privilege then null;
  end;
  if not pg_catalog.pg_has_role('taskforce_owner', kind) then
    raise warning 'this login may not become taskforce_owner, and may not grant itself that';
  end if;
exception
  when undefined_object then null;
end
$$;
`
}
