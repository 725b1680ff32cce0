# Logical replication carries marks like any other column value, and neither
# loses nor doubles anything: the first copy brings deleted rows along, a delete
# with all that it cascaded to arrives under its deletion id, so do restores, and
# a purge erases on the other side, too.  Whether the subscriber manages its
# tables makes no difference to what they hold: replayed changes are final, no
# trigger of the extension takes part in them.
#
# What is not replicated: the log (unless it is published by name or by FOR ALL
# TABLES), retention, and the sequence of deletion ids.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @conf = ('max_connections = 40', 'max_worker_processes = 20', 'max_logical_replication_workers = 16',
	'max_sync_workers_per_subscription = 2', 'max_replication_slots = 20', 'max_wal_senders = 20');
my ($publisher, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } qw(publisher subscriber);
for my $node ($publisher, $subscriber)
{
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n", @conf, ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
}

sub database    # with the extension, or without, and a schema of the owner's
{
	my ($node, $db, $managed) = @_;
	$node->safe_psql('postgres', qq(CREATE DATABASE $db));
	$node->safe_psql('postgres', qq(ALTER DATABASE $db SET search_path = "My shop"));
	$node->safe_psql('postgres', qq(ALTER DATABASE $db SET session_preload_libraries = 'softdelete')) if $managed;
	$node->safe_psql($db, 'CREATE EXTENSION softdelete') if $managed;
	$node->safe_psql($db, 'CREATE SCHEMA "My shop" AUTHORIZATION owner');
}

sub sql    # as the tables' owner
{
	my ($node, $db, $sql) = @_;
	return $node->safe_psql($db, $sql, extra_params => [ '-U', 'owner' ]);
}

sub error
{
	my ($node, $db, $sql) = @_;
	my ($rc, $out, $err) = $node->psql($db, "\\set VERBOSITY sqlstate\n$sql", extra_params => [ '-U', 'owner' ]);
	$err =~ s/^psql:\S+ //;
	return $err;
}

sub subscribe
{
	my ($db, $from, $publication) = @_;
	$publication ||= 'all_of_it';
	my $connection = $publisher->connstr($from);
	$subscriber->safe_psql($db, "CREATE SUBSCRIPTION ${db}_sub CONNECTION \$\$$connection\$\$ PUBLICATION $publication");
	$subscriber->wait_for_subscription_sync($publisher, "${db}_sub", $db);
}

sub unsubscribe { return $subscriber->safe_psql($_, "DROP SUBSCRIPTION ${_}_sub") for @_; }

# every row with all its columns, deleted ones included
sub content
{
	my ($node, $db) = @_;
	return sql($node, $db, join ';', 'SET row_security = off', map { "SELECT '$_'; SELECT * FROM $_ ORDER BY 1, 2" }
		'customer', '"Order"', 'item', 'event', 'favourite');
}

