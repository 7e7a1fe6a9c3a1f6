SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: taskforce; Type: SCHEMA; Schema: -; Owner: taskforce_owner
--

CREATE SCHEMA taskforce;


ALTER SCHEMA taskforce OWNER TO taskforce_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: contents; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.contents (
    tenant_id uuid NOT NULL,
    sha256 text NOT NULL,
    bytes bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contents_bytes_check CHECK ((octet_length(bytes) <= 16777216)),
    CONSTRAINT contents_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE ONLY taskforce.contents FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.contents OWNER TO taskforce_owner;

--
-- Name: deltas; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE UNLOGGED TABLE taskforce.deltas (
    mission_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    epoch integer NOT NULL,
    after_seq integer NOT NULL,
    text text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY taskforce.deltas FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.deltas OWNER TO taskforce_owner;

--
-- Name: events; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.events (
    mission_id uuid NOT NULL,
    seq integer NOT NULL,
    epoch integer NOT NULL,
    v smallint NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tenant_id uuid NOT NULL,
    CONSTRAINT events_seq_check CHECK ((seq > 0))
);

ALTER TABLE ONLY taskforce.events FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.events OWNER TO taskforce_owner;

--
-- Name: facts; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.facts (
    name text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    value jsonb DEFAULT '{}'::jsonb NOT NULL
);


ALTER TABLE taskforce.facts OWNER TO taskforce_owner;

--
-- Name: idempotency_keys; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.idempotency_keys (
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    mission_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY taskforce.idempotency_keys FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.idempotency_keys OWNER TO taskforce_owner;

--
-- Name: instances; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.instances (
    id uuid NOT NULL,
    alive_until timestamp with time zone NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    version text NOT NULL,
    host text NOT NULL
);


ALTER TABLE taskforce.instances OWNER TO taskforce_owner;

--
-- Name: migrations; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.migrations (
    revision integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    min_code integer NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


ALTER TABLE taskforce.migrations OWNER TO taskforce_owner;

--
-- Name: missions; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.missions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    goal text NOT NULL,
    profile text NOT NULL,
    profile_hash text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    epoch integer DEFAULT 0 NOT NULL,
    owner uuid,
    wake_at timestamp with time zone,
    inbox integer DEFAULT 0 NOT NULL,
    crashes smallint DEFAULT 0 NOT NULL,
    claimed_seq integer DEFAULT 0 NOT NULL,
    summary jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    forked_from uuid,
    forked_seq integer,
    CONSTRAINT missions_forked_seq_check CHECK ((forked_seq > 0)),
    CONSTRAINT missions_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'paused'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY taskforce.missions FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.missions OWNER TO taskforce_owner;

--
-- Name: profiles; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.profiles (
    tenant_id uuid NOT NULL,
    hash text NOT NULL,
    name text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY taskforce.profiles FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.profiles OWNER TO taskforce_owner;

--
-- Name: retention; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.retention (
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    keep_days integer NOT NULL,
    CONSTRAINT retention_keep_days_check CHECK ((keep_days >= 0)),
    CONSTRAINT retention_status_check CHECK ((status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY taskforce.retention FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.retention OWNER TO taskforce_owner;

--
-- Name: tenants; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    weight integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    max_running integer,
    turns integer DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT tenants_max_running_check CHECK ((max_running > 0)),
    CONSTRAINT tenants_weight_check CHECK (((weight >= 1) AND (weight <= 1000)))
);

ALTER TABLE ONLY taskforce.tenants FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.tenants OWNER TO taskforce_owner;

--
-- Name: upkeep; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE TABLE taskforce.upkeep (
    id uuid NOT NULL,
    kind text NOT NULL,
    backup text,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ok boolean NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT upkeep_kind_check CHECK ((kind = ANY (ARRAY['backup'::text, 'drill'::text, 'prune'::text, 'retain'::text, 'restore'::text, 'delete_tenant'::text])))
);


ALTER TABLE taskforce.upkeep OWNER TO taskforce_owner;

--
-- Name: watched; Type: TABLE; Schema: taskforce; Owner: taskforce_owner
--

CREATE UNLOGGED TABLE taskforce.watched (
    mission_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY taskforce.watched FORCE ROW LEVEL SECURITY;


ALTER TABLE taskforce.watched OWNER TO taskforce_owner;

--
-- Name: SCHEMA taskforce; Type: ACL; Schema: -; Owner: taskforce_owner
--

GRANT USAGE ON SCHEMA taskforce TO taskforce_api;
GRANT USAGE ON SCHEMA taskforce TO taskforce_engine;
GRANT USAGE ON SCHEMA taskforce TO taskforce_backup;
GRANT USAGE ON SCHEMA taskforce TO taskforce_retention;

--
-- Name: TABLE contents; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT ON TABLE taskforce.contents TO taskforce_api;
GRANT SELECT,INSERT ON TABLE taskforce.contents TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.contents TO taskforce_backup;
GRANT SELECT,DELETE ON TABLE taskforce.contents TO taskforce_retention;

--
-- Name: COLUMN contents.created_at; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT UPDATE(created_at) ON TABLE taskforce.contents TO taskforce_api;
GRANT UPDATE(created_at) ON TABLE taskforce.contents TO taskforce_engine;

--
-- Name: TABLE deltas; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.deltas TO taskforce_api;
GRANT SELECT ON TABLE taskforce.deltas TO taskforce_backup;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE taskforce.deltas TO taskforce_engine;
GRANT SELECT,DELETE ON TABLE taskforce.deltas TO taskforce_retention;

--
-- Name: TABLE events; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT ON TABLE taskforce.events TO taskforce_api;
GRANT SELECT,INSERT ON TABLE taskforce.events TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.events TO taskforce_backup;
GRANT SELECT,DELETE ON TABLE taskforce.events TO taskforce_retention;

--
-- Name: TABLE facts; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.facts TO taskforce_api;
GRANT SELECT,INSERT,UPDATE ON TABLE taskforce.facts TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.facts TO taskforce_backup;
GRANT SELECT ON TABLE taskforce.facts TO taskforce_retention;

--
-- Name: TABLE idempotency_keys; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT ON TABLE taskforce.idempotency_keys TO taskforce_api;
GRANT SELECT ON TABLE taskforce.idempotency_keys TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.idempotency_keys TO taskforce_backup;
GRANT SELECT,DELETE ON TABLE taskforce.idempotency_keys TO taskforce_retention;

--
-- Name: TABLE instances; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.instances TO taskforce_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE taskforce.instances TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.instances TO taskforce_backup;
GRANT SELECT ON TABLE taskforce.instances TO taskforce_retention;

--
-- Name: TABLE migrations; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.migrations TO taskforce_api;
GRANT SELECT ON TABLE taskforce.migrations TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.migrations TO taskforce_backup;
GRANT SELECT ON TABLE taskforce.migrations TO taskforce_retention;

--
-- Name: TABLE missions; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE taskforce.missions TO taskforce_api;
GRANT SELECT,INSERT,UPDATE ON TABLE taskforce.missions TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.missions TO taskforce_backup;
GRANT SELECT,DELETE,UPDATE ON TABLE taskforce.missions TO taskforce_retention;

--
-- Name: TABLE profiles; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT ON TABLE taskforce.profiles TO taskforce_api;
GRANT SELECT ON TABLE taskforce.profiles TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.profiles TO taskforce_backup;
GRANT SELECT,DELETE ON TABLE taskforce.profiles TO taskforce_retention;

--
-- Name: TABLE retention; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,DELETE ON TABLE taskforce.retention TO taskforce_retention;
GRANT SELECT ON TABLE taskforce.retention TO taskforce_api;
GRANT SELECT ON TABLE taskforce.retention TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.retention TO taskforce_backup;

--
-- Name: TABLE tenants; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.tenants TO taskforce_api;
GRANT SELECT ON TABLE taskforce.tenants TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.tenants TO taskforce_backup;
GRANT SELECT,DELETE,UPDATE ON TABLE taskforce.tenants TO taskforce_retention;

--
-- Name: COLUMN tenants.turns; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT UPDATE(turns) ON TABLE taskforce.tenants TO taskforce_engine;

--
-- Name: TABLE upkeep; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE taskforce.upkeep TO taskforce_retention;
GRANT SELECT ON TABLE taskforce.upkeep TO taskforce_api;
GRANT SELECT,INSERT ON TABLE taskforce.upkeep TO taskforce_engine;
GRANT SELECT ON TABLE taskforce.upkeep TO taskforce_backup;

--
-- Name: TABLE watched; Type: ACL; Schema: taskforce; Owner: taskforce_owner
--

GRANT SELECT ON TABLE taskforce.watched TO taskforce_api;
GRANT SELECT ON TABLE taskforce.watched TO taskforce_backup;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE taskforce.watched TO taskforce_engine;
GRANT SELECT,DELETE ON TABLE taskforce.watched TO taskforce_retention;
