-- A diamond: b and c refer to a, d to both, with keys of every kind.  A row of a is deleted on a native twin and on managed tables; the
-- same rows go, or the same kind of key refuses.  Native PostgreSQL follows the
-- keys in the order in which they were made, so that a RESTRICT or NO ACTION key
-- may refuse a row that a CASCADE key would have taken a moment later; here keys
-- refuse when all cascades are done, whatever their order: the outcome is that
-- of the order that lets more through.  Then what was deleted comes back, or is
-- purged.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_diamonds;
SET search_path = fk_diamonds;
CREATE TABLE outcomes (keys text, native text, reversed text, managed text, back text, purged text);

CREATE FUNCTION make(prefix text, keys text[], reversed boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	this	text[];
BEGIN
	EXECUTE format('CREATE TABLE %1$sa (id int PRIMARY KEY); CREATE TABLE %1$sb (id int PRIMARY KEY, a int);
					CREATE TABLE %1$sc (id int PRIMARY KEY, a int); CREATE TABLE %1$sd (id int PRIMARY KEY, b int, c int)', prefix);
	FOR this IN
		SELECT ARRAY[child, key, parent, keys[n]]
		  FROM (VALUES (1, 'b', 'a', 'a'), (2, 'c', 'a', 'a'), (3, 'd', 'b', 'b'), (4, 'd', 'c', 'c')) AS k(n, child, key, parent)
		 ORDER BY CASE WHEN reversed THEN -n ELSE n END
	LOOP
		EXECUTE format('ALTER TABLE %1$s%2$s ADD CONSTRAINT "%2$s to %4$s" FOREIGN KEY (%3$I) REFERENCES %1$s%4$s ON DELETE %5$s', prefix, this[1], this[2], this[3], this[4]);
	END LOOP;
	EXECUTE format('INSERT INTO %1$sa VALUES (1), (2); INSERT INTO %1$sb VALUES (1, 1), (2, 2); INSERT INTO %1$sc VALUES (1, 1), (2, 2);
					INSERT INTO %1$sd VALUES (1, 1, 1), (2, 2, 2), (3, NULL, NULL)', prefix);
END $$;
-- the ids that are left in each of the four tables
CREATE FUNCTION ids(prefix text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('SELECT format(''a %%s b %%s c %%s d %%s'', (SELECT array_agg(id ORDER BY id) FROM %1$sa), (SELECT array_agg(id ORDER BY id) FROM %1$sb),
					(SELECT array_agg(id ORDER BY id) FROM %1$sc), (SELECT array_agg(id ORDER BY id) FROM %1$sd))', prefix) INTO result;
	RETURN result;
END $$;
CREATE FUNCTION delete_one(prefix text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DELETE FROM %sa WHERE id = 1', prefix);
	RETURN ids(prefix);
EXCEPTION WHEN integrity_constraint_violation THEN
	RETURN 'refused';
END $$;
CREATE PROCEDURE go_through(keys text[])
LANGUAGE plpgsql AS $$
DECLARE
	o	outcomes;
	all_ids	text;
BEGIN
	o.keys := array_to_string(keys, ', ');
	PERFORM make('n_', keys, false), make('r_', keys, true), make('m_', keys, false);
	PERFORM softdelete.enable(('m_' || t)::regclass) FROM unnest('{d,c,b,a}'::text[]) t;
	COMMIT;
	all_ids := ids('m_');
	o.native := delete_one('n_');
	o.reversed := delete_one('r_');
	o.managed := delete_one('m_');
	COMMIT;
	o.back := 'nothing to restore';
	o.purged := 'nothing to purge';
	IF o.managed <> 'refused' THEN
		PERFORM softdelete.undo(max(l.id)) FROM softdelete.deletions l WHERE l.target = 'm_a'::regclass;
		o.back := CASE ids('m_') WHEN all_ids THEN 'back' ELSE ids('m_') END;
		COMMIT;
		PERFORM delete_one('m_');
		COMMIT;
		PERFORM softdelete.purge_expired(('m_' || t)::regclass, older_than => '0') FROM unnest('{d,c,b,a}'::text[]) t;
		COMMIT;
		PERFORM set_config('softdelete.visibility', 'all', true);
		o.purged := CASE ids('m_') WHEN o.managed THEN 'purged' ELSE ids('m_') END;
		-- and the kept links are cut as native PostgreSQL cut them
		IF o.native = o.managed AND EXISTS ((SELECT id, b, c FROM m_d EXCEPT TABLE n_d) UNION ALL (SELECT id, a, 0 FROM m_b EXCEPT SELECT *, 0 FROM n_b)
											UNION ALL (SELECT id, a, 0 FROM m_c EXCEPT SELECT *, 0 FROM n_c)) THEN
			o.purged := o.purged || ', other links';
		END IF;
		PERFORM set_config('softdelete.visibility', 'live', true);
	END IF;
	INSERT INTO outcomes VALUES (o.*);
	DROP TABLE n_d, n_c, n_b, n_a, r_d, r_c, r_b, r_a, m_d, m_c, m_b, m_a;
	COMMIT;
END $$;
DO $$
DECLARE
	keys	text[];
BEGIN
	FOR keys IN
		SELECT ARRAY[k1, k2, k3, k4] FROM unnest('{CASCADE,SET NULL}'::text[]) k1, unnest('{CASCADE,SET NULL}'::text[]) k2,
			   unnest('{CASCADE,RESTRICT,NO ACTION,SET NULL}'::text[]) k3, unnest('{CASCADE,RESTRICT,NO ACTION,SET NULL}'::text[]) k4
	LOOP
		CALL go_through(keys);
	END LOOP;
END $$;

SELECT count(*) AS diamonds, count(*) FILTER (WHERE managed = 'refused') AS refused, count(*) FILTER (WHERE native <> reversed) AS by_order FROM outcomes;
SELECT back, purged, count(*) FROM outcomes GROUP BY 1, 2 ORDER BY 1, 2;
-- neither as native PostgreSQL in one order of the keys nor in the other
SELECT * FROM outcomes WHERE managed NOT IN (native, reversed) ORDER BY keys;
-- where the order matters: never refused
SELECT keys, native, reversed, managed FROM outcomes WHERE native <> reversed ORDER BY keys;
