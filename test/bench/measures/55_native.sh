# shellcheck shell=bash disable=SC2154
# What a native twin does without softdelete: triggers of a DELETE, rows with keys of
# their own, COPY.  Sourced by ../run, whose variables and functions it uses.

# ---- triggers: of a soft delete : the same of a native UPDATE of the same rows
triggered() { # NAME LABEL TIMING REST
	local function='CREATE OR REPLACE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE tg_op WHEN '\''DELETE'\'' THEN old ELSE new END; END $$;'
	data="$((100 * k)) 0 0" \
		soft_first="$function CREATE TRIGGER t $3 DELETE ON notes $4 EXECUTE FUNCTION fired()" \
		hand_first="$function CREATE TRIGGER t $3 UPDATE ON notes $4 EXECUTE FUNCTION fired()" \
		soft='DELETE FROM notes;' \
		hand='UPDATE notes SET deleted_at = now(), deletion_id = 1 WHERE deleted_at IS NULL;' \
		in_server "triggers-$1" '<= 1.10' "DELETE of $((100 * k)) rows with $2, fired at the soft delete : of a native UPDATE"
}
triggered before 'a BEFORE ROW trigger' BEFORE 'FOR EACH ROW'
triggered after 'an AFTER ROW trigger' AFTER 'FOR EACH ROW'
triggered when 'an AFTER ROW trigger whose WHEN is false' AFTER 'FOR EACH ROW WHEN (old.views < 0)'
triggered transition 'an AFTER STATEMENT trigger with a transition table' AFTER 'REFERENCING OLD TABLE AS gone FOR EACH STATEMENT'

# ---- rows that bring keys of their own, where nothing is deleted, and where a tenth is
keyed() { # NAME LIMIT LABEL STATEMENT [FIRST]
	local deleted suffix
	for deleted in false 'id % 10 = 0'; do
		suffix=
		[ "$deleted" = false ] || suffix=-trash
		data="$((100 * k)) 0 0" \
			soft_first="DELETE FROM notes WHERE $deleted" \
			hand_first="UPDATE notes SET deleted_at = now(), deletion_id = 1 WHERE $deleted; ${5:-}" \
			soft=$4 hand=$4 in_server "$1$suffix" "$2" "$3, no foreign key${suffix:+, a tenth of the table is deleted} : native"
	done
}
rows="SELECT 10000000 + n, 1, 'title', 'body' FROM generate_series(1, $((100 * k))) n"
keyed insert-keys none "INSERT of $((100 * k)) rows with keys of their own" \
	"INSERT INTO notes (id, author_id, title, body) $rows;"
keyed insert-generated '<= 1.04' "INSERT of $((100 * k)) rows with keys from a sequence" \
	"INSERT INTO notes (id, author_id, title, body) SELECT 10000000 + nextval('audit_id_seq'), 1, 'title', 'body' FROM generate_series(1, $((100 * k))) n;"
keyed copy-from none "COPY FROM of $((100 * k)) rows" \
	"COPY notes (id, author_id, title, body) FROM '${scratch:-}/copied';" "COPY ($rows) TO '${scratch:-}/copied'"
for deleted in false 'id % 10 = 0'; do
	suffix=
	[ "$deleted" = false ] || suffix=-trash
	statement="$id
INSERT INTO notes (id, author_id, title, body) VALUES (10000000 + :id, 1, 'title', 'body');"
	data="$((100 * k)) 0 0" \
		soft_first="DELETE FROM notes WHERE $deleted" \
		hand_first="UPDATE notes SET deleted_at = now(), deletion_id = 1 WHERE $deleted" \
		soft=$statement hand=$statement \
		by_pgbench insert-key-one$suffix '<= 1.10' "INSERT of one row with a key of its own, time${suffix:+, a tenth of the table is deleted} : native"
done

# ---- COPY of live rows : by a query with the condition written by hand
data="$((500 * k)) 0 0" \
	soft_first='DELETE FROM notes WHERE id % 10 = 0' \
	hand_first='UPDATE notes SET deleted_at = now(), deletion_id = 1 WHERE id % 10 = 0' \
	soft="COPY notes TO '/dev/null';" \
	hand="COPY (SELECT * FROM notes WHERE deleted_at IS NULL) TO '/dev/null';" \
	in_server copy-to '<= 1.02' "COPY TO of $((450 * k)) live rows of $((500 * k)) : COPY of a query by hand"
