# A full disk: in the tablespace of the tables, in that of the log, and where the
# write-ahead log is.  A statement that finds no room fails with 53100 and leaves
# everything as it was; a server that cannot write its WAL stops, and after it has
# got some room it starts again with all that was committed.  In either case the
# same statement succeeds when there is room.
#
# The small disks are file systems in memory, mounted in a name space of the
# test's own, where an ordinary user may do so.  Where he may not (some kernels'
# settings, a chroot), the test is skipped.

use strict;
use warnings;

use File::Temp;
use Test::More;
use Time::HiRes qw(usleep);

# Run this file again, in a name space with the disks: one where this user is
# root, for the mounts, and within it one where he is himself again, since a
# server refuses to run as root.
BEGIN
{
	run_inside() if !$ENV{SOFTDELETE_SMALL_DISKS};

	sub run_inside
	{
		my $folder = File::Temp::tempdir('disks_XXXXXX', TMPDIR => 1, CLEANUP => 1);
		my @disks = map { "$folder/$_" } 'tables', 'log', 'wal';
		my $mount = 'set -e; user=$1; group=$2; shift 2; for disk in "$1" "$2"; do mount -t tmpfs -o size=8m,mode=700 none "$disk"; done;'
		  . ' mount -t tmpfs -o size=16m,mode=700 none "$3"; shift 3; exec unshare --user --map-user="$user" --map-group="$group" "$@"';
		my ($group) = split / /, $);
		my @inside = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', $mount, 'sh', $>, $group, @disks);
		mkdir $_ or die "$_: $!" for @disks;

		my $reason = 'a server does not run as root';
		if ($> != 0)
		{
			my $command = join ' ', map { "'" . s/'/'\\''/gr . "'" } @inside, 'true';
			$reason = `$command 2>&1`;
		}
		if ($> == 0 || $? != 0)
		{
			chomp $reason;
			plan skip_all => "no small disks can be mounted here: $reason";
		}
		$ENV{SOFTDELETE_SMALL_DISKS} = $folder;
		system @inside, $^X, $0;
		exit($? >> 8 || ($? ? 1 : 0));
	}
}

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my $disks = $ENV{SOFTDELETE_SMALL_DISKS};

my $node = PostgreSQL::Test::Cluster->new('disk_full');
$node->init(extra => [ '--waldir', "$disks/wal/wal", '--wal-segsize', '1' ]);
$node->append_conf('postgresql.conf', <<'EOC');
autovacuum = off
checkpoint_timeout = 1h
fsync = off
full_page_writes = on
log_statement = none
max_wal_size = 8MB
min_wal_size = 2MB
restart_after_crash = off
session_preload_libraries = softdelete
shared_buffers = 16MB
wal_level = replica
wal_recycle = off
EOC
$node->start;

my @tables = ('parent', '"Child"', 'grandchild');

