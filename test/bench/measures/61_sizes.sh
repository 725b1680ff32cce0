# shellcheck shell=bash
# Sizes: how much of a table is deleted, how much is deleted at once, how many tables
# there are.  Sourced by ../run.

# ---- reads of a table of which a share is deleted : of one from which the rows are gone
big=$((10000 * k))
[ -z "$quick" ] || big=$((2000 * k))
share_query() {
	case $1 in
		count) say 'SELECT count(*) FROM notes;' ;;
		range) say "SELECT sum(length(body)) FROM notes WHERE author_id BETWEEN 100 AND 109;" ;;
		index-only) say 'SELECT count(author_id) FROM notes WHERE author_id BETWEEN 100 AND 299;' ;;
		join) say 'SELECT count(*) FROM notes a JOIN notes b USING (author_id) WHERE a.id BETWEEN 1 AND 40;' ;;
	esac
}
for share in 1 10 50; do
	[ -z "$quick" ] || [ $share = 50 ] || [ "$only" != '*' ] || continue
	shared=
	for query in count range index-only join; do
		name=share-$share-$query limit='<= 1.10'
		[ $query != count ] || limit=none # reads the heap, which is larger
		wanted "$name" || continue
		if [ -z "$shared" ]; then
			load "$big" 0 0
			sql soft -c 'SET client_min_messages = warning' -c "SELECT softdelete.enable('notes', live_indexes => true)" -c "DELETE FROM notes WHERE id % 100 < $share" >/dev/null
			sql hand -c "DELETE FROM notes WHERE id % 100 < $share"
			# new rows fill the room, as they would have
			sql hand -c 'VACUUM FULL notes'
			for side in soft hand; do sql $side -c 'VACUUM (ANALYZE) notes' -c CHECKPOINT; done
			shared=yes
		fi
		for ((round = 1; round <= rounds; round++)); do
			a=$(time_of soft "$(share_query $query)")
			b=$(time_of hand "$(share_query $query)")
			note "$a" "$b"
		done
		report "$name" "$limit" ms "$query over $big rows of which $share % are deleted, index over live rows : rows gone"
	done
done

# ---- rows at once: time of a row, of the largest delete : of the smallest.  A full run
# has those between as well, for sizes.svg.
linear() { # NAME LABEL LEAST MOST, and a function rows_of N that loads and prints the statement
	wanted "$1" || return 0
	# it takes its time
	[ -z "$quick" ] || [ "$only" != '*' ] || [ "$1" = linear-delete ] || return 0
	local n round sizes=("$3") spent=()
	if [ -z "$quick" ]; then
		for ((n = $3 * 10; n < $4; n *= 10)); do sizes+=("$n"); done
	fi
	sizes+=("$4")
	for ((round = 1; round <= (rounds + 1) / 2; round++)); do
		for n in "${sizes[@]}"; do
			statement=$(rows_of "$n")
			spent[n]=$(time_of soft "$statement" | awk -v n="$n" '{ print $1 * 1000 / n }')
			[ -n "$quick" ] || printf '%s\t%s\t%s\n' "$1" "$n" "${spent[n]}" >>"$scratch/sizes"
		done
		note "${spent[$4]}" "${spent[$3]}"
	done
	report "$1" '<= 1.2' us "$2, time of a row, $4 rows : $3 rows"
}
rows_of() { load "$1" 0 0 >&2; say 'DELETE FROM notes;'; }
linear linear-delete 'DELETE' $((10 * k)) $((1000 * k))
rows_of() { load 0 $(($1 / 7)) 6 >&2; say 'DELETE FROM posts WHERE topic_id = 1;'; }
linear linear-cascade 'DELETE with 6 children each' $((10 * k)) $((1000 * k))
# five levels, six children each: 9331 rows below one root, so many roots as it takes
rows_of() {
	sql soft >/dev/null <<-SQL
		SET client_min_messages = warning;
		DROP TABLE IF EXISTS l5, l4, l3, l2, l1, l0;
		CREATE TABLE l0 (id bigint PRIMARY KEY);
		INSERT INTO l0 SELECT generate_series(1, greatest($1 / 9331, 1));
		DO \$\$BEGIN FOR i IN 1 .. 5 LOOP
			EXECUTE format('CREATE TABLE l%s (id bigint, up bigint)', i);
			EXECUTE format('INSERT INTO l%s SELECT row_number() OVER (), p.id FROM l%s p, generate_series(1, 6)', i, i - 1);
			EXECUTE format('ALTER TABLE l%s ADD PRIMARY KEY (id), ADD FOREIGN KEY (up) REFERENCES l%s ON DELETE CASCADE', i, i - 1);
			EXECUTE format('CREATE INDEX ON l%s (up)', i);
		END LOOP; END\$\$;
		SELECT softdelete.enable('l0', "cascade" => true);
		VACUUM (ANALYZE) l0, l1, l2, l3, l4, l5;
	SQL
	say 'DELETE FROM l0;'
}
linear linear-deep 'DELETE of five levels, 6 children each' 9331 $((93310 * k / 100))

