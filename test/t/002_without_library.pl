# A session that has not loaded the library, because the database's setting is
# new or the session switched it off.  Its plans know nothing of deleted rows,
# but what stands on the table holds: DELETE marks, an UPDATE of the mark is
# stamped, logged and cascaded, TRUNCATE is refused, no live row is left that
# refers to a deleted one.  enable() refuses and says what to do.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('without_library');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE "My shop"');
my $db = 'My shop';

# rows and errors of what the tables' owner does in a new session
sub run
{
	my ($sql, %options) = @_;
	my ($out, $err) = ('', '');
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=' . ($options{library} ? 'softdelete' : '');
	$node->psql($db, "SET client_min_messages = warning;\nSET SESSION AUTHORIZATION owner;\nSET search_path = app;\n$sql",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	$err =~ s/^psql:<stdin>:\d+: //mg;
	chomp $err;
	return $out . ($out ne '' && $err ne '' ? "\n" : '') . $err;
}
sub with { return run($_[0], library => 1); }

$node->safe_psql($db, <<'EOT');
CREATE EXTENSION softdelete;
CREATE ROLE owner;
CREATE SCHEMA app AUTHORIZATION owner;
EOT
run(<<'EOT');
CREATE TABLE "Post" (id integer PRIMARY KEY, title text);
CREATE TABLE comment (id integer PRIMARY KEY, "Post id" integer REFERENCES "Post" ON DELETE CASCADE);
CREATE TABLE vote (id integer PRIMARY KEY, comment_id integer REFERENCES comment ON DELETE CASCADE);
CREATE TABLE sale (id integer PRIMARY KEY, post_id integer REFERENCES "Post" ON DELETE RESTRICT);
INSERT INTO "Post" SELECT generate_series(1, 9);
INSERT INTO comment SELECT i, (i - 1) % 9 + 1 FROM generate_series(1, 18) i;
INSERT INTO vote SELECT i, i FROM generate_series(1, 18) i;
INSERT INTO sale VALUES (1, 9);
EOT

# ---------------------------------------------------------------- enable() refuses

sub hint { my ($hint) = run($_[0]) =~ /^HINT:  (.*)$/m; return $hint; }

like(run(q(SELECT softdelete.enable('"Post"', cascade => true))),
	qr/^ERROR:  library softdelete is not preloaded/, 'enable() refuses without the library');
is(run("\\set VERBOSITY sqlstate\nSELECT softdelete.enable('vote')"), 'ERROR:  55000', 'with its SQLSTATE');
is(hint(q(SELECT softdelete.enable('vote'))),
	q(ALTER DATABASE "My shop" SET session_preload_libraries = softdelete;),
	'and names the command');
is(run(q(SELECT count(*) FROM softdelete.tables)), 0, 'nothing was enabled');
is(run(q(SELECT count(*) FROM pg_attribute WHERE attrelid = '"Post"'::regclass AND attnum > 0)), 2, 'no column was added');

# The hint adds to what is preloaded already, where the caller may know that.
{
	my $sql = q(SELECT softdelete.enable('vote'));
	my ($out, $err) = ('', '');
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=plpgsql';
	$node->psql($db, "SET search_path = app;\n$sql", stderr => \$err);
	my ($hint) = $err =~ /^HINT:  (.*)$/m;
	is($hint, q(ALTER DATABASE "My shop" SET session_preload_libraries = plpgsql, softdelete;), 'beside other libraries');
	delete local $ENV{PGOPTIONS};
	$node->safe_psql('postgres', $hint);
	is($node->safe_psql($db, 'SHOW session_preload_libraries'), 'plpgsql, softdelete', 'the command is right as it stands');
}

# As soon as the database names the library, a session that began without it may
# enable: all that come after have it.
is(run(q(SELECT FROM softdelete.enable('"Post"', cascade => true))), '', 'enable() works once the database names the library');
is(run(q(SELECT FROM softdelete.enable('sale'))), '', 'in a session without it');

# ---------------------------------------------------------------- DELETE

my $state = q(SELECT 'post', id FROM "Post" WHERE deleted_at IS NULL UNION ALL SELECT 'comment', id FROM comment
	WHERE deleted_at IS NULL UNION ALL SELECT 'vote', id FROM vote WHERE deleted_at IS NULL ORDER BY 1, 2);
my $orphans = q(SELECT count(*) FROM comment c LEFT JOIN "Post" p ON p.id = c."Post id"
	WHERE c.deleted_at IS NULL AND (p.id IS NULL OR p.deleted_at IS NOT NULL)
	UNION ALL SELECT count(*) FROM vote v LEFT JOIN comment c ON c.id = v.comment_id
	WHERE v.deleted_at IS NULL AND (c.id IS NULL OR c.deleted_at IS NOT NULL));

is(run(q(SELECT count(*) FROM "Post")), 9, 'all rows are there');
run(q(DELETE FROM "Post" WHERE id = 1));
is(run(q(SELECT count(*), count(deleted_at), count(deletion_id) FROM "Post")), '9|1|1', 'DELETE marks the row');
is(run(q(SELECT count(*), count(deleted_at), count(deletion_id) FROM comment)), '18|2|2', 'and cascades');
is(run(q(SELECT count(*), count(deleted_at), count(deletion_id) FROM vote)), '18|2|2', 'all the way');
is(run($orphans), "0\n0", 'no orphan');
is(run(q(SELECT target, rows, restored, purged FROM softdelete.deletions ORDER BY id DESC LIMIT 1)),
	'"Post"|{"vote": 2, "\\"Post\\"": 1, "comment": 2}|0|0', 'and is logged');
is(with($state), run($state), 'a session with the library sees what is left');
is(with(q(SELECT count(*) FROM "Post")), 8, 'and hides the rest');

is(run(q(DELETE FROM "Post" WHERE id = 1; SELECT count(*) FROM softdelete.deletions)), 1, 'deleted again: no new stamp');
run(q(DELETE FROM "Post" WHERE id IN (2, 3)));
is(run(q(SELECT count(*), count(deleted_at) FROM "Post")), '9|3', 'several rows in one statement');
is(run($orphans), "0\n0", 'no orphan');
# from PostgreSQL 18 on RESTRICT has an SQLSTATE of its own
like(run("\\set VERBOSITY sqlstate\nDELETE FROM \"Post\" WHERE id = 9"), qr/^ERROR:  23(503|001)$/, 'RESTRICT holds');
is(run(q(SELECT deleted_at IS NULL FROM "Post" WHERE id = 9)), 't', 'and leaves the row');

# ---------------------------------------------------------------- UPDATE of the mark

is(run(q(UPDATE "Post" SET deleted_at = now() WHERE id = 4 RETURNING id, deletion_id IS NOT NULL)), '4|t',
	'UPDATE of the mark is stamped');
is(run(q(SELECT count(*) FROM comment c JOIN "Post" p ON p.id = c."Post id"
		 WHERE p.id = 4 AND c.deletion_id = p.deletion_id AND c.deleted_at IS NOT NULL)), 2, 'and cascades under its id');
is(run($orphans), "0\n0", 'no orphan');
is(run(q(UPDATE "Post" SET deleted_at = NULL WHERE id = 4 RETURNING id, deletion_id IS NULL)), '4|t', 'UPDATE that clears it restores');
is(run(q(SELECT count(*) FROM comment WHERE "Post id" = 4 AND deleted_at IS NULL)), 2, 'what went with it');
is(run(q(SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1)),
	'{"vote": 2, "\\"Post\\"": 1, "comment": 2}|5', 'and the log knows');
is(run(q(UPDATE "Post" SET deleted_at = now() WHERE id IN (7, 8) RETURNING id)), "7\n8", 'UPDATE of the marks of several rows');
is(run(q(SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1)),
	'{"vote": 4, "\"Post\"": 2, "comment": 4}', 'is one deletion');
is(run($orphans), "0\n0", 'no orphan');
is(run(q(SELECT softdelete.undo(max(id)) FROM softdelete.deletions)), 10, 'that can be undone');
like(run(q(UPDATE comment SET deleted_at = NULL WHERE "Post id" = 1)), qr/cannot be restored while its parent/,
	'a child of a deleted parent is refused');

# ---------------------------------------------------------------- the rest

like(run(q(TRUNCATE "Post" CASCADE)), qr/^ERROR:  cannot truncate managed table/, 'TRUNCATE is refused');
is(run("\\set VERBOSITY sqlstate\nTRUNCATE vote"), 'ERROR:  0A000', 'with its SQLSTATE');
is(run(q(SELECT softdelete.restore('"Post"', 1))), 5, 'restore() works');
run(q(SELECT FROM softdelete.delete('"Post"', 5)));
is(run(q(SELECT count(deleted_at) FROM "Post")), 3, 'delete() works');
is(run(q(SELECT softdelete.undo(max(id)) FROM softdelete.deletions)), 5, 'undo() works');
is(run(q(SELECT softdelete.purge('"Post"', 2))), 5, 'purge() works');
is(run(q(SELECT target, purged, kept FROM softdelete.purge_expired(older_than => '0') ORDER BY target::text)),
	qq("Post"|1|0\ncomment|2|0\nsale|0|0\nvote|2|0), 'purge_expired() works');
is(run($orphans), "0\n0", 'no orphan');
is(run(q(SELECT count(*), count(deleted_at) FROM "Post")), '7|0', 'no row too many, none too few');

# an INSERT that refers to a deleted row
run(q(DELETE FROM "Post" WHERE id = 6));
is(with("\\set VERBOSITY sqlstate\nINSERT INTO comment VALUES (100, 6)"), 'ERROR:  23503', 'a new child of a deleted row is refused with the library');

$node->stop;
done_testing();
