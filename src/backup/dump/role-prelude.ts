import { SCHEMA_ROLES } from '../../db/roles.ts'
import { literal } from '../plain/quote.ts'

/**
 * Makes the roles that the schema's grants and policies name, so that plain psql can restore into an empty server. Where the
 * login may not, it says so and goes on: the first statement that needs the role is what fails.
 */
export function rolePrelude(): string {
  return `do $$
declare
  wanted text;
begin
  foreach wanted in array array[${SCHEMA_ROLES.map(literal).join(', ')}] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute pg_catalog.format('create role %I nologin nobypassrls', wanted);
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then raise warning 'the role % is missing, and this login may not make it', wanted;
      end;
    end if;
  end loop;
end
$$;
`
}
