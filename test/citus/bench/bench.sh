# What distributed tables cost, as ratios to the same by hand; sourced by test/citus/run.
# The rounds alternate; the figure is the median of their ratios.
on 0 -d shop -q -f - <"$here/bench/setup.sql" >/dev/null
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-4}
mkdir -p "$scratch/bench"
chmod 777 "$scratch/bench"

tps() { # SCRIPT
	printf '%s\n' "$1" >"$scratch/bench/script"
	as_user env PGHOST=127.0.0.1 PGPORT="$(port 0)" "$server_bin/pgbench" -n -f "$scratch/bench/script" -c 2 -j 1 -T "$seconds" \
		-U shop_owner shop 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
took() { # SQL: milliseconds
	on 0 -d shop -U shop_owner -qAt -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{t += $1} END {print t}'
}
median() { sort -n | awk '{v[NR] = $1} END {printf "%.3f (%.3f to %.3f)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
# pair NAME SOFT HAND: tps of the one to tps of the other
pair() {
	local round
	for round in $(seq "$rounds"); do
		if [ $((round % 2)) = 0 ]; then soft=$(tps "$2") hand=$(tps "$3"); else hand=$(tps "$3") soft=$(tps "$2"); fi
		awk -v a="$soft" -v b="$hand" 'BEGIN {print a / b}'
	done | median | sed "s/^/$1: /"
	echo
}
key='\set t random(1, 100)
\set i random(1, 2000)'

pair 'DELETE by key : bare UPDATE, tps' "$key
DELETE FROM notes WHERE tenant = :t AND id = :i;" "$key
UPDATE hand_notes SET deleted_at = now() WHERE tenant = :t AND id = :i AND deleted_at IS NULL;"
pair 'DELETE by key : UPDATE and an audit row, tps' "$key
DELETE FROM notes WHERE tenant = :t AND id = :i;" "$key
BEGIN;
UPDATE hand_notes SET deleted_at = now() WHERE tenant = :t AND id = :i AND deleted_at IS NULL;
INSERT INTO hand_audit (at, who, actor, target, n) VALUES (now(), current_user, 'ann', 'hand_notes', 1);
COMMIT;"
pair 'SELECT by key : condition by hand, tps' "$key
SELECT body FROM notes WHERE tenant = :t AND id = :i;" "$key
SELECT body FROM hand_notes WHERE tenant = :t AND id = :i AND deleted_at IS NULL;"

for round in $(seq "$rounds"); do
	soft=$(took 'SELECT count(*), max(body) FROM notes') hand=$(took 'SELECT count(*), max(body) FROM hand_notes WHERE deleted_at IS NULL')
	awk -v a="$soft" -v b="$hand" 'BEGIN {print a / b}'
done | median | sed 's/^/aggregate over 200k rows : condition by hand, time: /'
echo

for round in $(seq "$rounds"); do
	on 0 -d shop -U shop_owner -q <<-'SQL'
		INSERT INTO posts SELECT t, i, 'post ' || i FROM generate_series(1, 100) t, generate_series(1, 1000) i;
		INSERT INTO files SELECT t, 10 * i + j, i FROM generate_series(1, 100) t, generate_series(1, 1000) i, generate_series(1, 6) j;
		INSERT INTO hand_posts SELECT t, i, 'post ' || i FROM generate_series(1, 100) t, generate_series(1, 1000) i;
		INSERT INTO hand_files SELECT t, 10 * i + j, i FROM generate_series(1, 100) t, generate_series(1, 1000) i, generate_series(1, 6) j;
		VACUUM ANALYZE posts, files, hand_posts, hand_files;
	SQL
	by_hand="BEGIN; UPDATE hand_posts SET deleted_at = now(), deletion_id = 1 WHERE deleted_at IS NULL;
		UPDATE hand_files f SET deleted_at = now(), deletion_id = 1 FROM hand_posts p WHERE p.tenant = f.tenant AND p.id = f.post AND p.deletion_id = 1 AND f.deleted_at IS NULL; COMMIT"
	if [ $((round % 2)) = 0 ]; then
		soft=$(took 'DELETE FROM posts') hand=$(took "$by_hand")
	else
		hand=$(took "$by_hand") soft=$(took 'DELETE FROM posts')
	fi
	awk -v a="$soft" -v b="$hand" 'BEGIN {print a / b}'
	on 0 -d shop -q -c 'SET client_min_messages = warning' -c 'SET softdelete.hard_delete = on' -c 'SET softdelete.visibility = with_deleted' \
		-c 'DELETE FROM posts' -c 'TRUNCATE hand_posts, hand_files' >/dev/null
done | median | sed 's/^/multi-shard DELETE of 100k rows with 6 children each : two UPDATEs, time: /'
echo

# the same statements on a table that nobody manages, with the library and without
for round in $(seq "$rounds"); do
	for with in yes no; do
		for node in 0 1 2; do
			as_user sed -i "s/^shared_preload_libraries.*/shared_preload_libraries = 'citus$([ $with = yes ] && echo ', softdelete')'/" "$scratch/node$node/postgresql.conf"
			as_user "$server_bin/pg_ctl" -D "$scratch/node$node" -l "$scratch/node$node.log" -w -s -m fast restart
		done
		value=$(tps "$key
SELECT body FROM plain WHERE tenant = :t AND id = :i;
UPDATE plain SET body = 'x' WHERE tenant = :t AND id = :i;")
		[ $with = yes ] && loaded=$value || unloaded=$value
	done
	awk -v a="$loaded" -v b="$unloaded" 'BEGIN {print a / b}'
done | median | sed 's/^/unmanaged distributed table, library loaded : not loaded, tps: /'
echo
passed=1
