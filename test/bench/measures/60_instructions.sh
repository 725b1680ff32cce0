# shellcheck shell=bash
# One-row statements in instructions, where the clock shows noise only.  Sourced
# by ../run.  Needs valgrind, and says so where there is none.

# A small server's data, to be copied for each run.
make_single() {
	[ -z "${single_made:-}" ] || return 0
	stop_server
	mv "$scratch/data" "$scratch/data.aside"
	start_server "${settings[@]}" 'shared_buffers = 64MB' 'max_wal_size = 64MB'
	for side in soft hand; do as_user "$server_bin/createdb" $side; done
	sql soft -c "ALTER DATABASE soft SET session_preload_libraries = 'softdelete'"
	sql soft -c 'CREATE EXTENSION softdelete'
	load 1000 1000 0 true
	# the same notes, a hundred to an author, by each kind of marker
	sql soft >/dev/null <<-'SQL'
		SET client_min_messages = warning;
		CREATE TABLE by_time (id bigint, author_id integer NOT NULL, title text NOT NULL, body text NOT NULL);
		INSERT INTO by_time SELECT n, (n + 99) / 100, 'Note number ' || n, repeat(md5(n::text), 3) FROM generate_series(1, 30000) n;
		CREATE TABLE by_flag AS SELECT *, false AS is_deleted FROM by_time;
		CREATE TABLE by_status AS SELECT *, 'published' AS status FROM by_time;
		SELECT format('ALTER TABLE %1$s ADD PRIMARY KEY (id)', t), format('CREATE INDEX ON %s (author_id)', t), format('SELECT softdelete.enable(%L, %L)', t, m),
			format('VACUUM (ANALYZE) %s', t)
		FROM (VALUES ('by_time', 'deleted_at'), ('by_flag', 'is_deleted'), ('by_status', 'status')) x(t, m) \gexec
	SQL
	# rows of a commit that is not on disk as yet keep their pages from being all-visible
	for side in soft hand; do sql $side -c CHECKPOINT -c VACUUM; done
	stop_server
	mv "$scratch/data" "$scratch/single"
	mv "$scratch/data.aside" "$scratch/data"
	as_user "$server_bin/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" -w -s start
	taskset -cp "$core" "$(head -n 1 "$scratch/data/postmaster.pid")" >/dev/null
	single_made=yes
}

# Instructions of one execution, as callgrind counts them over a single-user
# server: more and fewer executions are run, which leaves the start out of it.
# STATEMENTS are two: what prepares, and what is executed with :id.
instructions_of() {
	local side=$1 prepare=${2%%;*} execute=${2#*;} more=260 less=60 n i count=()
	local options=(-c session_preload_libraries=)
	[ "$side" != soft ] || options=(-c session_preload_libraries=softdelete)
	[ "$side" != bare ] || side=soft
	# at the same time, which changes no count
	for n in $more $less; do
		as_user rm -rf "$scratch/copy.$n"
		as_user cp -a "$scratch/single" "$scratch/copy.$n"
		{
			say "${prepare//[[:space:]]/ }"
			for ((i = 1; i <= n; i++)); do say "${execute//:id/$i}"; done
		} >"$scratch/single.in.$n"
		as_user valgrind --tool=callgrind --callgrind-out-file=/dev/null "$server_bin/postgres" --single \
			-D "$scratch/copy.$n" "${options[@]}" "$side" <"$scratch/single.in.$n" >"$scratch/single.out.$n" 2>"$scratch/single.err.$n" &
	done
	wait
	for n in $more $less; do
		! grep -E 'ERROR|FATAL' "$scratch/single.out.$n" "$scratch/single.err.$n" >&2 || die "the single-user server failed"
		count+=("$(awk '/Collected/ { print $NF }' "$scratch/single.err.$n")")
		as_user rm -rf "$scratch/copy.$n"
	done
	say $(((count[0] - count[1]) / (more - less)))
}

# in_instructions NAME LIMIT LABEL, variables as for compare
in_instructions() {
	local ours=soft theirs=hand a b
	wanted "$1" || return 0
	# each takes some seconds
	case ${quick:+$only}$1 in '*instr-update' | '*instr-plain-select') ;; '*'*) return 0 ;; esac
	command -v valgrind >/dev/null || { say "$1 needs valgrind" >&2; return 0; }
	[ -z "${sides:-}" ] || read -r ours theirs <<<"$sides"
	make_single
	a=$(instructions_of "$ours" "$soft")
	b=$(instructions_of "$theirs" "$hand")
	note "$a" "$b"
	report "$1" "$2" instr "$3"
}

