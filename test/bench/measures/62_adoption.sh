# shellcheck shell=bash disable=SC2154
# enable() of a large table that has the columns already.  Sourced by ../run.

# adoption NAME LIMIT LABEL COLUMNS MARK BY_HAND: columns beside those of every
# note, what marks a row, and what is done in enable()'s place
adoption() {
	wanted "$1" || return 0
	local side round a b
	load 1 1 1
	for ((round = 1; round <= ${few:-$rounds}; round++)); do
		for side in soft hand; do
			sql $side >/dev/null <<-SQL
				SET client_min_messages = warning;
				DROP TABLE notes CASCADE;
				CREATE TABLE notes (id bigint NOT NULL, author_id integer NOT NULL, title text NOT NULL, body text NOT NULL,
					views integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), $4);
				INSERT INTO notes (id, author_id, title, body, deleted_at)
				SELECT n, n % 1000, 'Note number ' || n, repeat(md5(n::text), 3), $5 FROM generate_series(1, $((1000 * k))) n;
				ALTER TABLE notes ADD PRIMARY KEY (id);
				CREATE INDEX ON notes (author_id);
				VACUUM (ANALYZE) notes;
				CHECKPOINT;
			SQL
		done
		if ((round % 2)); then
			a=$(time_of soft "SELECT softdelete.enable('notes');" 2>/dev/null)
			b=$(time_of hand "$6")
		else
			b=$(time_of hand "$6")
			a=$(time_of soft "SELECT softdelete.enable('notes');" 2>/dev/null)
		fi
		note "$a" "$b"
	done
	report "$1" "$2" ms "$3"
}

add='ALTER TABLE notes ADD COLUMN deletion_id bigint;'
index='CREATE INDEX ON notes (deleted_at, deletion_id) WHERE deleted_at IS NOT NULL;'
adoption enable-existing '<= 1.20' "enable() of $((1000 * k)) rows with a deleted_at that is nowhere set : ALTER TABLE and CREATE INDEX" \
	'deleted_at timestamptz' NULL "$add $index"
adoption enable-both none "the same where deletion_id exists, too, and has to be looked at : CREATE INDEX" \
	'deleted_at timestamptz, deletion_id bigint' NULL "$index"
adoption enable-marked '<= 1.20' "enable() of $((1000 * k)) rows of which a tenth is marked : ALTER TABLE, UPDATE of those, CREATE INDEX" \
	'deleted_at timestamptz' 'CASE WHEN n % 10 = 0 THEN now() END' \
	"$add UPDATE notes SET deletion_id = 1 WHERE deleted_at IS NOT NULL; $index"
