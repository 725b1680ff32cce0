-- enable() with another marker carries the deleted rows over, whether the table is managed or was
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_marker_change;
SET search_path = enable_marker_change;
CREATE FUNCTION counts(target regclass, OUT live bigint, OUT deleted bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', target) INTO live;
	SET LOCAL softdelete.visibility = deleted;
	EXECUTE format('SELECT count(*) FROM %s', target) INTO deleted;
	SET LOCAL softdelete.visibility = live;
END $$;
CREATE FUNCTION every_row(target regclass) RETURNS SETOF jsonb LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT to_jsonb(t) - ''deletion_id'' - ''deleted_at'' || jsonb_build_object(''has_id'', deletion_id IS NOT NULL, ''has_time'', deleted_at IS NOT NULL) FROM %s t ORDER BY id', target);
END $$;

-- a flag beside the time: at first deleted_at marks, then the application's own flag
CREATE TABLE "Flagged" (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false);
SELECT softdelete.enable('"Flagged"');
INSERT INTO "Flagged" VALUES (1), (2), (3), (4);
DELETE FROM "Flagged" WHERE id <= 2;
UPDATE "Flagged" SET is_deleted = true WHERE id = 3;	-- the application's own delete, which counted for nothing
SELECT softdelete.enable('"Flagged"', 'is_deleted');
SELECT every_row('"Flagged"');
SELECT * FROM counts('"Flagged"');
SELECT softdelete.restore('"Flagged"', 1);
-- and back
SELECT softdelete.enable('"Flagged"', 'deleted_at');
SELECT every_row('"Flagged"');
SELECT * FROM counts('"Flagged"');
-- the deletions are what they were, and can be undone
SELECT rows, restored, purged FROM softdelete.deletions WHERE target = '"Flagged"'::regclass ORDER BY id;
SELECT softdelete.undo(id) FROM softdelete.deletions WHERE target = '"Flagged"'::regclass ORDER BY id LIMIT 1;
SELECT every_row('"Flagged"');

-- by way of disable(): the same
SELECT softdelete.disable('"Flagged"');
SELECT col_description('"Flagged"'::regclass, attnum) FROM pg_attribute WHERE attrelid = '"Flagged"'::regclass AND attname = 'deletion_id';
SELECT softdelete.enable('"Flagged"', 'is_deleted');
SELECT col_description('"Flagged"'::regclass, attnum) FROM pg_attribute WHERE attrelid = '"Flagged"'::regclass AND attname = 'deletion_id';
SELECT every_row('"Flagged"');
SELECT * FROM counts('"Flagged"');
-- what an UPDATE brought back meanwhile is restored, and the log says so
DELETE FROM "Flagged" WHERE id = 4;
SELECT softdelete.disable('"Flagged"');
UPDATE "Flagged" SET is_deleted = false WHERE id = 4;
SELECT softdelete.enable('"Flagged"');
SELECT every_row('"Flagged"');
SELECT rows, restored, purged FROM softdelete.deletions WHERE target = '"Flagged"'::regclass ORDER BY id;
DO $$
BEGIN
	PERFORM softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = '"Flagged"'::regclass;
EXCEPTION WHEN others THEN
	RAISE NOTICE '%', regexp_replace(SQLERRM, '\d+', 'N');
END $$;

-- a status: what it was comes along in both directions
CREATE TYPE mood AS ENUM ('new', 'done', 'deleted', 'gone');
CREATE TABLE item (id int PRIMARY KEY, status mood NOT NULL, UNIQUE (status, id));
SELECT softdelete.enable('item');
INSERT INTO item VALUES (1, 'new'), (2, 'done'), (3, 'done');
DELETE FROM item WHERE id IN (1, 2);
SELECT softdelete.enable('item', 'status');
SELECT every_row('item');
SELECT softdelete.enable('item', 'status', 'gone');
SELECT every_row('item');
SELECT softdelete.restore('item', 2);
SELECT softdelete.enable('item');
SELECT every_row('item');
SELECT softdelete.restore('item', 1);
SELECT every_row('item');

-- the other way round everything would be deleted
CREATE TABLE round (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true, deleted_at timestamptz, deletion_id bigint);
SELECT softdelete.enable('round', 'is_active');
INSERT INTO round VALUES (1), (2);
DELETE FROM round WHERE id = 1;
SELECT softdelete.enable('round', 'is_active', 'true');
SELECT * FROM counts('round');

-- a partial index goes by the old marker
SELECT softdelete.enable('round', 'is_active');
SELECT softdelete.create_live_index('round', 'id');
SELECT softdelete.enable('round');
DROP INDEX round_id_live_idx;
SELECT softdelete.enable('round');
SELECT * FROM counts('round');

-- nobody knows any more by what they were marked
SELECT softdelete.disable('round');
COMMENT ON COLUMN round.deletion_id IS NULL;
SELECT softdelete.enable('round', 'is_active');
SELECT softdelete.disable('round');
SELECT softdelete.enable('round');
SELECT * FROM counts('round');