# ---- many tables: what a statement on one of them costs
if wanted many-tables; then
	load $((10 * k)) 0 0
	b=$(time_of soft 'DELETE FROM notes WHERE id <= 5000;')
	sql soft -c "DO \$\$BEGIN FOR i IN 1 .. $k LOOP EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, t text)', i);
		PERFORM softdelete.enable(format('many_%s', i)::regclass); IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END\$\$"
	load $((10 * k)) 0 0
	a=$(time_of soft 'DELETE FROM notes WHERE id <= 5000;')
	note "$a" "$b"
	report many-tables '<= 1.10' ms "DELETE of 5000 rows beside $k managed tables : beside none"
	sql soft -c "DO \$\$BEGIN FOR i IN 1 .. $k LOOP EXECUTE format('DROP TABLE many_%s', i); IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END\$\$"
fi

# ---- clients
if wanted clients; then
	load "$many" 0 0
	say '\set id random(1, '"$many"')
DELETE FROM notes WHERE id = :id;' >"$scratch/clients.soft"
	say '\set id random(1, '"$many"")
WITH d AS (UPDATE notes SET deleted_at = now(), deletion_id = nextval('audit_id_seq') WHERE id = :id AND deleted_at IS NULL RETURNING id, deletion_id)
INSERT INTO audit (id, target, row_id) SELECT deletion_id, 'notes', id FROM d;" >"$scratch/clients.hand"
	for ((round = 1; round <= rounds; round++)); do
		for side in soft hand; do
			rate[round % 2]=$(connect $side "$server_bin/pgbench" -n -M prepared -c 8 -j 2 -T 1 -f "$scratch/clients.$side" 2>/dev/null | awk '/^tps/ { print $3 }')
			[ $side = hand ] && theirs=${rate[round % 2]} || ours=${rate[round % 2]}
		done
		note "$ours" "$theirs"
	done
	report clients '>= 0.95' tps 'DELETE of one row by 8 clients : one statement that updates and writes an audit row'
fi

# ---- a table of 100 partitions, by key through the root
if wanted partitions; then
	load 1 1 0
	for side in soft hand; do
		sql $side >/dev/null <<-SQL
			SET client_min_messages = warning;
			DROP TABLE IF EXISTS parted;
			CREATE TABLE parted (id bigint PRIMARY KEY, t text, deleted_at timestamptz, deletion_id bigint) PARTITION BY HASH (id);
			SELECT format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES WITH (MODULUS 100, REMAINDER %s)', i, i) FROM generate_series(0, 99) i \\gexec
			INSERT INTO parted SELECT n, 'text' FROM generate_series(1, $((100 * k))) n;
		SQL
		if [ $side = soft ]; then sql soft -c "SELECT softdelete.enable('parted')" >/dev/null
		else sql hand -c 'CREATE INDEX ON parted (deleted_at, deletion_id) WHERE deleted_at IS NOT NULL'; fi
		sql $side -c 'VACUUM (ANALYZE) parted'
	done
	for ((round = 1; round <= rounds; round++)); do
		for side in soft hand; do
			say "DELETE FROM parted WHERE id % $rounds = $round - 1;" >"$scratch/parted.soft"
			say "UPDATE parted SET deleted_at = now(), deletion_id = 1 WHERE id % $rounds = $round - 1 AND deleted_at IS NULL;" >"$scratch/parted.hand"
			[ $side = soft ] && ours=$(time_of soft "$(cat "$scratch/parted.soft")") || theirs=$(time_of hand "$(cat "$scratch/parted.hand")")
		done
		note "$ours" "$theirs"
	done
	report partitions none ms "DELETE of a share of all 100 partitions : UPDATE of the same columns"
	for side in soft hand; do sql $side -c 'DROP TABLE parted'; done
fi

# ---- bloat: ten cycles of deleting a twentieth, purging, vacuuming and inserting as much
if wanted bloat; then
	load $((100 * k)) 0 0
	for ((round = 0; round < 10; round++)); do
		at="id BETWEEN $((round * 5 * k + 1)) AND $(((round + 1) * 5 * k))"
		sql soft -c "DELETE FROM notes WHERE $at" -c "$soft_purge" -c 'VACUUM notes' >/dev/null
		sql hand -c "DELETE FROM notes WHERE $at" -c 'VACUUM notes'
		for side in soft hand; do
			sql $side -c "INSERT INTO notes (id, author_id, title, body) SELECT n, n % 1000, 'Note number ' || n, repeat(md5(n::text), 3)
				FROM generate_series($((100 * k + round * 5 * k + 1)), $((100 * k + (round + 1) * 5 * k))) n"
		done
	done
	size="SELECT pg_total_relation_size('notes') / 1024"
	note "$(sql soft -c "$size")" "$(sql hand -c "$size")"
	report bloat '<= 1.15' kB 'size of a table and its indexes after ten cycles of delete, purge, VACUUM and insert : of plain deletes'
fi

# ---- a connection, up to its first answer
if wanted connection; then
	for ((round = 1; round <= fine; round++)); do
		for side in soft bare; do
			spent[round]=$(sql $side -c "SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint * 1e-6")
			[ $side = bare ] && theirs=${spent[round]} || ours=${spent[round]}
		done
		note "$ours" "$theirs"
	done
	report connection none ms 'a connection up to its first answer, library loaded : not loaded'
fi
