# A hot standby hides deleted rows as its primary does, and follows what the
# primary does: deletes, restores, enable() and disable(), in cached plans, too.
# Reading works there, trash and log included; whatever writes gets PostgreSQL's
# own error for a read-only transaction.  Promoted, it goes on where the primary
# was: deletion ids, cascades and restores of deletions of before.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;

# The setting is in a catalog, so that the standby has it from the primary.
$primary->safe_psql('postgres', <<'EOT');
CREATE DATABASE shop;
ALTER DATABASE shop SET session_preload_libraries = 'softdelete';
CREATE ROLE owner LOGIN;
CREATE ROLE clerk LOGIN;
EOT
$primary->safe_psql('shop', <<'EOT');
CREATE EXTENSION softdelete;
CREATE SCHEMA "My shop" AUTHORIZATION owner;
GRANT USAGE ON SCHEMA "My shop" TO clerk;
ALTER DATABASE shop SET search_path = "My shop";
EOT
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# as an ordinary role, the tables' owner unless another is named
sub user
{
	my ($role) = @_;
	return ($role || '') eq 'superuser' ? () : (extra_params => [ '-U', $role || 'owner' ]);
}

sub sql
{
	my ($node, $sql, $role) = @_;
	return $node->safe_psql('shop', $sql, user($role));
}

sub error    # the first line of what a statement fails with, SQLSTATE included
{
	my ($node, $sql, $role) = @_;
	my ($rc, $out, $err) = $node->psql('shop', "\\set VERBOSITY verbose\n$sql", user($role));
	$err =~ s/^psql:\S+ //;
	$err =~ s/\n.*//s;
	return $err;
}

sub follow { return $primary->wait_for_catchup($standby); }

sub same    # the same statement has the same result on both
{
	my ($sql, $expected, $name) = @_;
	follow();
	is(sql($standby, $sql), $expected, "standby: $name");
	is(sql($primary, $sql), $expected, "primary: $name");
}