prepared() { say "PREPARE p(bigint) AS $1;EXECUTE p(:id)"; }
for table in notes posts; do
	suffix= also=
	[ $table = notes ] || { suffix=-parent also=' of a table that others refer to'; }
	soft=$(prepared "UPDATE $table SET views = views + 1 WHERE id = \$1") \
		hand=$(prepared "UPDATE $table SET views = views + 1 WHERE id = \$1 AND deleted_at IS NULL") \
		in_instructions instr-update$suffix '<= 1.03' "UPDATE of one row$also, mark untouched : with the condition written by hand"
done
soft=$(prepared "DELETE FROM notes WHERE id = \$1") \
	hand=$(prepared "WITH d AS (UPDATE notes SET deleted_at = now(), deletion_id = nextval('audit_id_seq')
	WHERE id = \$1 AND deleted_at IS NULL RETURNING id, deletion_id)
	INSERT INTO audit (id, target, row_id) SELECT deletion_id, 'notes', id FROM d") \
	in_instructions instr-delete '<= 1.00' 'DELETE of one row : one statement that updates and writes an audit row'
soft=$(prepared "SELECT title, body FROM notes WHERE id = \$1") \
	hand=$(prepared "SELECT title, body FROM notes WHERE id = \$1 AND deleted_at IS NULL") \
	in_instructions instr-select '<= 1.01' 'SELECT of one row by key : with the condition written by hand'
insert_child=$(prepared "INSERT INTO attachments (id, post_id, file_name, url, size) VALUES (100000 + nextval('audit_id_seq'), \$1, 'file', 'url', 1)")
soft=$insert_child hand=$insert_child \
	in_instructions instr-insert '<= 1.04' 'INSERT of one child with its key check, id from a sequence : native'
insert_note="INSERT INTO notes (id, author_id, title, body) VALUES"
insert_key=$(prepared "$insert_note (100000 + \$1, 1, 'title', 'body')")
soft=$insert_key hand=$insert_key \
	in_instructions instr-insert-key '<= 1.10' 'INSERT of one row with a key of its own, no foreign key, nothing deleted : native'
insert_generated=$(prepared "$insert_note (100000 + nextval('audit_id_seq'), \$1, 'title', 'body')")
soft=$insert_generated hand=$insert_generated \
	in_instructions instr-insert-generated '<= 1.04' 'INSERT of one row with a key from a sequence, no foreign key : native'

plain() { # NAME LABEL STATEMENTS
	soft=$3 hand=$3 sides='soft bare' in_instructions "instr-plain-$1" '<= 1.005' "$2, table not managed, library loaded : not loaded"
}
plain select 'SELECT of one row, prepared' "$(prepared "SELECT title, body FROM plain WHERE id = \$1")"
plain select-plan 'SELECT of one row, planned each time' 'SELECT 1;SELECT title, body FROM plain WHERE id = :id'
plain update 'UPDATE of one row' "$(prepared "UPDATE plain SET views = views + 1 WHERE id = \$1")"
plain insert 'INSERT of one row' "$(prepared "INSERT INTO plain (id, author_id, title, body) VALUES (1000000 + \$1, 1, 'title', 'body')")"

for marker in flag status; do
	marker() { # NAME LABEL STATEMENT
		soft=$(prepared "${3//notes/by_$marker}") hand=$(prepared "${3//notes/by_time}") sides='soft soft' \
			in_instructions "instr-$marker-$1" '<= 1.03' "$2, $marker as the marker : a timestamp"
	}
	marker delete 'DELETE of one row' "DELETE FROM notes WHERE id = \$1"
	marker delete-bulk 'DELETE of 100 rows' "DELETE FROM notes WHERE author_id = \$1"
	marker select 'SELECT of one row by key' "SELECT title, body FROM notes WHERE id = \$1"
	marker select-bulk 'SELECT of 100 rows' "SELECT count(title) FROM notes WHERE author_id = \$1"
done
