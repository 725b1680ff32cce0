# pg_upgrade carries everything over: live and deleted rows, marks, the log with
# its references to tables, retention, holds, triggers, indexes, the sequence of
# deletion ids, the settings that load the library and those of roles.  Its check
# has nothing to say about the extension, a dump after is the dump before, and
# deleting, restoring and purging go on where they were.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
my $new = PostgreSQL::Test::Cluster->new('new');
for my $node ($old, $new)
{
	$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', "fsync = off\nmax_prepared_transactions = 5");
}
my $dir = $PostgreSQL::Test::Utils::tmp_check;
my $db = 'My shop';

sub sql    # as a role, the superuser if none is named
{
	my ($node, $sql, $role) = @_;
	return $node->safe_psql($db, $sql, $role ? (extra_params => [ '-U', $role ]) : ());
}

sub error
{
	my ($node, $sql, $role) = @_;
	my ($rc, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\n$sql", $role ? (extra_params => [ '-U', $role ]) : ());
	$err =~ s/^psql:\S+ //;
	$err =~ s/\n.*//s;
	return $err;
}

$old->start;
$old->safe_psql('postgres', <<'EOT');
CREATE DATABASE "My shop";
ALTER DATABASE "My shop" SET session_preload_libraries = 'softdelete';
CREATE ROLE owner LOGIN;
CREATE ROLE clerk LOGIN;
CREATE ROLE "Auditor" LOGIN;
CREATE ROLE eraser LOGIN;
ALTER ROLE "Auditor" SET softdelete.visibility = 'all';
ALTER ROLE clerk IN DATABASE "My shop" SET softdelete.actor = 'till 7';
GRANT SET ON PARAMETER softdelete.hard_delete TO eraser;
ALTER DATABASE "My shop" SET search_path = "My shop";
EOT
sql($old, 'CREATE EXTENSION softdelete; CREATE SCHEMA "My shop" AUTHORIZATION owner');
sql($old, <<'EOT', 'owner');
CREATE TYPE state AS ENUM ('new', 'sold', 'deleted');
CREATE TABLE gone (id integer PRIMARY KEY);
SELECT softdelete.enable('gone');
INSERT INTO gone VALUES (1);
DELETE FROM gone;
DROP TABLE gone;
CREATE TABLE customer (dropped integer, id integer PRIMARY KEY, name text);
ALTER TABLE customer DROP COLUMN dropped;
CREATE TABLE "Order" (id integer PRIMARY KEY, customer_id integer REFERENCES customer ON DELETE CASCADE, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE item (id integer PRIMARY KEY, order_id integer REFERENCES "Order" ON DELETE CASCADE, status state);
CREATE TABLE event (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
SELECT softdelete.enable('item', 'status', retention => '1 year');
SELECT softdelete.enable('"Order"', 'is_active');
SELECT softdelete.set_retention('"Order"', NULL);
SELECT softdelete.enable('customer');
SELECT softdelete.enable('event', retention => '90 days');
SELECT FROM softdelete.create_live_unique('customer', 'name');
SELECT FROM softdelete.create_live_index('"Order"', 'customer_id');
CREATE VIEW names AS SELECT id, name FROM customer;
CREATE VIEW deleted_customers AS SELECT key, actor, row_data FROM softdelete.trash('customer');
INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 20) i;
INSERT INTO "Order" SELECT i, (i - 1) / 2 + 1 FROM generate_series(1, 40) i;
INSERT INTO item SELECT i, (i - 1) / 2 + 1, 'sold' FROM generate_series(1, 80) i;
INSERT INTO event SELECT i, '2024-12-21'::date + i FROM generate_series(1, 20) i;
GRANT USAGE ON SCHEMA "My shop" TO clerk, "Auditor", eraser;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA "My shop" TO clerk, "Auditor", eraser;
EOT
sql($old, 'DELETE FROM item WHERE id IN (1, 5); DELETE FROM customer WHERE id <= 4', 'clerk');
sql($old, q(SET softdelete.reason = 'it''s "over"'; DELETE FROM event WHERE id BETWEEN 8 AND 12;
	SELECT softdelete.restore('customer', 4); SELECT softdelete.purge('customer', 3);
	DELETE FROM customer WHERE id = 10; SELECT softdelete.hold(max(id), 'court') FROM softdelete.deletions), 'owner');

# what there is to compare, as text
sub content
{
	my ($node) = @_;
	my $role = '"Auditor"';
	return join "\n",
		(map { "$_:\n" . sql($node, "SET row_security = off; SELECT tableoid::regclass, tableoid, * FROM $_ t ORDER BY t") } 'customer', '"Order"', 'item', 'event'),
		map { sql($node, $_) }
		'SELECT * FROM softdelete.deletion_log ORDER BY id',
		'SELECT target::oid, tables::oid[] FROM softdelete.deletion_log ORDER BY id',
		'SELECT * FROM softdelete.deletions ORDER BY id',
		'SELECT * FROM softdelete.tables ORDER BY target::text',
		'SELECT * FROM softdelete.foreign_keys ORDER BY child::text',
		'SELECT * FROM softdelete.retention ORDER BY target::text',
		'SELECT * FROM softdelete.trash() ORDER BY target::text, key',
		'SELECT * FROM deleted_customers ORDER BY 1',
		'SELECT * FROM softdelete.advice() ORDER BY 1, 2, 3, 4',
		'SELECT last_value, is_called FROM softdelete.deletion_log_id_seq',
		q(SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname),
		q(SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid, obj_description(indexrelid, 'pg_class') FROM pg_index
		   WHERE indrelid::regclass::text !~ '^pg_|information_schema' ORDER BY indexrelid::regclass::text),
		q(SELECT extname, extversion, extowner::regrole, extconfig, extcondition FROM pg_extension ORDER BY 1),
		q(SELECT pg_describe_object(classid, objid, 0), deptype FROM pg_depend WHERE refclassid = 'pg_extension'::regclass ORDER BY 1),
		q(SELECT setdatabase = 0, setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2),
		q(SELECT parname, paracl FROM pg_parameter_acl);
}

sub dump_of
{
	my ($node, $file) = @_;
	$node->command_ok([ 'pg_dump', '--no-sync', '--create', '-f', "$dir/$file", $node->connstr($db) ], "pg_dump: $file");
	my $text = slurp_file("$dir/$file");
	$text =~ s/^\\(un)?restrict .*\n//mg;
	return $text;
}

sub differences    # the lines of either text that the other one has not
{
	my ($had, $have) = @_;
	my %had = map { $_ => 1 } split /\n/, $had;
	my %have = map { $_ => 1 } split /\n/, $have;
	return join("\n", (map { "- $_" } grep { !$have{$_} } sort keys %had), (map { "+ $_" } grep { !$had{$_} } sort keys %have));
}

# tables' names in the log are OIDs, and have to stay those of the tables
my $content = content($old);
like($content, qr/^\d+\|\{\d+\}$/m, 'the log refers to tables by OID');
my $dump = dump_of($old, 'before.sql');
my $live = sql($old, 'SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM item), (SELECT count(*) FROM event)', 'clerk');
is($live, '16|64|15', 'deleted rows are hidden before');
my $last = sql($old, 'SELECT max(id) FROM softdelete.deletions');
$old->stop;

# ---------------------------------------------------------------- pg_upgrade

my $bin = $new->config_data('--bindir');
my @pg_upgrade = ('pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
	'-s', $new->host, '-p', $old->port, '-P', $new->port);
{
	my $complaint = 'warning|notice|fatal|your installation';
	# it writes its own files where it runs
	chdir $dir or die "$dir: $!";
	my ($out, $err) = run_command([ @pg_upgrade, '--check' ]);
	like($out, qr/^\*Clusters are compatible\*$/m, 'pg_upgrade --check: compatible');
	unlike("$out\n$err", qr/$complaint/i, 'pg_upgrade --check: and silent');
	($out, $err) = run_command(\@pg_upgrade);
	like($out, qr/^Upgrade Complete$/m, 'pg_upgrade') or diag "$out\n$err";
	unlike("$out\n$err", qr/$complaint/i, 'pg_upgrade: nothing is left to be done for the extension');
}
$new->start;
is(differences($content, content($new)), '', 'everything is there');
my $again = dump_of($new, 'after.sql');
ok($again eq $dump, 'a dump is the one of before') or diag differences($dump, $again);

# ---------------------------------------------------------------- it goes on

is(sql($new, 'SHOW session_preload_libraries'), 'softdelete', 'the library is loaded');
is(sql($new, 'SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM item), (SELECT count(*) FROM event)', 'clerk'), $live, 'deleted rows are hidden');
is(sql($new, 'SELECT count(*) FROM names', 'clerk'), 16, 'from views, too');
is(sql($new, 'SELECT count(*) FROM customer', 'Auditor'), 19, 'a role\'s own setting is there');
is(sql($new, q(DELETE FROM customer WHERE id = 5 RETURNING name), 'clerk'), 'c5', 'DELETE');
is(sql($new, 'SELECT id, target, actor, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1', 'clerk'),
	$last + 1 . qq(|customer|till 7|{"item": 4, "\\"Order\\"": 2, "customer": 1}), 'cascades, and is logged under the next id');
is(sql($new, q(SELECT softdelete.restore('customer', 1)), 'clerk'), 6, 'a deletion of before: restored; what was deleted earlier stays deleted');
is(sql($new, q(SELECT softdelete.undo(id) FROM softdelete.deletions WHERE target = 'event'::regclass), 'owner'), 5, 'another one: undone');
like(error($new, q(SELECT softdelete.purge('customer', 10)), 'owner'), qr/^ERROR:  55D04: .* on hold/, 'a hold holds');
like(error($new, q(TRUNCATE event), 'owner'), qr/^ERROR:  0A000: /, 'TRUNCATE is refused');
like(error($new, q(INSERT INTO item VALUES (100, 3)), 'owner'), qr/^ERROR:  23503: /, 'a deleted row cannot be referred to');
like(error($new, q(INSERT INTO customer VALUES (100, 'c1')), 'owner'), qr/^ERROR:  23505: /, 'unique among live rows: a live one');
is(sql($new, q(INSERT INTO customer VALUES (100, 'c2') RETURNING id), 'owner'), 100, 'unique among live rows: a deleted one');
like(error($new, q(SELECT softdelete.restore('customer', 2)), 'owner'), qr/^ERROR:  23505: /, 'unique among live rows: restore');
is(sql($new, q(SELECT target, purged, kept FROM softdelete.purge_expired(older_than => '0') ORDER BY target::text), 'owner'),
	"customer|0|3\nevent|0|0\nitem|9|4", 'purge: what is on hold stays, and what rows that are kept for ever refer to');
is(sql($new, q(SELECT softdelete.purge('customer', 5)), 'owner'), 3, 'purge of a row and what is left of its cascade');
is(sql($new, q(SET softdelete.hard_delete = on; WITH d AS (DELETE FROM event RETURNING id) SELECT count(*) FROM d), 'eraser'), 20, 'a granted setting is there');
like(error($new, q(SET softdelete.hard_delete = on), 'clerk'), qr/^ERROR:  42501: /, 'to whom it was granted');
sql($new, q(CREATE TABLE late (id integer PRIMARY KEY, order_id integer REFERENCES "Order" ON DELETE CASCADE)), 'owner');
is(sql($new, q(SELECT softdelete.enable('late'); INSERT INTO late VALUES (1, 31); DELETE FROM customer WHERE id = 16; SELECT count(*) FROM late), 'owner'),
	"\n0", 'a new table can be managed');
is(sql($new, q(SELECT softdelete.disable('item'); SELECT softdelete.disable('late'); SELECT softdelete.disable('"Order"');
	SELECT softdelete.disable('customer'); SELECT softdelete.disable('event'))), "\n\n\n\n", 'disable()');
sql($new, 'DROP VIEW deleted_customers; DROP EXTENSION softdelete');
is(sql($new, q(SELECT count(*), count(deleted_at) FROM customer), 'owner'), '19|3', 'DROP EXTENSION: the rows are there, with their marks');

$new->stop;
done_testing();
