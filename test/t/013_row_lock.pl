# A DELETE locks rows that others refer to by the UPDATE that it is: it writes no lock
# to the WAL.  Where a function of the user's may run in between, it locks each row
# before.  (That no child can come either way is test/specs/race_row_lock.spec's.)

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('row_lock');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off");
$node->start;

# The rows that the statement locks by a record of their own.  They have room on their
# page for the new version: where there is none, PostgreSQL locks, too, before it looks for one.
sub locks
{
	my ($statement) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');

	$node->safe_psql('postgres', $statement);
	return $node->safe_psql('postgres', <<"EOT");
SELECT count(*) FROM pg_get_wal_records_info('$before', pg_current_wal_flush_lsn())
 WHERE resource_manager = 'Heap' AND record_type LIKE 'LOCK%'
EOT
}

$node->safe_psql('postgres', <<'EOT');
CREATE EXTENSION softdelete;
CREATE EXTENSION pg_walinspect;
ALTER DATABASE postgres SET session_preload_libraries = 'softdelete';
CREATE FUNCTION fine(n integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
EOT
$node->safe_psql('postgres', <<'EOT');
CREATE TABLE plain (id integer PRIMARY KEY CHECK (id > 0));
CREATE TABLE checked (id integer PRIMARY KEY CHECK (fine(id)));
CREATE TABLE plain_child (id integer PRIMARY KEY, up integer REFERENCES plain ON DELETE CASCADE);
CREATE TABLE checked_child (id integer PRIMARY KEY, up integer REFERENCES checked ON DELETE CASCADE);
SELECT softdelete.enable('plain', cascade => true), softdelete.enable('checked', cascade => true);
INSERT INTO plain SELECT generate_series(1, 60);
INSERT INTO checked SELECT generate_series(1, 60);
EOT

is(locks('DELETE FROM plain WHERE id <= 20'), 0, 'the UPDATE locks many rows by itself');
is(locks('DELETE FROM plain WHERE id = 21'), 0, 'and one row');
is(locks('DELETE FROM checked WHERE id <= 20'), 20, 'a function of the user\'s in a check: each row is locked before');

$node->stop;
done_testing();
