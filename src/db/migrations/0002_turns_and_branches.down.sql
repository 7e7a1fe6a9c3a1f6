drop table taskforce.watched, taskforce.deltas;
create index missions_wake on taskforce.missions (priority desc, wake_at) where wake_at is not null;
drop index taskforce.missions_ready, taskforce.missions_due, taskforce.missions_forked;
alter table taskforce.missions drop column forked_seq, drop column forked_from;
revoke update (turns) on taskforce.tenants from taskforce_engine;
drop policy takes_turns on taskforce.tenants;
alter table taskforce.tenants drop column turns, drop column max_running;