sql($primary, <<'EOT');
CREATE TABLE "Order" (id integer PRIMARY KEY, "Total" numeric, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE item (id integer PRIMARY KEY, order_id integer REFERENCES "Order" ON DELETE CASCADE, what text);
CREATE TABLE event (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE VIEW totals AS SELECT o.id, count(i.id) AS items FROM "Order" o LEFT JOIN item i ON i.order_id = o.id GROUP BY o.id;
CREATE FUNCTION items_of(integer) RETURNS SETOF item LANGUAGE sql STABLE AS 'SELECT * FROM item WHERE order_id = $1';
SELECT softdelete.enable('item');
SELECT softdelete.enable('"Order"', 'is_active', retention => '1 day');
SELECT softdelete.enable('event');
INSERT INTO "Order" SELECT i, i * 10 FROM generate_series(1, 10) i;
INSERT INTO item SELECT i, (i - 1) / 3 + 1, 'item ' || i FROM generate_series(1, 30) i;
INSERT INTO event SELECT i, '2024-12-25'::date + i FROM generate_series(1, 12) i;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA "My shop" TO clerk;
EOT

# ---------------------------------------------------------------- deletes are hidden

follow();
is(sql($standby, 'SHOW session_preload_libraries', 'superuser'), 'softdelete', 'the standby has the setting from the primary');
sql($primary, q(SET softdelete.actor = 'ann'; SET softdelete.reason = 'spam'; DELETE FROM item WHERE id IN (1, 4);
	DELETE FROM "Order" WHERE id IN (2, 3)), 'clerk');
sql($primary, 'DELETE FROM event WHERE id BETWEEN 5 AND 8');

same('SELECT id FROM "Order" ORDER BY id', join("\n", 1, 4 .. 10), 'deleted rows are hidden');
same('SELECT count(*), min(id) FROM item', '23|2', '... and what went with them');
same('SELECT * FROM totals WHERE id < 5 ORDER BY id', "1|2\n4|3", '... from views');
same('SELECT i.id FROM generate_series(1, 2) g, items_of(g) i ORDER BY 1', "2\n3", '... from inlined functions');
same('SELECT tableoid::regclass, count(*) FROM event GROUP BY 1 ORDER BY 1', "event_1|4\nevent_2|4", '... in partitions');
same('SELECT g, o.id FROM generate_series(1, 3) g LEFT JOIN "Order" o ON o.id = g ORDER BY 1', "1|1\n2|\n3|", '... below outer joins');
same('COPY (SELECT id FROM "Order" WHERE id < 5 ORDER BY id) TO STDOUT', "1\n4", '... from COPY of a query');
same('SET softdelete.visibility = deleted; SELECT id FROM "Order" ORDER BY id', "2\n3", 'visibility deleted');
same(q(SET softdelete.visibility = 'all'; SELECT count(*) FROM item), 30, 'visibility all');
same('BEGIN; SET LOCAL softdelete.visibility = deleted; SELECT count(*) FROM item; COMMIT; SELECT count(*) FROM item', "7\n23", 'SET LOCAL');
same('SET row_security = off; SELECT count(*) FROM item', 30, 'row_security = off shows all, as a dump needs it');
is(scalar(my @live = split /\n/, sql($standby, 'COPY "Order" TO STDOUT')),
	sql($standby, 'SELECT count(*) FROM "Order"'), 'standby: COPY of a table has live rows');
is(scalar(my @all = split /\n/, sql($standby, 'SET row_security = off; COPY "Order" TO STDOUT')), 10, 'standby: ... and for a dump every row');

# ---------------------------------------------------------------- what reads works

same(q(SELECT target, marker, retention FROM softdelete.tables ORDER BY target::text),
	qq("Order"|is_active|1 day\nevent|deleted_at|30 days\nitem|deleted_at|30 days), 'tables');
same(q(SELECT target, deleted_by, actor, reason, rows FROM softdelete.deletions ORDER BY id),
	qq(item|clerk|ann|spam|{"item": 2}\n"Order"|clerk|ann|spam|{"item": 5, "\\"Order\\"": 2}\nevent|owner|||{"event": 4}), 'deletions');
same(q(SELECT child, parent, on_delete, soft_delete FROM softdelete.foreign_keys), 'item|"Order"|CASCADE|children are deleted along', 'foreign_keys');
same(q(SELECT key, deleted_by, actor, days_left, row_data->>'Total' FROM softdelete.trash('"Order"') ORDER BY key),
	qq({"id": 2}|clerk|ann|1|20\n{"id": 3}|clerk|ann|1|30), 'trash()');
same(q(SELECT count(*) FROM softdelete.trash()), 13, 'trash() of all tables');
same(q(SELECT softdelete.live_predicate('"Order"')), 'is_active', 'live_predicate()');
same(q(SELECT kind, ddl FROM softdelete.advice('item') WHERE kind = 'key_index'),
	'key_index|CREATE INDEX CONCURRENTLY item_item_order_id_fkey_idx ON "My shop".item (order_id)', 'advice()');

# ---------------------------------------------------------------- what writes does not

sub read_only
{
	my ($sql, $name, $role) = @_;
	return like(error($standby, $sql, $role),
		qr/^ERROR:  25006: cannot (execute .+ in a read-only transaction|execute .+ during recovery)$/, "read-only: $name");
}
my $before = sql($standby, 'SELECT count(*), sum(id) FROM item');
is(error($standby, 'DELETE FROM item WHERE id = 2', 'clerk'), 'ERROR:  25006: cannot execute DELETE in a read-only transaction', 'read-only: DELETE');
is(error($standby, 'UPDATE item SET deleted_at = now() WHERE id = 2'),
	'ERROR:  25006: cannot execute UPDATE in a read-only transaction', 'read-only: UPDATE that marks');
read_only('DELETE FROM "Order"', 'DELETE with a cascade', 'clerk');
read_only('DELETE FROM event', 'DELETE from partitions', 'clerk');
read_only('WITH d AS (DELETE FROM item RETURNING id) SELECT * FROM d', 'DELETE in a WITH');
read_only('MERGE INTO item i USING "Order" o ON o.id = i.order_id WHEN MATCHED THEN DELETE', 'MERGE');
read_only('INSERT INTO "Order" VALUES (2) ON CONFLICT (id) DO UPDATE SET "Total" = 0', 'upsert on a deleted row');
read_only('TRUNCATE item', 'TRUNCATE');
read_only('SET softdelete.visibility = deleted; UPDATE item SET deleted_at = NULL', 'UPDATE that restores');
read_only('SELECT id FROM item WHERE id = 2 FOR UPDATE', 'SELECT FOR UPDATE');
read_only(q(SELECT softdelete.delete('item', 2)), 'delete()');
read_only(q(SELECT softdelete.restore('"Order"', 2)), 'restore()');
read_only(q(SELECT softdelete.undo(2)), 'undo()', 'clerk');
read_only(q(SELECT softdelete.purge('"Order"', 2)), 'purge()');
read_only(q(SELECT softdelete.hold(2, 'court')), 'hold()');
read_only(q(SELECT softdelete.release(2)), 'release()');
read_only(q(SELECT softdelete.set_retention('item', '1 day')), 'set_retention()');
read_only(q(SELECT softdelete.disable('item')), 'disable()');
read_only(q(SELECT softdelete.enable('item')), 'enable() again');
read_only(q(SELECT softdelete.create_live_index('item', 'what')), 'create_live_index()');
read_only(q(SELECT softdelete.create_live_unique('item', 'what')), 'create_live_unique()');
read_only(q(SELECT * FROM softdelete.purge_expired('item')), 'purge_expired() of a table');
read_only(q(SELECT * FROM softdelete.purge_expired('item', older_than => '0', dry_run => true)), 'the dry run, which is a purge that is rolled back');
read_only(q(SELECT * FROM softdelete.purge_expired()), 'purge_expired()');
read_only(q(SELECT * FROM softdelete.purge_expired(dry_run => true)), 'the dry run of all tables');
read_only(q(BEGIN; SET LOCAL softdelete.hard_delete = on; DELETE FROM item), 'really deleting', 'superuser');
is(sql($standby, 'SELECT count(*), sum(id) FROM item'), $before, 'nothing changed');
is(error($standby, q(DO $$ BEGIN DELETE FROM item; EXCEPTION WHEN read_only_sql_transaction THEN RAISE EXCEPTION 'caught %', SQLSTATE; END $$)),
	'ERROR:  P0001: caught 25006', 'the error can be caught');
# a wrong call is one here, too
like(error($standby, q(SELECT softdelete.live_predicate('totals'))), qr/^ERROR:  55000: /, 'other errors are as on the primary');

# ---------------------------------------------------------------- cached plans

# One session stays, with plans made before the primary does anything.
my $session = $standby->background_psql('shop', extra_params => [ '-U', 'owner' ]);

sub ask { return $session->query_safe($_[0]); }

sub asked
{
	my ($sql, $expected, $name) = @_;
	follow();
	return is(ask($sql), $expected, $name);
}

ask('SET plan_cache_mode = force_generic_plan');
ask('PREPARE items(integer) AS SELECT count(*) FROM item WHERE order_id = $1');
asked('EXECUTE items(5)', 3, 'cached plan: all there');
sql($primary, 'DELETE FROM item WHERE id = 13');
asked('EXECUTE items(5)', 2, 'cached plan: a delete is replayed');
asked(q(SET softdelete.visibility = 'all'; EXECUTE items(5)), 3, 'cached plan: visibility changes');
asked('RESET softdelete.visibility; EXECUTE items(5)', 2, '... and back');
sql($primary, q(SELECT softdelete.disable('item')));
asked('EXECUTE items(5)', 3, 'cached plan: disable() is replayed');
sql($primary, q(SELECT softdelete.enable('item')));
asked('EXECUTE items(5)', 2, 'cached plan: enable() is replayed');
sql($primary, 'ALTER TABLE item RENAME deleted_at TO "Gone at"');
asked('EXECUTE items(5)', 2, 'cached plan: the marker is renamed');
sql($primary, 'ALTER TABLE item RENAME "Gone at" TO deleted_at');
sql($primary, q(SELECT softdelete.restore('item', 13)));
asked('EXECUTE items(5)', 3, 'cached plan: a restore is replayed');
sql($primary, q(CREATE TABLE late (id integer PRIMARY KEY, status text); INSERT INTO late VALUES (1, 'new')));
asked('PREPARE late AS SELECT count(*) FROM late; EXECUTE late', 1, 'cached plan: a new table');
sql($primary, q(SELECT softdelete.enable('late', 'status'); DELETE FROM late));
asked('EXECUTE late', 0, 'cached plan: it is managed and its row deleted');

# a snapshot of before sees what was there then
asked('BEGIN ISOLATION LEVEL REPEATABLE READ; EXECUTE items(6)', 3, 'a transaction begins');
sql($primary, 'DELETE FROM "Order" WHERE id = 6');
asked('EXECUTE items(6)', 3, '... and goes on seeing the rows of its snapshot');
asked('SET LOCAL softdelete.visibility = deleted; EXECUTE items(6)', 0, '... of which none is deleted');
asked('COMMIT; EXECUTE items(6)', 0, '... until it ends');

# ---------------------------------------------------------------- restore, undo, purge

sql($primary, q(SELECT softdelete.restore('"Order"', 2)), 'clerk');
same('SELECT count(*) FROM item WHERE order_id = 2', 2, 'a restore brings rows back; the one that was deleted before stays deleted');
sql($primary, q(SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = '"Order"'::regclass));
same('SELECT items FROM totals WHERE id = 6', 3, 'undo does');
sql($primary, q(SELECT softdelete.purge('"Order"', 3); SELECT softdelete.hold(1, 'court')));
same(q(SET softdelete.visibility = 'all'; SELECT count(*), (SELECT count(*) FROM item WHERE order_id = 3) FROM "Order"), '9|0', 'purged rows are gone');
same('SELECT held_why, restored, purged FROM softdelete.deletions ORDER BY id LIMIT 2', "court|0|0\n|3|4", 'the log says so');

# ---------------------------------------------------------------- promotion

sql($primary, 'DELETE FROM "Order" WHERE id = 7; DELETE FROM "Order" WHERE id = 8', 'clerk');
follow();
my $last = sql($primary, 'SELECT max(id) FROM softdelete.deletions');
$primary->stop('immediate');
$standby->promote;

is(ask('EXECUTE items(5)'), 3, 'promoted: a session of before goes on');
is(ask('DELETE FROM item WHERE id = 14 RETURNING id'), 14, 'promoted: it can delete now');
is(ask('EXECUTE items(5)'), 2, 'promoted: hidden at once');
is(sql($standby, 'DELETE FROM "Order" WHERE id = 9 RETURNING "Total"', 'clerk'), 90, 'promoted: DELETE');
is(sql($standby, "SELECT target, rows, id > $last FROM softdelete.deletions WHERE id > $last ORDER BY id"),
	qq(item|{"item": 1}|t\n"Order"|{"item": 3, "\\"Order\\"": 1}|t), 'promoted: cascades and is logged, under ids that were not given before');
is(sql($standby, q(SELECT softdelete.restore('"Order"', 7)), 'clerk'), 4, 'promoted: a deletion of before can be restored');
is(sql($standby, qq(SELECT softdelete.undo($last)), 'clerk'), 4, 'promoted: or undone');
is(sql($standby, q(SELECT id FROM "Order" ORDER BY id)), join("\n", 1, 2, 4 .. 8, 10), 'promoted: live rows');
is(error($standby, 'INSERT INTO item VALUES (100, 9)'),
	'ERROR:  23503: insert or update on table "item" violates foreign key constraint "item_order_id_fkey"', 'promoted: a deleted row cannot be referred to');
is(sql($standby, q(SELECT target, purged, kept FROM softdelete.purge_expired(older_than => '0') ORDER BY target::text)),
	qq("Order"|1|0\nevent|4|0\nitem|4|2\nlate|1|0), 'promoted: purge; what is on hold stays');
is(sql($standby, q(SET softdelete.visibility = 'all'; SELECT (SELECT count(*) FROM "Order"), (SELECT count(*) FROM item), (SELECT count(*) FROM event))),
	'8|23|8', 'promoted: the rest is there');

$session->quit;
$standby->stop;
done_testing();
