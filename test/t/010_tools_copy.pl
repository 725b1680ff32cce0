# Tools that copy a table by SELECT and throw the old one away, or what it refers
# to, see every row: pg_repack and vacuumlo, known by their application_name.
# pg_repack is tried where it is installed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('tools');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
$node->safe_psql('postgres', <<'EOT');
CREATE EXTENSION softdelete;
ALTER DATABASE postgres SET session_preload_libraries = 'softdelete';
EOT
$node->safe_psql('postgres', <<'EOT');
CREATE TABLE "Post" (id integer PRIMARY KEY, photo oid);
CREATE TABLE comment (id integer PRIMARY KEY, post_id integer REFERENCES "Post" ON DELETE CASCADE);
INSERT INTO "Post" SELECT n, lo_from_bytea(0, convert_to('photo ' || n, 'UTF8')) FROM generate_series(1, 3) n;
INSERT INTO comment SELECT 10 * p + n, p FROM generate_series(1, 3) p, generate_series(1, 2) n;
SELECT softdelete.enable('"Post"', cascade => true);
DELETE FROM "Post" WHERE id = 1;
DELETE FROM "Post" WHERE id = 2;
EOT

# who calls, by which name, where it is not the tool's own
sub run_tool
{
	my ($name, @command) = @_;
	local $ENV{PGAPPNAME};
	delete $ENV{PGAPPNAME};
	$node->command_ok(\@command, $name);
}

sub photos
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata');
}

$node->safe_psql('postgres', q(SELECT lo_from_bytea(0, 'nobody''s')));
is(photos(), '4', 'three photos and one that nobody has');
run_tool('vacuumlo', 'vacuumlo', 'postgres');
is(photos(), '3', 'vacuumlo leaves the photos of deleted rows alone');
$node->safe_psql('postgres', 'SELECT softdelete.undo(1)');
is( $node->safe_psql('postgres', q(SELECT convert_from(lo_get(photo), 'UTF8') FROM "Post" WHERE id = 1)),
	'photo 1', 'so a restored row still has its own');

SKIP:
{
	my $installed = $node->safe_psql('postgres',
		q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_repack'));

	skip 'pg_repack is not installed (Debian: postgresql-15-repack): not tried', 6
	  unless $installed;
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_repack');
	run_tool('pg_repack', 'pg_repack', '--no-order', '--table', 'public."Post"', 'postgres');
	is($node->safe_psql('postgres', 'SELECT string_agg(id::text, \',\' ORDER BY id) FROM "Post"'),
		'1,3', 'afterwards the table shows what it did');
	is( $node->safe_psql('postgres', q(SET softdelete.visibility = deleted; SELECT id FROM "Post")),
		'2', 'and has the deleted row');
	is($node->safe_psql('postgres', q(SELECT softdelete.restore('"Post"', 2))),
		'3', 'which can be restored, with its comments');
	$node->safe_psql('postgres', 'DELETE FROM "Post" WHERE id = 3');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM comment'),
		'4', 'the table is managed as before');
	is($node->safe_psql('postgres', q(SELECT softdelete.restore('"Post"', 3))),
		'3', 'and goes on restoring');
}

$node->stop;
done_testing();
