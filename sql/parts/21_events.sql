-- Columns are known to src/engine/eventrow.h, lognote.c and src/calls/events.c.  No sequence: a
-- subscriber that takes over would have to set one more.
CREATE TABLE event_log (
	id				uuid DEFAULT gen_random_uuid(),
	at				timestamptz NOT NULL,
	what			text NOT NULL,
	deletion_id		bigint NOT NULL,
	target			regclass,
	rows			bigint NOT NULL,
	role			text COLLATE "C" NOT NULL,
	session_role	text COLLATE "C" NOT NULL,
	actor			text,
	reason			text,
	txid			bigint NOT NULL,
	key_of			regclass,
	key				text[],
	last_id			bigint,
	PRIMARY KEY (deletion_id, id)
);
COMMENT ON TABLE event_log IS 'one row for each deletion that a statement restored or purged, wholly or in part; of expired rows one for many deletions';
COMMENT ON COLUMN event_log.key IS 'the key that the call named, if it named one, in table key_of';
COMMENT ON COLUMN event_log.last_id IS 'not null: deletions of this target from deletion_id to this one were purged together';
CREATE INDEX event_log_key_idx ON event_log (key_of, key) WHERE key IS NOT NULL;
COMMENT ON INDEX event_log_key_idx IS 'finds what became of a row';
CREATE INDEX event_log_last_id_idx ON event_log (last_id) WHERE last_id IS NOT NULL;
COMMENT ON INDEX event_log_last_id_idx IS 'finds the purges of many deletions';

REVOKE ALL ON event_log FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('event_log', 'WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid IN (target, key_of) AND relpersistence = ''t'')');
