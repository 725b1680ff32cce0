-- A trigger that restores the row that is being deleted, or deletes the one that
-- is being restored: what it did stands, and the row's children follow it.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA restore_in_trigger;
SET search_path = restore_in_trigger;
CREATE TABLE parent (id int PRIMARY KEY, keep boolean DEFAULT false, banned boolean DEFAULT false);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE leaf (id int PRIMARY KEY, up int REFERENCES child ON DELETE CASCADE);
INSERT INTO parent (id, keep) VALUES (1, true), (2, false), (3, true), (4, false);
INSERT INTO child SELECT 10 * id, id FROM parent;
INSERT INTO leaf SELECT 10 * id, id FROM child;
SELECT softdelete.enable('parent', cascade => true, triggers => 'update');
CREATE FUNCTION decide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.keep AND new.deleted_at IS NOT NULL AND old.deleted_at IS NULL THEN
		PERFORM softdelete.restore('restore_in_trigger.parent', new.id);
	ELSIF new.banned AND new.deleted_at IS NULL AND old.deleted_at IS NOT NULL THEN
		DELETE FROM restore_in_trigger.parent WHERE id = new.id;
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION live() RETURNS TABLE (tab text, ids int[]) LANGUAGE sql AS $$
	SELECT 'parent', array_agg(id ORDER BY id) FROM restore_in_trigger.parent
	UNION ALL SELECT 'child', array_agg(id ORDER BY id) FROM restore_in_trigger.child
	UNION ALL SELECT 'leaf', array_agg(id ORDER BY id) FROM restore_in_trigger.leaf
	UNION ALL SELECT 'orphans', array_agg(c.id ORDER BY c.id) FROM restore_in_trigger.child c
	 WHERE NOT EXISTS (SELECT FROM restore_in_trigger.parent p WHERE p.id = c.up) $$;
CREATE FUNCTION log() RETURNS TABLE (rows jsonb, restored bigint) LANGUAGE sql AS $$
	SELECT rows, restored FROM softdelete.deletions
	 WHERE target = 'restore_in_trigger.parent'::regclass ORDER BY id $$;

-- fires before the engine's own trigger, and after it
CREATE TRIGGER decide AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION decide();
DELETE FROM parent;
SELECT * FROM live();
SELECT * FROM log();
DROP TRIGGER decide ON parent;
CREATE TRIGGER "~~decide" AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION decide();
SELECT softdelete.restore('parent', 2);
UPDATE parent SET deleted_at = now() WHERE id IN (1, 2);
SELECT * FROM live();
SELECT * FROM log();

-- the other way round
SET softdelete.visibility = 'all';
UPDATE parent SET banned = true WHERE id = 2;
RESET softdelete.visibility;
SELECT softdelete.restore('parent', 2);
SELECT * FROM live();
SELECT * FROM log();

-- from a trigger for DELETE
DROP TRIGGER "~~decide" ON parent;
SELECT softdelete.enable('parent', triggers => 'delete');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.keep THEN
		PERFORM softdelete.restore('restore_in_trigger.parent', old.id);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION keep();
UPDATE parent SET keep = true WHERE id = 3;
DELETE FROM parent;
SELECT * FROM live();