my $tables = q(
CREATE TABLE customer (id integer PRIMARY KEY, name text);
CREATE TABLE "Order" (id integer PRIMARY KEY, customer_id integer REFERENCES customer ON DELETE CASCADE,
	"Total" numeric, doubled numeric GENERATED ALWAYS AS ("Total" * 2) STORED, is_deleted boolean, big text);
ALTER TABLE "Order" ALTER COLUMN big SET STORAGE EXTERNAL;
CREATE TABLE item (id integer PRIMARY KEY, order_id integer REFERENCES "Order" ON DELETE CASCADE, status text);
ALTER TABLE item REPLICA IDENTITY FULL;
CREATE TABLE event (id integer, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE favourite (id integer PRIMARY KEY, customer_id integer REFERENCES customer ON DELETE SET NULL);
);
my $enable = q(
SELECT softdelete.enable('item', 'status');
SELECT softdelete.enable('"Order"', 'is_deleted');
SELECT softdelete.enable('customer');
SELECT softdelete.enable('event');
);
# the columns that enable() adds, for a subscriber that does not manage its tables
my $columns = join '', map { "ALTER TABLE $_ ADD deleted_at timestamptz, ADD deletion_id bigint;\n" } qw(item "Order" customer event);
$columns .= 'ALTER TABLE item ADD former_status text;';

# ---------------------------------------------------------------- from a publisher that manages its tables

database($publisher, 'shop', 1);
sql($publisher, 'shop', $tables . $enable);
sql($publisher, 'shop', q(
SELECT softdelete.create_live_unique('customer', 'name');
INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 20) i;
INSERT INTO "Order" (id, customer_id, "Total", big) SELECT i, (i - 1) / 3 + 1, i, repeat(i::text, 3000) FROM generate_series(1, 60) i;
INSERT INTO item SELECT i, (i - 1) / 3 + 1, 'new' FROM generate_series(1, 180) i;
INSERT INTO event SELECT i, '2024-12-21'::date + i, 'e' || i FROM generate_series(1, 20) i;
INSERT INTO favourite SELECT i, i FROM generate_series(1, 20) i;
DELETE FROM item WHERE id = 1;
DELETE FROM customer WHERE id <= 2;
DELETE FROM event WHERE id BETWEEN 8 AND 12;
));
$publisher->safe_psql('shop', 'CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA "My shop" WITH (publish_via_partition_root)');

# one subscriber has ordinary tables, the other one manages them, too
database($subscriber, 'plain');
sql($subscriber, 'plain', $tables . $columns);
database($subscriber, 'managed', 1);
sql($subscriber, 'managed', $tables . $enable . q(SELECT softdelete.create_live_unique('customer', 'name')));
subscribe($_, 'shop') for qw(plain managed);

sub follow { $publisher->wait_for_catchup("${_}_sub") for @_; return; }

sub equal    # after a statement on the publisher, which is given with its result
{
	my ($sql, $result, $name) = @_;
	is(sql($publisher, 'shop', $sql), $result, "$name: publisher") if defined $sql;
	follow(qw(plain managed));
	my $content = content($publisher, 'shop');
	is(content($subscriber, 'plain'), $content, "$name: subscriber");
	is(content($subscriber, 'managed'), $content, "$name: subscriber that manages its tables");
	my $live = 'SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM "Order"), (SELECT count(*) FROM item), (SELECT count(*) FROM event)';
	is(sql($subscriber, 'managed', $live), sql($publisher, 'shop', $live), "$name: which hides the same");
	return;
}

is(sql($subscriber, 'plain', 'SELECT count(*), count(deleted_at), count(deletion_id) FROM item'), '180|18|18', 'first copy: deleted rows are there');
equal(undef, undef, 'first copy');
equal('DELETE FROM item WHERE id IN (91, 92) RETURNING id', "91\n92", 'DELETE');
equal('DELETE FROM customer WHERE id = 4 RETURNING name', 'c4', 'DELETE with a cascade of two levels');
equal(q(DELETE FROM customer c USING "Order" o WHERE o.customer_id = c.id AND o.id IN (13, 16) RETURNING c.id), "5\n6", 'DELETE of several');
equal(q(SELECT softdelete.restore('customer', 1)), 12, 'restore(): what was deleted before stays deleted');
equal(q(SELECT softdelete.undo(max(id)) FROM softdelete.deletions), 26, 'undo()');
equal(q(SET softdelete.visibility = deleted; UPDATE item SET status = 'new' WHERE order_id = 31 AND id < 92 RETURNING id), '91', 'restore by UPDATE');
equal(q(UPDATE "Order" SET is_deleted = true WHERE id = 20 RETURNING id), '20', 'delete by UPDATE');
equal(q(SET softdelete.visibility = deleted; UPDATE customer SET name = upper(name) WHERE id = 2 RETURNING name), 'C2', 'a change of a deleted row');
equal(q(WITH d AS (DELETE FROM event WHERE id IN (1, 19) RETURNING id) SELECT id FROM d ORDER BY 1), "1\n19", 'DELETE in partitions');
equal(q(SET softdelete.visibility = deleted; UPDATE event SET at = '2025-06-01' WHERE id = 9 RETURNING tableoid::regclass), 'event_2', 'a deleted row changes its partition');
equal(q(INSERT INTO customer VALUES (104, 'c4') ON CONFLICT (name) DO UPDATE SET name = 'x' RETURNING name),
	'c4', 'a deleted name is used again');
