-- Runs once, when the compose file's Postgres makes its data folder; the schema itself comes from `npm run migrate -- up`.
-- The login of the app: its statements run with the engine's rights, and the API's transactions take up taskforce_api, which
-- sees one tenant's rows; backups take up taskforce_backup, and retention taskforce_retention. The roles between keep the app
-- from having all of it at once (Postgres 15 has no choice per grant).
\getenv password DB_PASSWORD
create role taskforce_owner nologin;
create role taskforce_api nologin;
create role taskforce_engine nologin;
create role taskforce_backup nologin;
create role taskforce_retention nologin;
-- createdb: a restore drill restores the newest backup into a database of its own, and drops it.
create role taskforce_app login nosuperuser nobypassrls createdb password :'password';
create role taskforce_app_as_taskforce_api nologin noinherit;
create role taskforce_app_as_taskforce_backup nologin noinherit;
create role taskforce_app_as_taskforce_retention nologin noinherit;
grant taskforce_engine to taskforce_app;
grant taskforce_api to taskforce_app_as_taskforce_api;
grant taskforce_app_as_taskforce_api to taskforce_app;
grant taskforce_backup to taskforce_app_as_taskforce_backup;
grant taskforce_app_as_taskforce_backup to taskforce_app;
grant taskforce_retention to taskforce_app_as_taskforce_retention;
grant taskforce_app_as_taskforce_retention to taskforce_app;
-- Behind a pooler a connection can't ask for these, so they belong to the login.
alter role taskforce_app set lock_timeout = '5s';
alter role taskforce_app set statement_timeout = '30s';
alter role taskforce_app set idle_in_transaction_session_timeout = '15s';
