SET default_tablespace = '';

--
-- Name: contents contents_pkey; Type: CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.contents
    ADD CONSTRAINT contents_pkey PRIMARY KEY (tenant_id, sha256);

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
-- Name: missions_wake; Type: INDEX; Schema: taskforce; Owner: taskforce_owner
--

CREATE INDEX missions_wake ON taskforce.missions USING btree (priority DESC, wake_at) WHERE (wake_at IS NOT NULL);

--
-- Name: contents contents_tenant_id_fkey; Type: FK CONSTRAINT; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE ONLY taskforce.contents
    ADD CONSTRAINT contents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id);

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
-- Name: contents; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.contents ENABLE ROW LEVEL SECURITY;

--
-- Name: events; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.events ENABLE ROW LEVEL SECURITY;

--
-- Name: contents every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.contents TO taskforce_engine USING (true) WITH CHECK (true);

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
-- Name: tenants every_tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY every_tenant ON taskforce.tenants FOR SELECT TO taskforce_engine USING (true);

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
-- Name: tenants owner; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY owner ON taskforce.tenants TO taskforce_owner USING (true) WITH CHECK (true);

--
-- Name: profiles; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.profiles ENABLE ROW LEVEL SECURITY;

--
-- Name: contents reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.contents FOR SELECT TO taskforce_backup USING (true);

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
-- Name: tenants reader; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY reader ON taskforce.tenants FOR SELECT TO taskforce_backup USING (true);

--
-- Name: contents tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.contents TO taskforce_api USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));

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
-- Name: tenants tenant; Type: POLICY; Schema: taskforce; Owner: taskforce_owner
--

CREATE POLICY tenant ON taskforce.tenants FOR SELECT TO taskforce_api USING ((id = (current_setting('app.tenant'::text))::uuid));

--
-- Name: tenants; Type: ROW SECURITY; Schema: taskforce; Owner: taskforce_owner
--

ALTER TABLE taskforce.tenants ENABLE ROW LEVEL SECURITY;