equal(q(SELECT softdelete.purge('customer', 4)), 13, 'purge()');
equal(q(SELECT target, purged FROM softdelete.purge_expired('event', older_than => '0')), 'event|7', 'purge_expired()');
equal(q(BEGIN; DELETE FROM customer WHERE id = 7; SAVEPOINT s; DELETE FROM customer WHERE id = 8; ROLLBACK TO s;
	UPDATE "Order" SET "Total" = -1 WHERE id = 30; COMMIT; SELECT count(*) FROM customer), 18, 'part of a transaction');
sql($publisher, 'shop', 'BEGIN; DELETE FROM customer; ROLLBACK');
equal('SELECT count(*) FROM customer', 18, 'a DELETE that is rolled back');
is(sql($subscriber, 'managed', 'SELECT count(*) FROM softdelete.deletions'), 0, 'the log stays with the publisher');
is(sql($subscriber, 'managed', q(SELECT key->>'id', deleted_by FROM softdelete.trash('customer') ORDER BY deleted_at, key)),
	"2|\n7|", 'a subscriber has the rows in its trash all the same');
is(sql($subscriber, 'managed', 'SELECT count(*) FROM favourite WHERE customer_id IS NULL'), 1, 'SET NULL waited for the purge');

# ---------------------------------------------------------------- failover

# Before a subscriber takes over, its deletion ids have to go on after the
# publisher's, like any sequence's values.
unsubscribe(qw(plain managed));
is(sql($subscriber, 'managed', q(SELECT softdelete.restore('customer', 7))), 9, 'failover: a deletion of the publisher can be restored by key');
my $max = join ', ', map { "(SELECT max(deletion_id) FROM $_)" } qw(customer "Order" item event);
$subscriber->safe_psql('managed', qq(SET softdelete.visibility = 'all'; SELECT setval('softdelete.deletion_log_id_seq', greatest($max))));
sql($subscriber, 'managed', 'DELETE FROM customer WHERE id = 10');
is(sql($subscriber, 'managed', q(SELECT count(*) FROM softdelete.trash() t JOIN softdelete.deletions d ON d.id = t.deletion_id)), 13, 'failover: deletes are logged');
is(sql($subscriber, 'managed', q(SELECT softdelete.undo(max(id)) FROM softdelete.deletions)), 13, 'failover: and undone, alone');
is(sql($subscriber, 'managed', q(SELECT count(*) FROM softdelete.purge_expired(older_than => '0') WHERE kept > 0)), 0, 'failover: what the publisher deleted can be purged');

# ---------------------------------------------------------------- live rows only

$publisher->safe_psql('shop', q(
ALTER TABLE "My shop".customer REPLICA IDENTITY FULL;
CREATE PUBLICATION live FOR TABLE "My shop".customer WHERE (deleted_at IS NULL), "My shop".item WHERE (status <> 'deleted');
));
database($subscriber, 'live');
sql($subscriber, 'live', $tables . 'ALTER TABLE item DROP CONSTRAINT item_order_id_fkey;' . $columns);
subscribe('live', 'shop', 'live');
sub live
{
	my ($sql, $name) = @_;
	sql($publisher, 'shop', $sql) if $sql;
	follow('live');
	my $live = 'SELECT * FROM customer ORDER BY id; SELECT * FROM item ORDER BY id';
	is(sql($subscriber, 'live', $live), sql($publisher, 'shop', $live), "row filter: $name");
	return;
}
live(undef, 'live rows are copied');
live('DELETE FROM customer WHERE id IN (11, 12)', 'a delete takes rows away');
live(q(SELECT softdelete.restore('customer', 11)), 'a restore brings them back');
live(q(SELECT softdelete.purge('customer', 12)), 'a purge changes nothing');
live(q(INSERT INTO customer VALUES (12, 'again'); INSERT INTO item VALUES (1000, 40, 'new'); UPDATE item SET status = 'deleted' WHERE id = 1000), 'marked by UPDATE');

