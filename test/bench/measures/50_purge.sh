# shellcheck shell=bash disable=SC2154
# Purges and other upkeep.  Sourced by ../run, whose variables and functions it uses.

# Ten deletions, rows of each on every page.
deleted="DO \$\$BEGIN FOR i IN 0 .. 9 LOOP %s; COMMIT; END LOOP; END\$\$"
soft_purge="SELECT * FROM softdelete.purge_expired('notes', older_than => '0');"
hand_purge="DELETE FROM notes WHERE deleted_at <= now() - interval '0';"
# shellcheck disable=SC2059
soft_ten=$(printf "$deleted" 'DELETE FROM notes WHERE id % 10 = i')
# shellcheck disable=SC2059
hand_ten=$(printf "$deleted" 'UPDATE notes SET deleted_at = now(), deletion_id = i WHERE id % 10 = i')
few=$(((rounds + 3) / 2))

data="$((1000 * k)) 0 0" count=$few soft_first=$soft_ten hand_first=$hand_ten soft=$soft_purge hand=$hand_purge \
	in_server purge '<= 1.10' "purge of $((1000 * k)) expired rows of 10 deletions, in batches : one DELETE of the same rows"

data="$((1000 * k)) 0 0" count=$few soft_first=$soft_ten hand_first=$hand_ten hand=$hand_purge \
	soft="CALL softdelete.run_maintenance('notes', older_than => '0');" \
	in_server purge-commits '<= 1.25' "the same by run_maintenance(), a commit each 10000 rows : one DELETE"

# attachments refer to posts, but none to a deleted one
data="0 $((1000 * k)) 0" count=$few \
	soft_first='DELETE FROM posts WHERE topic_id = 1' \
	hand_first='UPDATE posts SET deleted_at = now(), deletion_id = 1 WHERE topic_id = 1' \
	soft="SELECT * FROM softdelete.purge_expired('posts', older_than => '0');" \
	hand="DELETE FROM posts WHERE deleted_at <= now() - interval '0';" \
	in_server purge-parent '<= 1.10' "purge of $((1000 * k)) rows of a table that another refers to : one DELETE"

# A thousand deletions, rows of each on every page.
interleaved="DO \$\$BEGIN FOR i IN 0 .. 999 LOOP %s WHERE author_id = i; COMMIT; END LOOP; CLUSTER notes USING notes_pkey; END\$\$"
# shellcheck disable=SC2059
data="$((500 * k)) 0 0" count=$few \
	soft_first=$(printf "$interleaved" 'DELETE FROM notes') \
	hand_first=$(printf "$interleaved" 'UPDATE notes SET deleted_at = now(), deletion_id = i') \
	soft="SELECT * FROM softdelete.purge_expired('notes', batch_size => 1000, older_than => '0');" hand=$hand_purge \
	in_server purge-interleaved '<= 1.30' "purge of $((500 * k)) rows of 1000 deletions, rows of each on every page, batches of 1000 : one DELETE"

# shellcheck disable=SC2059
data="$((100 * k)) 0 0" count=$few \
	soft_first="$(printf "${deleted/0 .. 9/1 .. $((100 * k))}" 'DELETE FROM notes WHERE id = i')" \
	hand_first="$(printf "${deleted/0 .. 9/1 .. $((100 * k))}" 'UPDATE notes SET deleted_at = now(), deletion_id = i WHERE id = i')" \
	soft=$soft_purge hand=$hand_purge \
	in_server purge-single '<= 5' "purge of $((100 * k)) rows, each of a deletion of its own : one DELETE"

data="0 $((100 * k)) 6" count=$few \
	soft_first='DELETE FROM posts WHERE topic_id = 1' \
	hand_first="UPDATE posts SET deleted_at = now(), deletion_id = 1 WHERE topic_id = 1; UPDATE attachments SET deleted_at = now(), deletion_id = 1 WHERE id <= $((600 * k))" \
	soft="SELECT * FROM softdelete.purge_expired(older_than => '0');" \
	hand="BEGIN; DELETE FROM attachments WHERE deleted_at <= now() - interval '0'; DELETE FROM posts WHERE deleted_at <= now() - interval '0'; COMMIT;" \
	in_server purge-children '<= 0.90' "purge of $((100 * k)) parents x 6 children : two DELETEs"

if wanted purge-memory; then
	for rows in $((250 * k)) $((1000 * k)); do
		load "$rows" 0 0
		sql soft -c "$soft_ten" -c 'VACUUM (ANALYZE) notes'
		peak_of soft "$soft_purge" >"$scratch/peak.$rows"
	done
	note "$(cat "$scratch/peak.$((1000 * k))")" "$(cat "$scratch/peak.$((250 * k))")"
	report purge-memory '<= 1.05' kB "peak memory of the backend that purges $((1000 * k)) rows : $((250 * k)) rows"
fi

# 50,000 deleted rows of which 1,000 have expired, undone each time.
due() { # ROWS
	load "$1" 0 0 >/dev/null
	sql soft -c "DO \$\$BEGIN FOR i IN 0 .. 49 LOOP
		DELETE FROM notes WHERE id % ($1 / $((50 * k))) = 0 AND id / ($1 / $((50 * k))) % 50 = i; COMMIT;
		END LOOP; END\$\$" \
		-c "SET session_replication_role = replica; SET softdelete.visibility = deleted;
		UPDATE notes SET deleted_at = deleted_at - interval '1 day' WHERE deletion_id = (SELECT min(deletion_id) FROM notes)" \
		-c 'VACUUM (ANALYZE) notes' >/dev/null
	for ((round = 1; round <= rounds; round++)); do
		time_of soft "BEGIN; SELECT * FROM softdelete.purge_expired('notes', older_than => '12 hours'); ROLLBACK;"
	done >"$scratch/due.$1"
}
if { [ -z "$quick" ] || [ "$only" != '*' ]; } && wanted purge-due; then
	due $((1000 * k))
	due $((10000 * k))
	note "$(median "$scratch/due.$((10000 * k))" | cut -d ' ' -f 1)" "$(median "$scratch/due.$((1000 * k))" | cut -d ' ' -f 1)"
	report purge-due '<= 1.30' ms "purge of the $k due first of $((50 * k)) deleted, among $((10000 * k)) rows : among $((1000 * k))"
