-- The benchmark's tables, made anew before every timed run.  Both sides get the
-- same rows and columns; :managed tells whether softdelete manages them or the
-- application does, with an index like the one that enable() builds.
--
--	notes			:notes rows; no table refers to it, nor it to another
--	posts			:posts posts of topic 1, and a tenth as many of topic 2
--	attachments		:each to each post of topic 1, and 6 to each of topic 2
--	audit			what the hand-written deletes log
--
-- Of the notes, :dead are deleted already, in statements of 1000 rows, one an
-- hour, the last of them 40 days ago; -1 deletes them all.
SET client_min_messages = warning;
DROP TABLE IF EXISTS attachments, posts, notes, audit;
CHECKPOINT;

CREATE TABLE notes (
	id bigint NOT NULL,
	author_id integer NOT NULL,
	title text NOT NULL,
	body text NOT NULL,
	views integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	deletion_id bigint
);
CREATE TABLE posts (
	id bigint NOT NULL,
	topic_id integer NOT NULL,
	title text NOT NULL,
	body text NOT NULL,
	views integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	deletion_id bigint
);
CREATE TABLE attachments (
	id bigint NOT NULL,
	post_id bigint NOT NULL,
	file_name text NOT NULL,
	url text NOT NULL,
	size integer NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	deletion_id bigint
);
CREATE TABLE audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	target regclass NOT NULL,
	row_id bigint NOT NULL,
	deleted_at timestamptz NOT NULL DEFAULT now(),
	deleted_by name NOT NULL DEFAULT current_user,
	session_role name NOT NULL DEFAULT session_user,
	actor text,
	reason text,
	txid bigint NOT NULL DEFAULT txid_current(),
	application_name text DEFAULT current_setting('application_name')
);

INSERT INTO notes (id, author_id, title, body)
SELECT n, n % 1000, 'Note number ' || n, repeat(md5(n::text), 3) FROM generate_series(1, :notes) n;
INSERT INTO posts (id, topic_id, title, body)
SELECT n, CASE WHEN n <= :posts THEN 1 ELSE 2 END, 'Post number ' || n, repeat(md5(n::text), 3)
FROM generate_series(1, :posts + :posts / 10) n;
INSERT INTO attachments (id, post_id, file_name, url, size)
SELECT row_number() OVER (), p.id, 'photo-' || n || '.jpeg', 'https://files.example.org/' || md5(p.id::text || n), p.id % 5000
FROM posts p, generate_series(1, CASE p.topic_id WHEN 1 THEN :each ELSE 6 END) n;

UPDATE notes SET deletion_id = id / 1000, deleted_at = now() - interval '40 days' - id / 1000 * interval '1 hour'
WHERE :dead <> 0 AND (id <= :dead OR :dead = -1);