# ---------------------------------------------------------------- some columns

$publisher->safe_psql('shop', 'CREATE PUBLICATION names FOR TABLE "My shop".favourite, "My shop".event (id, at, note) WITH (publish_via_partition_root)');
database($subscriber, 'names');
sql($subscriber, 'names', $tables);
sql($publisher, 'shop', 'DELETE FROM event WHERE id = 2');
subscribe('names', 'shop', 'names');
my $event = q(SET row_security = off; SELECT id, at, note FROM event ORDER BY id);
is(sql($subscriber, 'names', $event), sql($publisher, 'shop', $event), 'column list without the mark: deleted rows are copied, as any');
sql($publisher, 'shop', 'DELETE FROM event WHERE id = 3');
follow('names');
is(sql($subscriber, 'names', $event), sql($publisher, 'shop', $event), 'column list without the mark: a delete is not noticed');
sql($publisher, 'shop', q(SELECT FROM softdelete.purge_expired('event', older_than => '0')));
follow('names');
is(sql($subscriber, 'names', $event), sql($publisher, 'shop', $event), 'column list without the mark: a purge is');
unsubscribe(qw(live names));

# ---------------------------------------------------------------- from a publisher that really deletes

database($publisher, 'hard');
sql($publisher, 'hard', $tables . $columns . q(
INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 6) i;
INSERT INTO "Order" (id, customer_id) SELECT i, i FROM generate_series(1, 6) i;
INSERT INTO item SELECT i, (i + 1) / 2, 'new' FROM generate_series(1, 12) i;
INSERT INTO event SELECT i, '2024-12-28'::date + i, 'e' || i FROM generate_series(1, 6) i;
));
$publisher->safe_psql('hard', 'CREATE PUBLICATION all_of_it FOR ALL TABLES WITH (publish_via_partition_root)');
database($subscriber, 'copy', 1);
sql($subscriber, 'copy', $tables . $enable);
subscribe('copy', 'hard');
sub hard
{
	my ($sql, $name) = @_;
	sql($publisher, 'hard', $sql);
	follow('copy');
	is(content($subscriber, 'copy'), content($publisher, 'hard'), "hard deletes: $name");
	return;
}
hard('SELECT', 'first copy');
hard('DELETE FROM item WHERE id = 1', 'DELETE');
hard('DELETE FROM customer WHERE id = 2', 'DELETE with the cascade of its keys');
hard('DELETE FROM event WHERE id IN (2, 5)', 'DELETE in partitions');
hard('UPDATE item SET status = $$sold$$ WHERE id = 5', 'UPDATE');
hard('UPDATE customer SET deleted_at = now() WHERE id = 3', 'marks that the application sets arrive without a cascade of their own');
hard('TRUNCATE event', 'TRUNCATE');
is(sql($subscriber, 'copy', 'SELECT count(*) FROM softdelete.deletions'), 0, 'hard deletes: no deletion on the subscriber');

# what the subscriber deletes by itself is its own
sql($subscriber, 'copy', 'DELETE FROM customer WHERE id = 4');
is(sql($subscriber, 'copy', 'SELECT count(*) FROM item WHERE order_id = 4'), 0, 'conflict: a delete on the subscriber cascades');
sql($publisher, 'hard', 'UPDATE item SET status = $$sold$$ WHERE id = 7');
sql($publisher, 'hard', 'DELETE FROM item WHERE id = 8');
follow('copy');
is(sql($subscriber, 'copy', 'SELECT id, status, deletion_id FROM item WHERE order_id = 4'), '7|sold|',
	'conflict: the last change stands, as ever; the publisher\'s UPDATE makes its row live again');
is(sql($subscriber, 'copy', q(SELECT softdelete.restore('customer', 4))), 2, 'conflict: the rest can be restored');
hard('DELETE FROM customer WHERE id = 4', 'and erased');

