-- A service over items whose status is active, inactive, pending or deleted.  Its
-- answers come from SQLSTATEs: 404 for an unknown id, 409 for one that is deleted
-- already, 400 for one that is none; a recovered item has the status that it had.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA story_items;
SET search_path = story_items;
SET client_min_messages = warning;
CREATE TYPE item_status AS ENUM ('active', 'inactive', 'pending', 'deleted');
CREATE TABLE items (id uuid PRIMARY KEY, name text, status item_status NOT NULL DEFAULT 'pending', deleted_at timestamptz,
					updated_at timestamptz NOT NULL DEFAULT 'epoch');
CREATE INDEX by_status ON items (status);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	new.updated_at := clock_timestamp();
	RETURN new;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO items (id, name, status) SELECT format('00000000-0000-0000-0000-00000000000%s', n)::uuid, 'item ' || n, s::item_status
  FROM unnest('{active,inactive,pending,active}'::text[]) WITH ORDINALITY u(s, n);
-- both: what the updates of the application fire, its deletes do, too
SELECT softdelete.enable('items', 'status', triggers => 'both');
RESET client_min_messages;
SELECT target, marker, kind, live_predicate FROM softdelete.tables WHERE target = 'items'::regclass;
GRANT USAGE ON SCHEMA story_items TO sd_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON items TO sd_user;
GRANT CREATE ON SCHEMA story_items TO sd_user;

-- the service
SET SESSION AUTHORIZATION sd_user;
SET search_path = story_items;
CREATE FUNCTION answer(what text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ignored	bigint;
BEGIN
	EXECUTE format('SELECT softdelete.%I(''story_items.items'', $1)', what) INTO ignored USING id;
	RETURN '200';
EXCEPTION
	WHEN no_data_found THEN RETURN '404 ' || SQLERRM;
	WHEN invalid_text_representation THEN RETURN '400 ' || SQLERRM;
	WHEN SQLSTATE '55D01' THEN RETURN '409 ' || SQLERRM;
	WHEN SQLSTATE '55D02' THEN RETURN '409 ' || SQLERRM;
END $$;

------------------------------------------------------------------------------
-- DELETE /items/2: status, deleted_at and updated_at change, all three
------------------------------------------------------------------------------
SELECT answer('delete', '00000000-0000-0000-0000-000000000002');
SET softdelete.visibility = with_deleted;
SELECT name, status, deleted_at IS NOT NULL AS dated, updated_at > 'epoch' AS updated FROM items ORDER BY name;
-- again: 409, and nothing is restamped
SELECT deleted_at AS then, updated_at AS updated, deletion_id AS by FROM items WHERE name = 'item 2' \gset
SELECT answer('delete', '00000000-0000-0000-0000-000000000002');
SELECT deleted_at = :'then' AND updated_at = :'updated' AND deletion_id = :by AS as_before FROM items WHERE name = 'item 2';
RESET softdelete.visibility;
DELETE FROM items WHERE name = 'item 2';
SELECT count(*) AS deletions FROM softdelete.deletions WHERE target = 'items'::regclass;

------------------------------------------------------------------------------
-- Unknown: 404.  No id at all: 400, before any row is looked for
------------------------------------------------------------------------------
SELECT answer('delete', '00000000-0000-0000-0000-000000000009'), answer('restore', '00000000-0000-0000-0000-000000000009');
SELECT answer('delete', 'nonsense'), answer('restore', 'nonsense');
SELECT answer('delete', NULL);
-- what it may ask beforehand
SELECT n, softdelete.state('items', format('00000000-0000-0000-0000-00000000000%s', n)::uuid) FROM unnest('{1,2,9}'::int[]) n;
\set VERBOSITY default
SELECT softdelete.delete('items', '00000000-0000-0000-0000-000000000009');
SELECT softdelete.delete('items', 'nonsense');
DO $$ BEGIN PERFORM softdelete.delete('story_items.items', '00000000-0000-0000-0000-000000000002'); EXCEPTION WHEN SQLSTATE '55D01' THEN RAISE NOTICE 'already deleted'; END $$;
-- many, without exceptions
SELECT key, outcome FROM softdelete.delete_many('items', ARRAY['00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000004',
	'00000000-0000-0000-0000-000000000009']::uuid[]);

------------------------------------------------------------------------------
-- GET /items?status=active: by the index on status
------------------------------------------------------------------------------
SELECT name, status FROM items WHERE status = 'active' ORDER BY name;
SELECT name, status FROM items ORDER BY name;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM items WHERE status = 'active';
RESET enable_seqscan;
RESET enable_bitmapscan;

------------------------------------------------------------------------------
-- Recovery gives the former status back
------------------------------------------------------------------------------
DELETE FROM items;
SELECT key, outcome FROM softdelete.restore_many('items', (SELECT array_agg((key ->> 'id')::uuid ORDER BY key) FROM softdelete.trash('items')));
SELECT name, status, deleted_at FROM items ORDER BY name;
SELECT answer('restore', '00000000-0000-0000-0000-000000000001');
-- PATCH status=deleted is a delete like any other
UPDATE items SET status = 'deleted' WHERE name = 'item 3';
SELECT softdelete.state('items', '00000000-0000-0000-0000-000000000003');
SELECT answer('delete', '00000000-0000-0000-0000-000000000003'), answer('restore', '00000000-0000-0000-0000-000000000003');
SELECT name, status FROM items WHERE name = 'item 3';