fi

data="$((1000 * k)) 0 0" count=$few \
	soft_first="SELECT softdelete.drop_policy(name) FROM softdelete.policies; SELECT softdelete.add_policy('few', 'notes', 'author_id < 100')" \
	soft="SELECT softdelete.run_policy('few');" \
	hand='UPDATE notes SET deleted_at = now(), deletion_id = 1 WHERE author_id < 100 AND deleted_at IS NULL;' \
	in_server policy '<= 1.10' "policy over $((1000 * k)) rows that deletes a tenth : UPDATE with its condition"

# A thousand tables, nothing to do; what is shown are milliseconds.
if wanted purge-nothing-1000; then
	tables=1000
	[ -z "$quick" ] || tables=200
	load "$k" 0 0
	sql soft -c 'SELECT softdelete.drop_policy(name) FROM softdelete.policies' >/dev/null
	sql soft >/dev/null <<-SQL
		SET client_min_messages = warning;
		CREATE SCHEMA many;
		DO \$\$BEGIN FOR i IN 1 .. $tables LOOP
			EXECUTE format('CREATE TABLE many.t%s (id int PRIMARY KEY, note text)', i);
			PERFORM softdelete.enable(format('many.t%s', i)::regclass);
			EXECUTE format('INSERT INTO many.t%s VALUES (1), (2); DELETE FROM many.t%s WHERE id = 1', i, i);
			COMMIT;
		END LOOP; END\$\$;
		VACUUM (ANALYZE);
	SQL
	for ((round = 1; round <= rounds; round++)); do
		# the session's first look at each table is not the purge's cost
		note "$(time_of soft "SELECT * FROM softdelete.purge_expired(); $used AS before \\gset
SELECT * FROM softdelete.purge_expired();")" 1
	done
	report purge-nothing-1000 '<= 50' ms "purge of $tables tables with nothing to do, in milliseconds"
	sql soft -c 'SET client_min_messages = warning' -c "DO \$\$BEGIN FOR i IN 1 .. $tables LOOP
		EXECUTE format('DROP TABLE many.t%s', i); COMMIT; END LOOP; END\$\$" -c 'DROP SCHEMA many'
fi

# The 95th percentile, in milliseconds, of what two clients wait for who read, add
# children, delete and restore; the tables are purged by a backend on another core.
beside() { # [COMMAND]
	local other long=3 purge=
	[ -z "$quick" ] || long=1
	other=$(seq 0 $(($(nproc) - 1)) | grep -vx "$core" | head -n 1)
	rm -f "$scratch"/load.*
	if [ -n "${1:-}" ]; then
		sql soft >/dev/null 2>&1 <<-SQL &
			SELECT pg_backend_pid() AS pid \\gset
			\\setenv PID :pid
			\\! taskset -cp ${other:-$core} \$PID
			SELECT pg_sleep(0.2);
			$1
		SQL
		purge=$!
	fi
	say "\\set id $((200 * k)) + 1 + 2 * random(0, $((5 * k - 1)))
\\set gone $((210 * k)) + 1 + :client_id + 2 * random(0, $((4 * k)))
SELECT title, body FROM posts WHERE id = :id;
INSERT INTO attachments (id, post_id, file_name, url, size) VALUES (nextval('load_ids'), :id, 'file', 'url', 1);
DELETE FROM posts WHERE id = :gone;
SELECT softdelete.restore('posts', :gone);" >"$scratch/load.sql"
	connect soft "$server_bin/pgbench" -n -M prepared -c 2 -R 200 -T "$long" -l --log-prefix="$scratch/load.log" \
		-f "$scratch/load.sql" >"$scratch/pgbench.out" 2>&1 || { cat "$scratch/pgbench.out" >&2; die "pgbench failed"; }
	[ -z "$purge" ] || wait "$purge" || die "the purge failed"
	cat "$scratch"/load.log.* | awk '{ print $3 / 1000 }' | sort -g | awk '{ v[NR] = $1 } END { print v[int(NR * 0.95)] }'
}
if wanted load-beside-purge; then
	for ((round = 1; round <= few; round++)); do
		load 0 $((200 * k)) 6
		sql soft -c 'DROP SEQUENCE IF EXISTS load_ids' -c 'CREATE SEQUENCE load_ids START 100000000' \
			-c 'DELETE FROM posts WHERE topic_id = 1' \
			-c "SET session_replication_role = replica; SET softdelete.visibility = deleted;
			UPDATE posts SET deleted_at = deleted_at - interval '1 day';
			UPDATE attachments SET deleted_at = deleted_at - interval '1 day'" -c 'VACUUM (ANALYZE)' >/dev/null 2>&1
		without=$(beside)
		note "$(beside "CALL softdelete.run_maintenance(older_than => '12 hours');")" "$without"
		[ "$(sql soft -c "SELECT count(*) FROM softdelete.job_runs WHERE purged > 0 AND job = 'purge' AND started_at > now() - interval '1 min'")" != 0 ] ||
			die 'nothing was purged beside the load'
	done
	report load-beside-purge '<= 1.20' ms "a load of reads, new children, deletes and restores beside run_maintenance(), 95th percentile of its latency : without"
fi