# ---------------------------------------------------------------- a subscriber that keeps what the publisher erases

# The guard trigger makes a mark of a replayed DELETE if it is told to fire for
# those.  What one transaction has erased there is one deletion here.
my $small = q(
CREATE TABLE parent (id integer PRIMARY KEY, what text);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent ON DELETE CASCADE);
);
database($publisher, 'short');
sql($publisher, 'short', $small . join('', map { "ALTER TABLE $_ ADD deleted_at timestamptz, ADD deletion_id bigint;" } qw(parent child)) . q(
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 4) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 4) i;
));
$publisher->safe_psql('short', 'CREATE PUBLICATION all_of_it FOR ALL TABLES');
database($subscriber, 'archive', 1);
sql($subscriber, 'archive', $small . q(
SELECT softdelete.enable('parent', cascade => true);
ALTER TABLE parent ENABLE ALWAYS TRIGGER "~softdelete_guard";
ALTER TABLE child ENABLE ALWAYS TRIGGER "~softdelete_guard";
));
subscribe('archive', 'short');
sql($publisher, 'short', 'DELETE FROM parent WHERE id = 1');
sql($publisher, 'short', 'DELETE FROM child WHERE id IN (2, 3)');
follow('archive');
is(sql($publisher, 'short', 'SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM child)'), '3|1', 'archive: erased on the publisher');
is(sql($subscriber, 'archive', 'SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM child)'), '3|1', 'archive: hidden on the subscriber');
is(sql($subscriber, 'archive', 'SELECT target, rows FROM softdelete.deletions ORDER BY target::text, id'),
	qq(child|{"child": 2}\nparent|{"child": 1, "parent": 1}), 'archive: logged');
is(sql($subscriber, 'archive', q(SELECT softdelete.restore('parent', 1))), '2', 'archive: and kept');
is(error($subscriber, 'archive', q(DELETE FROM parent WHERE id = 1; SELECT softdelete.restore('child', 1))), 'ERROR:  55D03',
	'archive: keys hold for its own deletes');
unsubscribe('archive');

# ---------------------------------------------------------------- the log, too

# Published by name, or by FOR ALL TABLES, to a subscriber that has the extension.
# The first copy of retention would meet what enable() wrote there.
database($publisher, 'logged', 1);
sql($publisher, 'logged', $small . q(
SELECT softdelete.enable('parent', cascade => true);
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 9) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 9) i;
SET softdelete.actor = 'ann';
DELETE FROM parent WHERE id = 1;
));
$publisher->safe_psql('logged', 'CREATE PUBLICATION all_of_it FOR ALL TABLES');
database($subscriber, 'twin', 1);
sql($subscriber, 'twin', $small . q(SELECT softdelete.enable('parent', cascade => true)));
$subscriber->safe_psql('twin', 'DELETE FROM softdelete.retention');
subscribe('twin', 'logged');
sql($publisher, 'logged', q(
SET softdelete.actor = 'bob';
DELETE FROM parent WHERE id IN (2, 3);
SELECT softdelete.restore('parent', 3);
DELETE FROM child WHERE id = 4;
SELECT softdelete.set_retention('child', '1 day');
SELECT softdelete.hold(1, 'court');
));
sql($publisher, 'logged', q(SELECT softdelete.purge('parent', 2)));
follow('twin');
my $log = 'SELECT * FROM softdelete.deletions ORDER BY id; SELECT * FROM softdelete.tables ORDER BY target::text';
is(sql($subscriber, 'twin', $log), sql($publisher, 'logged', $log), 'published log: the same on both sides');
is(sql($subscriber, 'twin', 'SELECT id, actor, rows, restored, purged, held FROM softdelete.deletions ORDER BY id'),
	qq(1|ann|{"child": 1, "parent": 1}|0|0|t\n2|bob|{"child": 2, "parent": 2}|2|2|f\n3|bob|{"child": 1}|0|0|f), 'published log: with all that became of the rows');
