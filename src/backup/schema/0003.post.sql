SET default_tablespace = '';

--
-- Name: contents contents_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.contents
    ADD CONSTRAINT contents_pkey PRIMARY KEY (tenant_id, sha256);

--
-- Name: deltas deltas_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.deltas
    ADD CONSTRAINT deltas_pkey PRIMARY KEY (mission_id);

--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (mission_id, seq);

--
-- Name: facts facts_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.facts
    ADD CONSTRAINT facts_pkey PRIMARY KEY (name);

--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, key);

--
-- Name: instances instances_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (id);

--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (revision);

--
-- Name: missions missions_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.missions
    ADD CONSTRAINT missions_pkey PRIMARY KEY (id);

--
-- Name: profiles profiles_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (tenant_id, hash);

--
-- Name: retention retention_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (tenant_id, status);

--
-- Name: tenants tenants_name_key; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);

--
-- Name: tenants tenants_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

--
-- Name: upkeep upkeep_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.upkeep
    ADD CONSTRAINT upkeep_pkey PRIMARY KEY (id);

--
-- Name: watched watched_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.watched
    ADD CONSTRAINT watched_pkey PRIMARY KEY (mission_id);

--
-- Name: idempotency_keys_created; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX idempotency_keys_created ON taskforce.idempotency_keys USING btree (created_at);

--
-- Name: missions_due; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_due ON taskforce.missions USING btree (tenant_id, wake_at) WHERE ((owner IS NULL) AND (wake_at IS NOT NULL) AND (status = 'waiting'::text));

--
-- Name: missions_ended; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_ended ON taskforce.missions USING btree (tenant_id, status, ended_at) WHERE (ended_at IS NOT NULL);

--
-- Name: missions_forked; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_forked ON taskforce.missions USING btree (forked_from) WHERE (forked_from IS NOT NULL);

--
-- Name: missions_labels; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_labels ON taskforce.missions USING gin (labels jsonb_path_ops);

--
-- Name: missions_list; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_list ON taskforce.missions USING btree (tenant_id, created_at DESC, id DESC);

--
-- Name: missions_owner; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_owner ON taskforce.missions USING btree (owner) WHERE (owner IS NOT NULL);

--
-- Name: missions_ready; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_ready ON taskforce.missions USING btree (tenant_id, priority DESC, wake_at) WHERE ((owner IS NULL) AND (wake_at IS NOT NULL) AND (status = ANY (ARRAY['queued'::text, 'running'::text])));

--
-- Name: upkeep_latest; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX upkeep_latest ON taskforce.upkeep USING btree (kind, ended_at DESC);

--
-- Name: contents contents_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.contents
    ADD CONSTRAINT contents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: deltas deltas_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.deltas
    ADD CONSTRAINT deltas_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: idempotency_keys idempotency_keys_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.idempotency_keys
    ADD CONSTRAINT idempotency_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: missions missions_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.missions
    ADD CONSTRAINT missions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: missions missions_tenant_id_profile_hash_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.missions
    ADD CONSTRAINT missions_tenant_id_profile_hash_fkey FOREIGN KEY (tenant_id, profile_hash) REFERENCES taskforce.profiles(tenant_id, hash);

--
-- Name: profiles profiles_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.profiles
    ADD CONSTRAINT profiles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: retention retention_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.retention
    ADD CONSTRAINT retention_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: watched watched_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.watched
    ADD CONSTRAINT watched_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

--
-- Name: contents; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.contents ENABLE ROW LEVEL SECURITY;

--
-- Name: deltas; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.deltas ENABLE ROW LEVEL SECURITY;

--
-- Name: events; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.events ENABLE ROW LEVEL SECURITY;

--
-- Name: contents every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.contents TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: deltas every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.deltas TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: events every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.events TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: idempotency_keys every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.idempotency_keys TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: missions every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.missions TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: profiles every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.profiles TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: retention every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.retention FOR SELECT TO taskforce_engine USING (true);

--
-- Name: tenants every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.tenants FOR SELECT TO taskforce_engine USING (true);

--
-- Name: watched every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.watched TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: idempotency_keys; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.idempotency_keys ENABLE ROW LEVEL SECURITY;

--
-- Name: missions; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.missions ENABLE ROW LEVEL SECURITY;

--
-- Name: contents owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.contents TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: deltas owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.deltas TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: events owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.events TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: idempotency_keys owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.idempotency_keys TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: missions owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.missions TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: profiles owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.profiles TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: retention owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.retention TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: tenants owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.tenants TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: watched owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.watched TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: profiles; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.profiles ENABLE ROW LEVEL SECURITY;

--
-- Name: contents reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.contents FOR SELECT TO taskforce_backup USING (true);

--
-- Name: deltas reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.deltas FOR SELECT TO taskforce_backup USING (true);

--
-- Name: events reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.events FOR SELECT TO taskforce_backup USING (true);

--
-- Name: idempotency_keys reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.idempotency_keys FOR SELECT TO taskforce_backup USING (true);

--
-- Name: missions reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.missions FOR SELECT TO taskforce_backup USING (true);

--
-- Name: profiles reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.profiles FOR SELECT TO taskforce_backup USING (true);

--
-- Name: retention reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.retention FOR SELECT TO taskforce_backup USING (true);

--
-- Name: tenants reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.tenants FOR SELECT TO taskforce_backup USING (true);

--
-- Name: watched reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.watched FOR SELECT TO taskforce_backup USING (true);

--
-- Name: contents retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.contents TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: deltas retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.deltas TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: events retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.events TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: idempotency_keys retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.idempotency_keys TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: missions retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.missions TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: profiles retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.profiles TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: retention; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.retention ENABLE ROW LEVEL SECURITY;

--
-- Name: retention retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.retention TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: tenants retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.tenants TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: watched retention; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY retention ON taskforce.watched TO taskforce_retention USING (true) WITH CHECK (true);

--
-- Name: tenants takes_turns; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY takes_turns ON taskforce.tenants FOR UPDATE TO taskforce_engine USING (true) WITH CHECK (true);

--
-- Name: contents tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.contents TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: deltas tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.deltas TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: events tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.events TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK (((tenant_id = (current_setting('app.tenant'::text))::uuid) AND (EXISTS ( SELECT
   FROM taskforce.missions m
  WHERE (m.id = events.mission_id)))));

--
-- Name: idempotency_keys tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.idempotency_keys TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: missions tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.missions TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: profiles tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.profiles TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: retention tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.retention FOR SELECT TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: tenants tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.tenants FOR SELECT TO taskforce_api USING ((id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: watched tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.watched TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: tenants; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.tenants ENABLE ROW LEVEL SECURITY;

--
-- Name: watched; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.watched ENABLE ROW LEVEL SECURITY;