# rows of the three tables, live+deleted/deletions, and the log
my $summary = 'SELECT ' . join(q( || ' ' || ), (map { "(SELECT count(*) FILTER (WHERE deleted_at IS NULL) || '+' || count(deleted_at)
	|| '/' || count(DISTINCT deletion_id) FROM shop.$_)" } @tables),
	q((SELECT coalesce(string_agg(total || '-' || restored || '-' || purged, ' ' ORDER BY id), 'no log') FROM softdelete.deletions)));

# what must never be
my $violations = join(' UNION ALL ',
	(map { my ($child, $key, $parent) = @$_;
			"SELECT format('%s refers to what is deleted', c) FROM shop.$child c LEFT JOIN shop.$parent p ON p.id = $key
			  WHERE c.deleted_at IS NULL AND (p.id IS NULL OR p.deleted_at IS NOT NULL)" }
		[ '"Child"', '"Parent id"', 'parent' ], [ 'grandchild', 'child_id', '"Child"' ]),
	(map { "SELECT format('%s: mark and deletion disagree', t) FROM shop.$_ t WHERE (deleted_at IS NULL) <> (deletion_id IS NULL)
			  OR deletion_id IS NOT NULL AND NOT EXISTS (SELECT FROM softdelete.deletions d WHERE d.id = deletion_id)" } @tables),
	"SELECT format('%s is not %s', d, count(t.id)) FROM softdelete.deletions d LEFT JOIN ("
	  . join(' UNION ALL ', map { "SELECT deletion_id AS id FROM shop.$_" } @tables)
	  . ') t USING (id) GROUP BY d.id, d, total, restored, purged HAVING total <> restored + purged + count(t.id)');

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', "SET softdelete.visibility = 'all'; $sql");
}

my $amcheck;
sub intact
{
	my ($what) = @_;
	is(query($violations), '', "$what: nothing is wrong");
	return if !$amcheck;
	my ($out, $err) = ('', '');
	$node->psql('postgres', q(SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace IN ('shop'::regnamespace, 'softdelete'::regnamespace)), stdout => \$out, stderr => \$err);
	is($err, '', "$what: indexes agree with their tables");
}

# errors of what the tables' owner does
sub owner
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', "SET client_min_messages = warning;\nSET search_path = shop;\n$sql",
		extra_params => [ '-U', 'keeper' ], stdout => \$out, stderr => \$err, on_error_stop => 0, timeout => 120);
	$err =~ s/^psql:<stdin>:\d+: //mg;
	chomp $err;
	return $err;
}

# take all the room on a disk but so many kilobytes, and give it back
sub fill
{
	my ($disk, $leave) = @_;
	open my $file, '>', "$disks/$disk/filler" or die $!;
	binmode $file;
	my $block = "\1" x 4096;
	1 while (syswrite($file, $block) || 0) == 4096;
	truncate $file, (-s $file) - $leave * 1024 if $leave;
	close $file;
}
sub free { unlink "$disks/$_[0]/filler" or die $!; }

mkdir "$disks/$_/space" or die $! for 'tables', 'log';
$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disks/tables/space'");
$node->safe_psql('postgres', "CREATE TABLESPACE log LOCATION '$disks/log/space'");
$node->safe_psql('postgres', <<'EOS');
CREATE EXTENSION softdelete;
ALTER TABLE softdelete.deletion_log SET TABLESPACE log;
CREATE ROLE keeper LOGIN;
CREATE SCHEMA shop AUTHORIZATION keeper;
GRANT CREATE ON TABLESPACE small TO keeper;
EOS
$amcheck = query("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'");
query('CREATE EXTENSION amcheck') if $amcheck;
is(owner(<<'EOS'), '', 'tables on a small disk');
SET default_tablespace = small;
CREATE TABLE parent (id integer PRIMARY KEY, note text);
CREATE TABLE "Child" (id integer PRIMARY KEY, "Parent id" integer REFERENCES parent ON DELETE CASCADE, note text);
CREATE INDEX ON "Child" ("Parent id");
CREATE TABLE grandchild (id integer PRIMARY KEY, child_id integer REFERENCES "Child" ON DELETE CASCADE, note text);
CREATE INDEX ON grandchild (child_id);
INSERT INTO parent SELECT i, repeat('x', 200) FROM generate_series(1, 100) i;
INSERT INTO "Child" SELECT i, i % 100 + 1, repeat('x', 200) FROM generate_series(1, 400) i;
INSERT INTO grandchild SELECT i, i % 400 + 1, repeat('x', 200) FROM generate_series(1, 1600) i;
EOS

# ---------------------------------------------------------------- no room for rows

my $live = '100+0/0 400+0/0 1600+0/0';
my $deleted = '10+90/1 40+360/1 160+1440/1';
my $end = "$live no log";
my $enable = q(SELECT softdelete.enable('parent', cascade => true));
my $delete = 'DELETE FROM parent WHERE id > 10';
my $undo = 'SELECT softdelete.undo(max(id)) FROM softdelete.deletions';
my $purge = q(SELECT * FROM softdelete.purge_expired('grandchild', batch_size => 100, older_than => '0'));
my $unique = q(SELECT softdelete.create_live_unique('Child', 'id', 'note'));
$unique =~ s/'Child'/'"Child"'/;
my $no_room = qr/^ERROR:  could not \w+ file .*: No space left on device/;

# what a session does, and does again when there is room
sub try
{
	my ($name, $call, $disk, $leave, $where, $expected) = @_;
	# close packed, so that every new version of a row needs a new page
	query("VACUUM FULL $_") for (map { "shop.$_" } @tables), 'softdelete.deletion_log';
	query('CHECKPOINT');
	fill($disk, $leave);
	my $error = owner("$call;");
	like($error, $no_room, "$name: error");
	like($error, $where, "$name: where it should be");
	is(query($summary), $end, "$name: nothing was done");
	intact($name);
	free($disk);
	is(owner("$call;"), '', "$name: again");
	$end = $expected;
	is(query($summary), $end, "$name: all is done");
}

# an index over deleted rows takes a page even where there are none
fill('tables', 0);
like(owner("SET default_tablespace = small; $enable;"), $no_room, 'enable(): error');
is(query(q(SELECT count(*) FROM softdelete.tables)), 0, 'enable(): no table is managed');
is(query(q(SELECT count(*) FROM pg_attribute WHERE attrelid IN ('shop.parent'::regclass, 'shop."Child"'::regclass, 'shop.grandchild'::regclass)
	AND attnum > 0 AND NOT attisdropped)), 8, 'enable(): no column was added');
is(query('SELECT count(*) FROM softdelete.retention'), 0, 'enable(): no retention');
free('tables');
is(owner("SET default_tablespace = small; $enable;"), '', 'enable(): again');
is(query($summary), $end, 'enable(): done');

my $level_0 = qr/device(?!.*CONTEXT)/s;
try('delete, the parents', $delete, 'tables', 0, $level_0, "$deleted 1890-0-0");
try('undo, level 1', $undo, 'tables', 48, qr/shop."Child"/, "$live 1890-1890-0");
try('delete, level 1', $delete, 'tables', 96, qr/shop."Child"/, "$deleted 1890-1890-0 1890-0-0");
try('undo, level 2', $undo, 'tables', 240, qr/shop.grandchild/, "$live 1890-1890-0 1890-1890-0");
try('delete, level 2', $delete, 'tables', 240, qr/shop.grandchild/, "$deleted 1890-1890-0 1890-1890-0 1890-0-0");
try('create_live_unique()', "SET default_tablespace = small; $unique", 'tables', 0, qr/CREATE UNIQUE INDEX/, $end);
is(query(q(SELECT count(*) FROM pg_index WHERE NOT indisvalid)), 0, 'create_live_unique(): no invalid index');

# ---------------------------------------------------------------- no room for the log

srand(1);
# A page of the log has room for four rows with such a reason: so the fifth,
# and any new version of a row, needs a new page, of TOAST where it is the longest row's.
my $reason = "SET softdelete.reason = '" . join('', map { chr(97 + rand(26)) } 1 .. 1830) . "'; ";
# Pages are filled to the end here, without the room for new versions that they have.
query('ALTER TABLE softdelete.deletion_log SET (fillfactor = 100); TRUNCATE softdelete.deletion_log; SET softdelete.hard_delete = on; SET search_path = shop; DELETE FROM parent WHERE deleted_at IS NOT NULL');
is(owner($reason . join('; ', map { "DELETE FROM grandchild WHERE id = (SELECT min(id) FROM grandchild)" } 1 .. 4)), '', 'a page of the log is full');
my $log_disk = 'pg_tblspc/' . query(q(SELECT oid FROM pg_tablespace WHERE spcname = 'log')) . '/';
$end = query($summary);
is($end, '10+0/0 40+0/0 156+4/4 1-0-0 1-0-0 1-0-0 1-0-0', 'so many rows');
try('delete, its log row', "${reason}DELETE FROM parent WHERE id > 5", 'log', 0, $level_0, '5+5/1 20+20/1 77+83/5 1-0-0 1-0-0 1-0-0 1-0-0 104-0-0');
try('undo, its log row', $undo, 'log', 0, qr/\Q$log_disk\E/, '10+0/0 40+0/0 156+4/4 1-0-0 1-0-0 1-0-0 1-0-0 104-104-0');
try('purge, its log rows', $purge, 'log', 0, qr/\Q$log_disk\E/, '10+0/0 40+0/0 156+0/0 1-0-1 1-0-1 1-0-1 1-0-1 104-104-0');

# ---------------------------------------------------------------- no room for the WAL

# The server cannot go on: it stops, and starts again when there is room.
sub try_wal
{
	my ($name, $call, $expected) = @_;
	my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	# a segment that is nearly full, and none after it
	query(q(CHECKPOINT; SELECT pg_switch_wal(); SELECT pg_logical_emit_message(false, 'faults', repeat('x', 950000)) IS NOT NULL));
	fill('wal', 0);
	my $offset = -s $node->logfile;
	like(owner("$call;"), qr/closed the connection|terminating connection|connection to server was lost/, "$name: the server stops");
	for (1 .. 300)
	{
		last if !kill 0, $pid;
		usleep(100_000);
	}
	$node->stop('immediate', fail_ok => 1);    # so that the node knows
	like(slurp_file($node->logfile, $offset), qr/PANIC: .*No space left on device/, "$name: for want of room");
	free('wal');
	$node->start;
	is(query($summary), $end, "$name: nothing was done, and what was committed is there");
	intact($name);
	is(owner("$call;"), '', "$name: again");
	$end = $expected;
	is(query($summary), $end, "$name: all is done");
}

is(owner(<<'EOS'), '', 'many rows');
SELECT softdelete.purge_expired(older_than => '0');
INSERT INTO parent SELECT i, repeat('x', 200) FROM generate_series(1001, 1300) i;
INSERT INTO "Child" SELECT i, i, repeat('x', 200) FROM generate_series(1001, 1300) i;
INSERT INTO grandchild SELECT i, i % 300 + 1001, repeat('x', 200) FROM generate_series(10001, 14000) i;
DELETE FROM parent WHERE id = 1001;
EOS
$end = query($summary);
try_wal('delete', 'DELETE FROM parent WHERE id > 1000', '10+300/2 40+300/2 156+4000/2 1-0-1 1-0-1 1-0-1 1-0-1 104-104-0 15-0-0 4585-0-0');
try_wal('undo', $undo, '309+1/1 339+1/1 4143+13/1 1-0-1 1-0-1 1-0-1 1-0-1 104-104-0 15-0-0 4585-4585-0');
query('VACUUM');
is(owner('DELETE FROM parent WHERE id > 1000'), '', 'deleted again');
$end = query($summary);
try_wal('purge', q(SELECT * FROM softdelete.purge_expired(batch_size => 500, older_than => '0')),
	'10+0/0 40+0/0 156+0/0 1-0-1 1-0-1 1-0-1 1-0-1 104-104-0 15-0-15 4585-4585-0 4585-0-4585');

$node->stop;
done_testing();