unsubscribe('twin');
$subscriber->safe_psql('twin', q(SELECT setval('softdelete.deletion_log_id_seq', max(id)) FROM softdelete.deletion_log));
is(sql($subscriber, 'twin', q(SELECT softdelete.undo(1); SELECT softdelete.undo(3))), "2\n1", 'published log: after a failover deletions are undone by id');
is(sql($subscriber, 'twin', q(DELETE FROM parent WHERE id = 5; SELECT max(id), count(*) FROM softdelete.deletions)), '4|4', 'published log: ids go on');

# ---------------------------------------------------------------- both sides delete

# A deletion id is one side's own.  Where both sides delete, they must not give
# the same ids, or undo() would restore what the other side deleted, too.
$publisher->safe_psql('logged', 'CREATE PUBLICATION rows FOR TABLES IN SCHEMA "My shop"');
database($subscriber, 'pair', 1);
sql($subscriber, 'pair', $small . q(SELECT softdelete.enable('parent', cascade => true)));
$publisher->safe_psql('logged', 'ALTER SEQUENCE softdelete.deletion_log_id_seq INCREMENT BY 2 RESTART WITH 101');
$subscriber->safe_psql('pair', 'ALTER SEQUENCE softdelete.deletion_log_id_seq INCREMENT BY 2 RESTART WITH 102');
subscribe('pair', 'logged', 'rows');
sql($publisher, 'logged', "DELETE FROM parent WHERE id = $_") for 6, 7;
follow('pair');
sql($subscriber, 'pair', "DELETE FROM parent WHERE id = $_") for 8, 9;
is(sql($subscriber, 'pair', 'SET softdelete.visibility = deleted; SELECT id, deletion_id FROM parent WHERE id > 5 ORDER BY id'),
	"6|101\n7|103\n8|102\n9|104", 'both sides delete: under ids of their own');
is(sql($subscriber, 'pair', 'SELECT softdelete.undo(102), softdelete.undo(104); SELECT id FROM parent WHERE id > 5 ORDER BY id'), "2|2\n8\n9", 'both sides delete: undo() restores what it should');
is(sql($subscriber, 'pair', q(SELECT softdelete.restore('parent', 6))), 2, 'both sides delete: restore() takes any row, with what went with it');
is(error($subscriber, 'pair', 'SELECT softdelete.undo(103)'), 'ERROR:  P0002', 'both sides delete: undo() needs the log');
unsubscribe('pair');

# ---------------------------------------------------------------- what publications make of a delete

# enable() adds columns, and columns do not replicate: the subscriber gets them first
database($publisher, 'later', 1);
database($subscriber, 'later');
sql($_, 'later', $small) for $publisher, $subscriber;
sql($publisher, 'later', q(INSERT INTO parent VALUES (1, 'p'), (2, 'p')));
$publisher->safe_psql('later', 'CREATE PUBLICATION all_of_it FOR TABLE "My shop".parent');
subscribe('later', 'later');
sql($subscriber, 'later', 'ALTER TABLE parent ADD deleted_at timestamptz, ADD deletion_id bigint');
sql($publisher, 'later', q(SELECT softdelete.enable('parent', cascade => true); DELETE FROM parent WHERE id = 1));
follow('later');
is(sql($subscriber, 'later', 'SELECT id, deleted_at IS NOT NULL, deletion_id FROM parent ORDER BY id'), "1|t|1\n2|f|", 'enable() of a published table: goes on');
is(sql($publisher, 'later', q(SELECT softdelete.restore('parent', 1); SELECT softdelete.disable('parent'); DELETE FROM parent WHERE id = 1)), "1\n", 'disable()');
follow('later');
is(sql($subscriber, 'later', 'SELECT id, deletion_id FROM parent ORDER BY id'), '2|', 'disable() of a published table: deletes are final');
unsubscribe('later');

