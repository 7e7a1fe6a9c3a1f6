drop table taskforce.facts, taskforce.idempotency_keys, taskforce.contents, taskforce.events, taskforce.missions,
  taskforce.instances, taskforce.profiles, taskforce.tenants;