# a delete is an UPDATE: what a publication leaves out of those stays behind, and
# a table without replica identity can be published for neither
$publisher->safe_psql('later', q(CREATE PUBLICATION no_update FOR TABLE "My shop".child WITH (publish = 'insert, delete');
	CREATE TABLE "My shop".no_key (id integer, deleted_at timestamptz, deletion_id bigint); ALTER TABLE "My shop".no_key OWNER TO owner;
	CREATE PUBLICATION no_key FOR TABLE "My shop".no_key));
sql($publisher, 'later', q(INSERT INTO parent VALUES (3); INSERT INTO child VALUES (1, 2), (2, 3)));
database($subscriber, 'no_update');
sql($subscriber, 'no_update', 'CREATE TABLE child (id integer PRIMARY KEY, parent_id integer, deleted_at timestamptz, deletion_id bigint)');
subscribe('no_update', 'later', 'no_update');
sql($publisher, 'later', 'DELETE FROM child');
follow('no_update');
is(sql($subscriber, 'no_update', 'SELECT count(*), count(deleted_at) FROM child'), '2|0', 'publication without UPDATE: the mark does not arrive');
sql($publisher, 'later', q(SELECT softdelete.purge('child', 1)));
follow('no_update');
is(sql($subscriber, 'no_update', 'SELECT id FROM child'), 2, 'publication without UPDATE: the purge does');
unsubscribe('no_update');
sql($publisher, 'later', 'INSERT INTO no_key VALUES (1)');
my $native = error($publisher, 'later', 'DELETE FROM no_key');
sql($publisher, 'later', q(SELECT softdelete.enable('no_key')));
is($native, 'ERROR:  55000', 'no replica identity: DELETE is refused');
is(error($publisher, 'later', 'DELETE FROM no_key'), $native, 'no replica identity: of a managed table, too');

# ---------------------------------------------------------------- loaded for all processes

# With shared_preload_libraries the processes that replicate have the library,
# too, and it hides nothing from them.
for my $node ($publisher, $subscriber)
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'softdelete'");
	$node->restart;
	database($node, 'everywhere', 1);
	sql($node, 'everywhere', $tables . $enable);
}
sql($publisher, 'everywhere', q(
INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 6) i;
INSERT INTO "Order" (id, customer_id) SELECT i, i FROM generate_series(1, 6) i;
INSERT INTO item SELECT i, (i + 1) / 2, 'new' FROM generate_series(1, 12) i;
INSERT INTO event SELECT i, '2024-12-28'::date + i, 'e' || i FROM generate_series(1, 6) i;
DELETE FROM customer WHERE id <= 2;
DELETE FROM event WHERE id IN (1, 6);
));
# a row filter and a partitioned table, for the first copy is a query then
$publisher->safe_psql('everywhere', q(CREATE PUBLICATION all_of_it FOR TABLE "My shop".customer WHERE (id < 100), "My shop"."Order",
	"My shop".item, "My shop".event, "My shop".favourite WITH (publish_via_partition_root)));
subscribe('everywhere', 'everywhere');
sub everywhere
{
	my ($sql, $name) = @_;
	sql($publisher, 'everywhere', $sql);
	follow('everywhere');
	is(content($subscriber, 'everywhere'), content($publisher, 'everywhere'), "shared_preload_libraries: $name");
	return;
}
everywhere('SELECT', 'first copy');
everywhere('DELETE FROM customer WHERE id = 3', 'DELETE');
everywhere(q(SELECT softdelete.restore('customer', 1); SELECT softdelete.restore('event', 1, '2024-12-29')), 'restore()');
everywhere(q(UPDATE item SET status = 'deleted' WHERE id = 12), 'delete by UPDATE');
everywhere(q(SELECT softdelete.purge('customer', 2)), 'purge()');
is(sql($subscriber, 'everywhere', 'SELECT (SELECT count(*) FROM softdelete.deletions), (SELECT count(*) FROM event), (SELECT count(*) FROM item)'), '0|5|7',
	'shared_preload_libraries: nothing is logged twice, deleted rows are hidden');
unsubscribe('everywhere');

$publisher->stop;
$subscriber->stop;
done_testing();
