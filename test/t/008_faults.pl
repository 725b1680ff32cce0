# Faults: a session is cancelled, disconnected or killed, or the server is, in
# the middle of a delete, restore, purge, enable() or disable().  Afterwards
#
#  - what was not committed has left no trace: rows, log, triggers, indexes,
#    columns and retention are what they were before;
#  - what was committed is there;
#  - no live row refers to a deleted one, the log's numbers agree with the rows,
#    indexes agree with their tables;
#  - the same call, made again, does all of its work.
#
# First at points that are chosen: a row or a table is locked by somebody else,
# or a user's trigger waits there, so that the fault surely strikes in the middle.
# Then at random moments, under load.
#
#   FAULTS_SEED      default 20250101
#   FAULTS_SECONDS   how long the random part goes on killing, default 8
#
# fsync is off: a process that is killed loses nothing of what it has handed to
# the kernel.  A power failure is another matter, and PostgreSQL's own.

use strict;
use warnings;

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{FAULTS_SEED} || 20250101;
my $seconds = $ENV{FAULTS_SECONDS} || 8;

my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init;
$node->append_conf('postgresql.conf', <<'EOC');
autovacuum = off
fsync = off
log_statement = none
max_connections = 60
max_prepared_transactions = 5
restart_after_crash = on
session_preload_libraries = softdelete
shared_buffers = 16MB
wal_level = replica
EOC
$node->start;

# ---------------------------------------------------------------- tools

# What all databases of this test are copies of.  It is the superuser's; the
# tables belong to ordinary roles.
$node->safe_psql('postgres', 'CREATE DATABASE calm');
$node->safe_psql('calm', <<'EOS');
CREATE EXTENSION softdelete;
CREATE SCHEMA faults;
GRANT USAGE ON SCHEMA faults TO PUBLIC;

-- Where a session stops, or fails, is said by a setting of its own, so that
-- the same call passes in another session.
CREATE FUNCTION faults.strike(here text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('fault.at', true) = here THEN
		IF current_setting('fault.how', true) = 'division' THEN
			PERFORM 1 / 0;
		ELSIF current_setting('fault.how', true) = 'recursion' THEN
			PERFORM faults.strike(here);
		ELSE
			PERFORM pg_sleep(600);
		END IF;
	END IF;
END $$;

CREATE FUNCTION faults.on_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM faults.strike(concat_ws(' ', TG_WHEN, TG_OP, TG_TABLE_NAME, OLD.id));
		RETURN OLD;
	END IF;
	PERFORM faults.strike(concat_ws(' ', TG_WHEN, TG_OP, TG_TABLE_NAME, NEW.id));
	RETURN NEW;
END $$;

CREATE FUNCTION faults.on_command() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM faults.strike(tg_event || ' ' || tg_tag);
END $$;
CREATE EVENT TRIGGER before_command ON ddl_command_start EXECUTE FUNCTION faults.on_command();
CREATE EVENT TRIGGER after_command ON ddl_command_end EXECUTE FUNCTION faults.on_command();

-- a type whose comparison can be stopped, so that the build of an index can
CREATE FUNCTION faults.compare(a integer, b integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM faults.strike('comparison');
	RETURN btint4cmp(a, b);
END $$;
CREATE OPERATOR CLASS faults.stoppable FOR TYPE integer USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 faults.compare(integer, integer);
CREATE TYPE faults.span AS RANGE (subtype = integer, subtype_opclass = faults.stoppable);

-- everything there is to know about the tables of a schema
CREATE FUNCTION faults.state(schema name) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
	SET softdelete.visibility = 'all' SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result	text;
	tab		regclass;
	rows	text;
BEGIN
	SELECT string_agg(line, E'\n' ORDER BY line) INTO result FROM (
		SELECT concat_ws(' ', 'column', attrelid::regclass, attname, attnum) FROM pg_attribute
		  JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = quote_ident(schema)::regnamespace AND attnum > 0 AND NOT attisdropped
		UNION ALL
		SELECT concat_ws(' ', 'relation', oid, relname, relkind, relhasindex, relhastriggers) FROM pg_class
		 WHERE relnamespace = quote_ident(schema)::regnamespace
		UNION ALL
		SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgfoid::regproc, tgenabled) FROM pg_trigger
		  JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = quote_ident(schema)::regnamespace
		UNION ALL
		SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, contype) FROM pg_constraint
		 WHERE connamespace = quote_ident(schema)::regnamespace
		UNION ALL
		SELECT concat_ws(' ', 'retention', r) FROM softdelete.retention r
		  JOIN pg_class c ON c.oid = target WHERE relnamespace = quote_ident(schema)::regnamespace
		UNION ALL
		SELECT concat_ws(' ', 'log', l) FROM softdelete.deletion_log l
		  JOIN pg_class c ON c.oid = target WHERE relnamespace = quote_ident(schema)::regnamespace
	) AS l(line);
	FOR tab IN SELECT c.oid FROM pg_class c WHERE relnamespace = quote_ident(schema)::regnamespace AND relkind = 'r' ORDER BY relname LOOP
		EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text) FROM %s t', tab) INTO rows;
		result := concat_ws(E'\n', result, tab, rows);
	END LOOP;
	RETURN result;
END $$;

-- the same in short: "table live+deleted/deletions" and "log marked-restored-purged"
CREATE FUNCTION faults.summary(schema name) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
	SET softdelete.visibility = 'all' SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result	text := '';
	tab		record;
	line	text;
BEGIN
	FOR tab IN SELECT c.oid::regclass, relname, live_predicate FROM pg_class c LEFT JOIN softdelete.tables t ON t.target = c.oid
				WHERE relnamespace = quote_ident(schema)::regnamespace AND relkind = 'r' ORDER BY c.oid LOOP
		IF tab.live_predicate IS NULL THEN
			EXECUTE format('SELECT count(*) || '' not managed'' FROM %s', tab.oid) INTO line;
		ELSE
			EXECUTE format('SELECT count(*) FILTER (WHERE %1$s) || ''+'' || count(*) FILTER (WHERE (%1$s) IS NOT TRUE)
							|| ''/'' || count(DISTINCT deletion_id) FROM %2$s', tab.live_predicate, tab.oid) INTO line;
		END IF;
		result := result || tab.relname || ' ' || line || ', ';
	END LOOP;
	RETURN result || 'log' || coalesce((SELECT string_agg(' ' || total || '-' || restored || '-' || purged, '' ORDER BY d.id)
		FROM softdelete.deletions d JOIN pg_class c ON c.oid = d.target WHERE relnamespace = quote_ident(schema)::regnamespace), '');
END $$;

-- what must never be, in the whole database; emptied: schemas whose unlogged tables lost their rows
CREATE FUNCTION faults.violations(emptied name[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql
	SET softdelete.visibility = 'all' AS $$
DECLARE
	k		record;
	found	text;
BEGIN
	FOR k IN
		SELECT c.conname, c.conrelid::regclass AS child, c.confrelid::regclass AS parent, c.confdeltype,
			   coalesce(ct.live_predicate, 'true') AS child_live, coalesce(pt.live_predicate, 'true') AS parent_live,
			   (SELECT string_agg(format('p.%I = c.%I', f.attname, a.attname), ' AND ')
				  FROM unnest(c.conkey, c.confkey) AS u(k, f)
				  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.k
				  JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = u.f) AS matches,
			   (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ')
				  FROM unnest(c.conkey) AS u(k) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.k) AS given
		  FROM pg_constraint c
		  LEFT JOIN softdelete.tables ct ON ct.target = c.conrelid
		  LEFT JOIN softdelete.tables pt ON pt.target = c.confrelid
		 WHERE c.contype = 'f'
	LOOP
		EXECUTE format('SELECT string_agg(c.c::text, '' '') FROM (SELECT c, *, %s AS is_live FROM %s c) c
						LEFT JOIN (SELECT *, %s AS is_live FROM %s) p ON %s
						WHERE %s AND (p.is_live IS NULL OR c.is_live AND NOT p.is_live AND %L <> ''n'')',
					   k.child_live, k.child, k.parent_live, k.parent, k.matches, k.given, k.confdeltype) INTO found;
		IF found IS NOT NULL THEN
			RETURN NEXT format('%s of %s refers to a row that is deleted or gone: %s', k.conname, k.child, found);
		END IF;
	END LOOP;

	CREATE TEMP TABLE there (id bigint, tab oid, n bigint);
	FOR k IN SELECT * FROM softdelete.tables LOOP
		EXECUTE format('INSERT INTO there SELECT deletion_id, %L::regclass, count(*) FROM %s WHERE deletion_id IS NOT NULL GROUP BY 1',
					   k.target, k.target);
		EXECUTE format('SELECT string_agg(t::text, '' '') FROM %s t WHERE (%s) = (deletion_id IS NOT NULL) OR (%s) = (%I IS NOT NULL)',
					   k.target, k.live_predicate, k.live_predicate, k.time_column) INTO found;
		IF found IS NOT NULL THEN
			RETURN NEXT format('%s: mark and companions disagree: %s', k.target, found);
		END IF;
	END LOOP;
	-- rows that have made room for new ones with their keys are still there
	INSERT INTO there SELECT deletion_id, target, count(*) FROM softdelete.replaced WHERE deletion_id IS NOT NULL GROUP BY 1, 2;
	RETURN QUERY SELECT format('deletion %s of %s rows of %s is not in the log', t.id, t.n, t.tab::regclass)
		FROM there t WHERE NOT EXISTS (SELECT FROM softdelete.deletion_log l WHERE l.id = t.id AND t.tab = ANY (l.tables::oid[]));
	RETURN QUERY SELECT format('deletion %s: %s marked, %s restored, %s purged, %s there', d.id, d.total, d.restored, d.purged, sum(t.n))
		FROM softdelete.deletions d JOIN pg_class c ON c.oid = d.target
		JOIN softdelete.tables USING (target) LEFT JOIN there t ON t.id = d.id
		WHERE (SELECT nspname FROM pg_namespace n WHERE n.oid = relnamespace) <> ALL (emptied)
		GROUP BY d.id, d.total, d.restored, d.purged
		HAVING d.total <> d.restored + d.purged + coalesce(sum(t.n), 0);
	RETURN QUERY SELECT format('deletion %s: more rows of %s than it took', l.id, u.tab::regclass)
		FROM softdelete.deletion_log l CROSS JOIN LATERAL unnest(l.tables, l.marked) AS u(tab, n)
		JOIN there t ON t.id = l.id AND t.tab = u.tab WHERE t.n > u.n;
	DROP TABLE there;

	IF to_regprocedure('bt_index_check(regclass, boolean)') IS NOT NULL THEN
		FOR k IN SELECT i.indexrelid::regclass AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
				  WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
				    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace) AND c.relpersistence <> 't' LOOP
			BEGIN
				PERFORM bt_index_check(k.index, true);
			EXCEPTION WHEN others THEN
				RETURN NEXT format('index %s: %s', k.index, SQLERRM);
			END;
		END LOOP;
	END IF;
END $$;
EOS
my $amcheck = $node->safe_psql('calm', "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'");
if   ($amcheck) { $node->safe_psql('calm', 'CREATE EXTENSION amcheck') }
else            { diag 'amcheck is not installed: indexes are not compared with their tables' }

sub violations
{
	my ($db, @emptied) = @_;
	return $node->safe_psql($db, 'SELECT faults.violations($${' . join(',', map { qq("$_") } @emptied) . '}$$)');
}

sub states
{
	my ($db, @names) = @_;
	my $list = join(', ', map { "'$_'" } @names);
	return decode_json($node->safe_psql($db, "SELECT json_object_agg(n, faults.state(n)) FROM unnest(ARRAY[$list]) n"));
}

# run SQL with psql in the background, its output and errors go to files
my $sessions = 0;
sub session
{
	my ($db, $user, $sql) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/faults_" . ++$sessions . '.sql';
	unlink $file;
	append_to_file($file, "\\set VERBOSITY sqlstate\n\\pset tuples_only\n\\pset format unaligned\n$sql\n");
	local $ENV{PGAPPNAME} = $user;
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	return { out => "$file.out", err => "$file.err",
		run => IPC::Run::start([ 'psql', '-X', '-q', '-U', $user, '-d', $node->connstr($db), '-f', $file ],
			'<', \undef, '>', "$file.out", '2>', "$file.err", IPC::Run::timeout(180)) };
}

sub errors
{
	my ($session) = @_;
	my $text = slurp_file($session->{err});
	$text =~ s/^psql:[^ ]*: //mg;
	chomp $text;
	return $text;
}

# the server answers again
sub wait_for_server
{
	for (1 .. 1200)
	{
		return if run_log([ 'pg_isready', '-q', '-d', $node->connstr('postgres') ]);
		usleep(50_000);
	}
	die 'the server did not come back';
}

# SIGKILL for the postmaster and all its children, and start it again
sub kill_server
{
	my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	$node->kill9;
	kill 9, @pids;
	# the children hold on to the shared memory for a moment, and the lock file
	# counts as long as somebody has to reap the postmaster
	for (1 .. 1000)
	{
		last if !kill(0, $postmaster) && !grep { alive($_) } @pids;
		usleep(20_000);
	}
	$node->start;
}

sub alive
{
	my ($pid) = @_;
	return 0 if !kill 0, $pid;
	open my $stat, '<', "/proc/$pid/stat" or return 0;
	return <$stat> !~ /\) Z/;
}

# ---------------------------------------------------------------- the cases

my $tree = <<'EOS';
CREATE TABLE parent (id integer PRIMARY KEY, span faults.span UNIQUE);
CREATE TABLE "Child" (id integer PRIMARY KEY, "Parent id" integer NOT NULL REFERENCES parent ON DELETE CASCADE);
CREATE INDEX ON "Child" ("Parent id");
CREATE TABLE grandchild (id integer PRIMARY KEY, child_id integer REFERENCES "Child" ON DELETE CASCADE, is_deleted boolean);
CREATE INDEX ON grandchild (child_id);
INSERT INTO parent SELECT i, faults.span(i, i + 1) FROM generate_series(1, 6) i;
INSERT INTO "Child" SELECT i, (i + 3) / 4 FROM generate_series(1, 24) i;
INSERT INTO grandchild SELECT i, (i + 2) / 3, false FROM generate_series(1, 72) i;
EOS
my $managed = $tree . <<'EOS';
SELECT softdelete.enable('grandchild', 'is_deleted');
SELECT softdelete.enable('parent', cascade => true, "unique" => 'keep');
EOS
# one child goes first, by itself: it must stay deleted when its parent comes back
my $deleted = $managed . <<'EOS';
DELETE FROM "Child" WHERE id = 1;
DELETE FROM parent WHERE id <= 3;
EOS
my $purgeable = $deleted . <<'EOS';
DELETE FROM grandchild WHERE id > 60;
EOS

my $delete = 'DELETE FROM parent WHERE id <= 3';
my $restore = q(SELECT softdelete.restore('parent', 2));
my $undo = 'SELECT softdelete.undo(max(id)) FROM softdelete.deletions';
my $purge = q(SELECT target, expired, purged, kept FROM softdelete.purge_expired(batch_size => 5, older_than => '0'));
my $trigger = sub { "CREATE TRIGGER \"a fault\" $_[0] FOR EACH ROW EXECUTE FUNCTION faults.on_row();\n" };

my $was_deleted = 'parent 3+3/1, Child 12+12/1, grandchild 36+36/1, log 51-0-0';
my $was_restored = 'parent 4+2/1, Child 16+8/2, grandchild 48+24/2, log 4-0-0 47-17-0';
my $was_undone = 'parent 6+0/0, Child 23+1/1, grandchild 69+3/1, log 4-0-0 47-47-0';
my $was_purged = 'parent 3+0/0, Child 12+0/0, grandchild 24+0/0, log 4-0-4 47-0-47 12-0-12';

# name: setup, what is called, where it stops, and what it comes to in the end.
# It stops where somebody holds a lock (hold), or where faults.strike() is asked to.
my @cases = (
	[ 'delete: marking' => { setup => $managed, call => $delete, hold => 'SELECT FROM parent WHERE id = 2 FOR UPDATE',
			end => $was_deleted } ],
	[ 'delete: marked, not cascaded' => { setup => $managed, call => $delete, hold => 'LOCK TABLE "Child" IN SHARE MODE',
			waits => 'relation', end => $was_deleted } ],
	[ 'delete: level 1' => { setup => $managed . $trigger->('BEFORE DELETE ON "Child"'), call => $delete,
			at => 'BEFORE DELETE Child 6', end => $was_deleted } ],
	[ 'delete: level 2' => { setup => $managed, call => $delete, hold => 'SELECT FROM grandchild WHERE id = 17 FOR UPDATE',
			end => $was_deleted } ],
	[ 'delete: after level 2' => { setup => $managed . $trigger->('AFTER DELETE ON grandchild'), call => $delete,
			at => 'AFTER DELETE grandchild 17', end => $was_deleted } ],
	[ 'delete: log' => { setup => $managed, call => $delete, late => 1, end => $was_deleted } ],
	[ 'delete: by key' => { setup => $managed, call => q(SELECT softdelete.delete('parent', 1)),
			hold => 'SELECT FROM "Child" WHERE id = 2 FOR UPDATE',
			end => 'parent 5+1/1, Child 20+4/1, grandchild 60+12/1, log 17-0-0' } ],
	[ 'delete: by UPDATE' => { setup => $managed, call => 'UPDATE parent SET deleted_at = now() WHERE id <= 3',
			hold => 'SELECT FROM grandchild WHERE id = 17 FOR UPDATE', end => $was_deleted } ],
	[ 'restore: level 2' => { setup => $deleted, call => $restore, hold => 'SELECT FROM grandchild WHERE id = 17 FOR UPDATE',
			end => $was_restored } ],
	[ 'restore: log' => { setup => $deleted, call => $restore,
			hold => q(SELECT FROM softdelete.deletion_log WHERE target = 'parent'::regclass FOR UPDATE),
			end => $was_restored } ],
	[ 'undo: level 1' => { setup => $deleted . $trigger->('AFTER INSERT ON "Child"'), call => $undo,
			at => 'AFTER INSERT Child 6', end => $was_undone } ],
	[ 'undo: level 2, by UPDATE' => { setup => $deleted . $trigger->('AFTER INSERT ON grandchild'),
			call => q(UPDATE parent SET deleted_at = NULL WHERE deleted_at IS NOT NULL),
			first => 'SET softdelete.visibility = deleted', at => 'AFTER INSERT grandchild 17', end => $was_undone } ],
	[ 'purge: a later batch' => { setup => $purgeable, call => $purge,
			hold => 'SELECT FROM grandchild WHERE id = 17 FOR UPDATE', end => $was_purged } ],
	[ 'purge: a row of a batch' => { setup => $purgeable . $trigger->('BEFORE DELETE ON "Child"')
			. q(SELECT softdelete.enable('"Child"', triggers => 'update');), call => $purge,
			at => 'BEFORE DELETE Child 7', end => $was_purged } ],
	[ 'purge: between tables' => { setup => $purgeable, call => $purge, hold => 'LOCK TABLE parent IN SHARE MODE',
			waits => 'relation', end => $was_purged } ],
	[ 'purge: log' => { setup => $purgeable, call => $purge,
			hold => q(SELECT FROM softdelete.deletion_log WHERE target = '"Child"'::regclass FOR UPDATE),
			end => $was_purged } ],
	[ 'purge: by key' => { setup => $deleted, call => q(SELECT softdelete.purge('parent', 2)),
			hold => 'SELECT FROM grandchild WHERE id = 17 FOR UPDATE',
			end => 'parent 3+2/1, Child 12+8/2, grandchild 36+24/2, log 4-0-0 47-0-17' } ],
	[ 'enable: adoption' => { setup => $tree . 'ALTER TABLE grandchild ADD deleted_at timestamptz;
			UPDATE grandchild SET is_deleted = true WHERE id > 60;' . $trigger->('BEFORE UPDATE ON grandchild'),
			call => q(SELECT softdelete.enable('grandchild', 'is_deleted')), at => 'BEFORE UPDATE grandchild 66',
			end => 'parent 6 not managed, Child 24 not managed, grandchild 60+12/1, log 12-0-0' } ],
	[ 'enable: index of a child' => { setup => $tree, call => q(SELECT softdelete.enable('parent', cascade => true)),
			at => 'ddl_command_end CREATE INDEX',
			end => 'parent 6+0/0, Child 24+0/0, grandchild 72+0/0, log' } ],
	[ 'enable: trigger' => { setup => $tree, call => q(SELECT softdelete.enable('parent', cascade => true)),
			at => 'ddl_command_end CREATE TRIGGER',
			end => 'parent 6+0/0, Child 24+0/0, grandchild 72+0/0, log' } ],
	[ 'enable: retention' => { setup => $tree, call => q(SELECT softdelete.enable('grandchild')),
			hold => q(INSERT INTO softdelete.retention SELECT 'grandchild'::regclass, NULL),
			end => 'parent 6 not managed, Child 24 not managed, grandchild 72+0/0, log' } ],
	[ 'disable: retention' => { setup => $deleted, call => q(SELECT softdelete.disable('parent')),
			hold => q(SELECT FROM softdelete.retention WHERE target = 'parent'::regclass FOR UPDATE),
			end => 'parent 6 not managed, Child 12+12/2, grandchild 36+36/2, log 4-0-0 47-0-0' } ],
	[ 'disable: columns' => { setup => $managed, call => q(SELECT softdelete.disable('parent', drop_columns => true)),
			at => 'ddl_command_end ALTER TABLE',
			end => 'parent 6 not managed, Child 24+0/0, grandchild 72+0/0, log' } ],
	[ 'create_live_unique: build' => { setup => $managed, call => q(SELECT softdelete.create_live_unique('parent', 'span')),
			at => 'comparison',
			end => 'parent 6+0/0, Child 24+0/0, grandchild 72+0/0, log' } ],
	[ 'create_live_unique: old key' => { setup => $managed,
			call => q(SELECT softdelete.create_live_unique('parent', 'span')), at => 'ddl_command_start ALTER TABLE',
			end => 'parent 6+0/0, Child 24+0/0, grandchild 72+0/0, log' } ]);
my @names = map { $_->[0] } @cases;
my %case = map { @$_ } @cases;

# Schema and owner bear the case's name.
sub create_schema
{
	my ($name, $setup) = @_;
	$node->safe_psql('calm', <<"EOS");
CREATE ROLE "$name" LOGIN;
CREATE SCHEMA "$name" AUTHORIZATION "$name";
ALTER ROLE "$name" SET search_path = "$name";
SET SESSION AUTHORIZATION "$name";
SET search_path = "$name";
$setup
EOS
}
create_schema($_, $case{$_}{setup}) for @names;

# what the owner gets to read when he runs that
sub as_owner
{
	my ($db, $name, $sql) = @_;
	my $err = '';
	$node->psql($db, $sql, extra_params => [ '-U', $name ], stdout => \my $out, stderr => \$err,
		timeout => $PostgreSQL::Test::Utils::timeout_default);
	return $err;
}

# A session that holds the locks, and all victims at the point where they stop.
sub stop_all
{
	my ($db, @names) = @_;
	my $holder = $node->background_psql($db, on_error_stop => 0);
	$holder->query_safe(join(";\n", 'SET softdelete.visibility = \'all\'', 'BEGIN', 'SELECT pg_advisory_xact_lock(1)',
		map { my $hold = $case{$_}{hold}; $hold ? ("SET LOCAL search_path = \"$_\"", $hold) : () } @names));

	my %victim;
	my $stopped = 0;
	for my $late (0, 1)
	{
		# Deletion ids are drawn one after the other: whoever comes now will get
		# one of these, and its log row has to wait for ours.
		$holder->query_safe(q(INSERT INTO softdelete.deletion_log SELECT n, NULL, now(), 'x', 'x', NULL, NULL, 0, NULL, '{}', '{}', 0, 0
			FROM generate_series(nextval('softdelete.deletion_log_id_seq') + 1, nextval('softdelete.deletion_log_id_seq') + 10) n))
		  if $late;
		for my $name (grep { ($case{$_}{late} || 0) == $late } @names)
		{
			my $case = $case{$name};
			$victim{$name} = session($db, $name, join(";\n", $case->{first} || 'SET fault.at = DEFAULT',
				"SET fault.at = '" . ($case->{at} || '') . "'",
				$case->{call}, 'SELECT pg_advisory_lock_shared(1)', 'RESET fault.at', $case->{call}) . ';');
			$stopped++;
		}
		$node->poll_query_until($db, "SELECT count(*) FROM pg_stat_activity WHERE datname = '$db'
			AND wait_event IN ('transactionid', 'relation', 'PgSleep')", $stopped)
		  or diag $node->safe_psql($db, 'SELECT usename, wait_event, query FROM pg_stat_activity');
	}
	my $expected = join("\n", map { "$_: " . ($case{$_}{waits} || ($case{$_}{at} ? 'PgSleep' : 'transactionid')) } sort @names);
	is($node->safe_psql($db, "SELECT usename || ': ' || wait_event FROM pg_stat_activity
			WHERE datname = '$db' AND wait_event IN ('transactionid', 'relation', 'PgSleep') ORDER BY usename COLLATE \"C\""),
		$expected, "$db: every call has stopped where it should");
	return ($holder, \%victim);
}


# What was committed just before, what was prepared, and what is unlogged.
for my $name ('committed', 'prepared', 'unlogged')
{
	my $setup = $deleted;
	$setup =~ s/CREATE TABLE ("Child"|grandchild)/CREATE UNLOGGED TABLE $1/g if $name eq 'unlogged';
	create_schema($name, $setup);
}my $some = "DELETE FROM parent WHERE id = 4; $restore; SELECT softdelete.purge('parent', 3)";
my $did = 'parent 3+2/2, Child 12+8/3, grandchild 36+24/3, log 4-0-0 47-17-17 17-0-0';

# disable() wants its table for itself, and purge_expired(), which looks through
# the list of managed tables, may hold it: so each has a database of its own.
my @groups = ([ grep { /^disable/ } @names ], [ grep { !/^disable/ } @names ]);

sub users { return join(', ', map { "'$_'" } @_); }

for my $round ('cancelled', 'terminated', 'backend killed', 'server killed')
{
	my $start = time;
	my $killed = $round =~ /killed/;
	my %db = map { $groups[$_] => "$round $_" } 0, 1;
	my (%before, %after, %victim, @holders);

	for my $group (@groups)
	{
		my $db = $db{$group};
		$node->safe_psql('postgres', "CREATE DATABASE \"$db\" TEMPLATE calm");
		if ($killed && $group == $groups[1])
		{
			as_owner($db, 'committed', $some);
			as_owner($db, 'prepared', "BEGIN; $some; PREPARE TRANSACTION 'some'");
		}
		%before = (%before, %{ states($db, @$group, 'committed', 'prepared') });
		my ($holder, $victims) = stop_all($db, @$group);
		push @holders, $holder;
		%victim = (%victim, %$victims);
	}
	my $db = $db{ $groups[1] };
	my $all = 'SELECT %s(pid) FROM pg_stat_activity WHERE usename IN (' . users(@names) . ')';
	my $error;
	if ($round eq 'cancelled')
	{
		$node->safe_psql($db, sprintf $all, 'pg_cancel_backend');
		$node->poll_query_until($db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'", scalar @names);
		$error = qr/^ERROR:  57014$/;
	}
	elsif ($round eq 'terminated')
	{
		$node->safe_psql($db, sprintf $all, 'pg_terminate_backend');
		$error = qr/^FATAL:  57P01\b/;
	}
	elsif ($round eq 'backend killed')
	{
		kill 9, $node->safe_psql($db, "SELECT pid FROM pg_stat_activity WHERE usename = 'delete: level 2'");
		$error = qr/57P02|closed the connection|connection to server was lost/;
	}
	else
	{
		kill_server();
		$error = qr/closed the connection|connection to server was lost/;
	}
	if ($round ne 'cancelled')
	{
		$_->{run}->finish for values %victim;
		wait_for_server();
		like(errors($victim{$_}), $error, "$round, $_: the session has ended") for @names;
	}

	for my $group (@groups)
	{
		%after = (%after, %{ states($db{$group}, @$group, 'committed', 'prepared') });
		is($after{$_}, $before{$_}, "$round, $_: nothing was done") for @$group;
		is(violations($db{$group}, $killed ? 'unlogged' : ()), '', "$round: nothing is wrong");
	}
	after_crash($round, $db, \%before, \%after) if $killed;

	# again, without the fault: in the same session, where there is one left
	if ($round eq 'cancelled')
	{
		$_->query_safe('ROLLBACK') for @holders;
		$_->{run}->finish for values %victim;
		like(errors($victim{$_}), $error, "$round, $_: no other error, the session goes on") for @names;
	}
	eval { $_->quit } for @holders;
	for my $group (@groups)
	{
		for my $name (@$group)
		{
			is(as_owner($db{$group}, $name, join(";\n", 'SET client_min_messages = warning', $case{$name}{first} || '', $case{$name}{call})), '', "$round, $name: again, no error")
			  if $round ne 'cancelled';
			is($node->safe_psql($db{$group}, "SELECT faults.summary('$name')"), $case{$name}{end}, "$round, $name: again, all is done");
		}
		is(violations($db{$group}, $killed ? 'unlogged' : ()), '', "$round: and nothing is wrong");
	}
	$node->safe_psql('postgres', "DROP DATABASE \"$_\"") for values %db;
	note sprintf('%s: %.1f s', $round, time - $start);
}

sub after_crash
{
	my ($round, $db, $before, $after) = @_;

	is($after->{committed}, $before->{committed}, "$round: what was committed is there");
	is($node->safe_psql($db, "SELECT faults.summary('committed')"),
		$did, "$round: all of it");

	is($after->{prepared}, $before->{prepared}, "$round: what was prepared is not done yet");
	$node->safe_psql($db, "COMMIT PREPARED 'some'");
	is($node->safe_psql($db, "SELECT faults.summary('prepared')"),
		$did, "$round: and can be committed");

	# PostgreSQL empties unlogged tables after a crash: their rows are beyond
	# recovery, those of the others are not.
	is($node->safe_psql($db, "SELECT faults.summary('unlogged')"),
		'parent 3+3/1, Child 0+0/0, grandchild 0+0/0, log 4-0-0 47-0-0', "$round: unlogged tables are empty");
	is(as_owner($db, 'unlogged', $restore), '', "$round: what is left can be restored");
	is(as_owner($db, 'unlogged', $undo), '', "$round: by id, too");
	is($node->safe_psql($db, "SELECT faults.summary('unlogged')"),
		'parent 6+0/0, Child 0+0/0, grandchild 0+0/0, log 4-0-0 47-3-0', "$round: all that is left");
}

# ---------------------------------------------------------------- those who wait

# One session has deleted, restored and purged, and has not committed; others
# wait for it.  It ends, and they go on as if it had never been.
create_schema('waiting', $deleted);
for my $round ('terminated', 'client killed')
{
	my $db = "waiting, $round";
	$node->safe_psql('postgres', "CREATE DATABASE \"$db\" TEMPLATE calm");
	my $first = $node->background_psql($db, on_error_stop => 0, extra_params => [ '-U', 'waiting' ]);
	$first->query_safe(q(BEGIN; DELETE FROM parent WHERE id IN (4, 5);
		SELECT softdelete.restore('parent', 1); SELECT softdelete.restore('parent', 2); SELECT softdelete.purge('parent', 3)));
	my @waiting = map { session($db, 'waiting', "$_;") } (
		'INSERT INTO "Child" VALUES (101, 4)',
		'DELETE FROM parent WHERE id = 5',
		q(SELECT softdelete.purge('parent', 1)),
		q(SELECT softdelete.restore('parent', 2)),
		q(SELECT softdelete.restore('parent', 3)));
	$node->poll_query_until($db, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'waiting' AND wait_event_type = 'Lock'", scalar @waiting);
	if ($round eq 'terminated')
	{
		$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'waiting' AND state = 'idle in transaction'));
	}
	else
	{
		$first->{run}->signal('KILL');
	}
	$_->{run}->finish for @waiting;
	eval { $first->quit };
	is(join('', map { errors($_) } @waiting), '', "$round: those who waited go on, without an error");
	is(slurp_file($waiting[2]{out}) . slurp_file($waiting[3]{out}) . slurp_file($waiting[4]{out}), "17\n17\n17\n", "$round: on the rows as they were");
	is($node->safe_psql($db, q(SELECT faults.summary('waiting'))),
		'parent 4+1/1, Child 17+4/1, grandchild 48+12/1, log 4-0-4 47-34-13 17-0-0', "$round: all of it");
	is(violations($db, 'unlogged'), '', "$round: nothing is wrong");
}

# ---------------------------------------------------------------- errors in the middle

# The session itself raises an error and goes on: after a savepoint, after an
# exception block, in the next transaction.  Nothing of the broken call may be
# left in it: COPY, which is no statement of the executor's, would take what is
# left for its own, and let a reference to a deleted row pass.  In the mode that
# fires triggers at a purge, too.
my $watched = $deleted . join('', map { my $table = $_; map { $trigger->("$_ ON $table") } 'BEFORE UPDATE', 'AFTER UPDATE', 'BEFORE DELETE' }
	  'parent', '"Child"', 'grandchild');
$watched =~ s/"a fault" (\w+ \w+)/"a fault $1" $1/g;
$watched .= "SELECT softdelete.enable('grandchild', 'is_deleted', triggers => 'update');\n"
  . join('', map { "SELECT softdelete.enable('$_', triggers => 'update');\n" } 'parent', '"Child"');
create_schema('errors', $watched);

my $remove = 'DELETE FROM parent WHERE id IN (4, 5)';
my $removed = 'parent 1+5/2, Child 4+20/3, grandchild 12+60/3, log 4-0-0 47-0-0 34-0-0';
my @errors = (
	# name, how, where, call, SQLSTATE, what the call comes to without the fault
	[ 'delete: marking', 'division', 'BEFORE UPDATE parent 5', $remove, '22012', $removed ],
	[ 'delete: before the cascade', 'division', 'AFTER UPDATE parent 5', $remove, '22012', $removed ],
	[ 'delete: level 1', 'division', 'BEFORE UPDATE Child 18', $remove, '22012', $removed ],
	[ 'delete: level 2', 'division', 'AFTER UPDATE grandchild 50', $remove, '22012', $removed ],
	[ 'delete: recursion', 'recursion', 'BEFORE UPDATE grandchild 50', $remove, '54001', $removed ],
	[ 'delete: statement_timeout', 'sleep', 'BEFORE UPDATE grandchild 50', $remove, '57014', $removed ],
	[ 'restore', 'division', 'AFTER UPDATE grandchild 17', $restore, '22012', $was_restored ],
	[ 'undo', 'recursion', 'BEFORE UPDATE Child 6', $undo, '54001', $was_undone ],
	[ 'restore: statement_timeout', 'sleep', 'AFTER UPDATE Child 6', $restore, '57014', $was_restored ],
	[ 'purge by key', 'division', 'BEFORE DELETE grandchild 17', q(SELECT softdelete.purge('parent', 2)), '22012',
		'parent 3+2/1, Child 12+8/2, grandchild 36+24/2, log 4-0-0 47-0-17' ],
	[ 'purge_expired: statement_timeout', 'sleep', 'BEFORE DELETE Child 9', $purge, '57014',
		'parent 3+0/0, Child 12+0/0, grandchild 36+0/0, log 4-0-4 47-0-47' ],
	[ 'disable', 'division', 'ddl_command_end ALTER TABLE', q(DELETE FROM parent WHERE id = 6;
			SELECT softdelete.purge('parent', 1), softdelete.purge('parent', 2), softdelete.purge('parent', 3),
				softdelete.purge('parent', 6);
			SELECT softdelete.disable('parent', drop_columns => true)), '22012',
		'parent 2 not managed, Child 8+0/0, grandchild 24+0/0, log 4-0-4 47-0-47 17-0-17' ]);

$node->safe_psql('postgres', 'CREATE DATABASE errors TEMPLATE calm');
for (@errors)
{
	my ($name, $how, $at, $call, $code, $end) = @$_;
	my $fault = "SET LOCAL fault.at = '$at'; SET LOCAL fault.how = '$how';";
	# a statement's time runs from its start, and once only
	my ($timer, $times) = $how eq 'sleep' ? (q(SET LOCAL statement_timeout = '300ms';), 1) : ('', 2);
	my $same = q(SELECT CASE md5(faults.state('errors')) WHEN :'before' THEN 'as before' ELSE 'changed' END;);
	my $session = session('errors', 'errors', <<"EOS");
SELECT md5(faults.state('errors')) AS before \\gset
SELECT set_config('fault.before', :'before', false) \\g /dev/null
-- in a savepoint
BEGIN;
SAVEPOINT s;
$fault $timer
$call;
ROLLBACK TO s;
$same
$call \\g /dev/null
SELECT faults.summary('errors');
ROLLBACK;
-- in exception blocks
BEGIN;
$timer
DO \$do\$ BEGIN
	FOR i IN 1 .. $times LOOP
		BEGIN
			$fault
			EXECUTE \$call\$ $call \$call\$;
		EXCEPTION WHEN query_canceled OR others THEN
			IF SQLSTATE <> '$code' THEN RAISE; END IF;
		END;
	END LOOP;
	IF md5(faults.state('errors')) <> current_setting('fault.before') THEN RAISE 'changed'; END IF;
	EXECUTE \$call\$ $call \$call\$;
END \$do\$;
SET LOCAL statement_timeout = 0;
SELECT faults.summary('errors');
ROLLBACK;
-- by itself
BEGIN;
$fault $timer
$call;
COMMIT;
$same
COPY "Child" (id, "Parent id") FROM STDIN;
101	1
\\.
BEGIN;
$call \\g /dev/null
SELECT faults.summary('errors');
ROLLBACK;
EOS
	$session->{run}->finish;
	is(errors($session), "ERROR:  $code\nERROR:  $code\nERROR:  23503", "$name: $code, and no other error but the reference's");
	is(join("\n", grep { /^(as before|changed|parent)/ } split /\n/, slurp_file($session->{out})),
		"as before\n$end\n$end\nas before\n$end", "$name: nothing is left of it in the session");
}

# A row that a purge cannot have now stays, and the rest goes; the next purge
# takes it.
{
	my $holder = $node->background_psql('errors', on_error_stop => 0);
	$holder->query_safe(q(BEGIN; SET LOCAL softdelete.visibility = 'all'; SELECT FROM errors.grandchild WHERE id = 17 FOR UPDATE));
	my $session = session('errors', 'errors', <<'EOS');
SET lock_timeout = '50ms';
SELECT target, expired, purged, kept FROM softdelete.purge_expired(batch_size => 5, older_than => '0');
EOS
	$session->{run}->finish;
	is(errors($session), '', 'locked row: no error');
	is(slurp_file($session->{out}), "grandchild|36|35|1\n\"Child\"|12|11|1\nparent|3|2|1\n", 'locked row: it is kept, with what it refers to');
	$holder->query_safe('ROLLBACK');
	$holder->quit;
	$session = session('errors', 'errors', <<'EOS');
SET fault.at = 'BEFORE DELETE Child 6';
SET fault.how = 'division';
SELECT target, expired, purged, kept FROM softdelete.purge_expired(batch_size => 5, older_than => '0');
RESET fault.at;
SELECT target, expired, purged, kept FROM softdelete.purge_expired(batch_size => 5, older_than => '0');
EOS
	$session->{run}->finish;
	is(errors($session), '', 'row that fails: no error');
	is(slurp_file($session->{out}), "grandchild|1|1|0\n\"Child\"|1|0|1\nparent|1|0|1\n\"Child\"|1|1|0\nparent|1|1|0\ngrandchild|0|0|0\n",
		'row that fails: it is kept, the next purge takes it');
	is($node->safe_psql('errors', "SELECT faults.summary('errors')"), 'parent 3+0/0, Child 12+0/0, grandchild 36+0/0, log 4-0-4 47-0-47', 'all of it has gone');
}

# An error at the commit, and that of a restore which meets a live row.  A chain
# of rows is followed by a loop, so a small stack is enough.  Where many keys are
# joined with the child, for want of an index to look them up in, those that do not
# fit into work_mem go to a temporary file; where that may not grow, the delete fails
# as a whole.
create_schema('limits', <<'EOS');
CREATE TABLE chain (id integer PRIMARY KEY, up integer REFERENCES chain ON DELETE CASCADE, code integer UNIQUE);
CREATE INDEX ON chain (up);
CREATE TABLE visit (id integer PRIMARY KEY, up integer REFERENCES chain DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE wide (id integer PRIMARY KEY);
CREATE TABLE narrow (id integer PRIMARY KEY, wide_id integer REFERENCES wide ON DELETE CASCADE);
INSERT INTO chain SELECT i, nullif(i - 1, 0), i FROM generate_series(1, 2000) i;
INSERT INTO visit VALUES (1, 2000);
INSERT INTO wide SELECT generate_series(1, 20000);
INSERT INTO narrow SELECT i, i FROM generate_series(1, 20000) i;
SELECT softdelete.enable('chain'), softdelete.enable('visit'), softdelete.enable('wide', cascade => true);
SELECT softdelete.create_live_unique('chain', 'code');
EOS
my $limits = session('calm', 'postgres', <<'EOS');
ALTER ROLE limits SET search_path = limits;
SET search_path = limits;
SET max_stack_depth = '100kB';
SET work_mem = '64kB';
SET enable_nestloop = off;
SET SESSION AUTHORIZATION limits;
\echo a reference that is left at the commit
DELETE FROM chain WHERE id = 1;
SELECT faults.summary('limits');
\echo a chain
BEGIN;
DELETE FROM chain WHERE id = 1;
DELETE FROM visit;
COMMIT;
SELECT faults.summary('limits');
\echo a code that was taken in the middle of it
INSERT INTO chain VALUES (3000, NULL, 1000);
SELECT softdelete.restore('chain', 1);
SELECT faults.summary('limits');
DELETE FROM chain WHERE id = 3000;
SELECT softdelete.restore('chain', 1);
SELECT faults.summary('limits');
\echo temporary files
RESET SESSION AUTHORIZATION;
SET temp_file_limit = 0;
SET SESSION AUTHORIZATION limits;
DELETE FROM wide;
RESET SESSION AUTHORIZATION;
RESET temp_file_limit;
SELECT faults.summary('limits');
SET temp_file_limit = 0;
SET SESSION AUTHORIZATION limits;
DELETE FROM wide WHERE id <= 10;
RESET SESSION AUTHORIZATION;
RESET temp_file_limit;
SET SESSION AUTHORIZATION limits;
SELECT faults.summary('limits');
DELETE FROM wide;
SELECT faults.summary('limits');
\echo all of it
DELETE FROM visit;
DELETE FROM chain;
SELECT target, expired, purged, kept FROM softdelete.purge_expired(older_than => '0');
EOS
$limits->{run}->finish;
is(errors($limits), "ERROR:  23503\nERROR:  23505\nERROR:  53400", 'limits: the errors');
is(slurp_file($limits->{out}), <<'EOS', 'limits: what was done');
a reference that is left at the commit
chain 2000+0/0, visit 1+0/0, wide 20000+0/0, narrow 20000+0/0, log
a chain
chain 0+2000/1, visit 0+1/1, wide 20000+0/0, narrow 20000+0/0, log 2001-0-0
a code that was taken in the middle of it
chain 1+2000/1, visit 0+1/1, wide 20000+0/0, narrow 20000+0/0, log 2001-0-0
2001
chain 2000+1/1, visit 1+0/0, wide 20000+0/0, narrow 20000+0/0, log 2001-2001-0 1-0-0
temporary files
chain 2000+1/1, visit 1+0/0, wide 20000+0/0, narrow 20000+0/0, log 2001-2001-0 1-0-0
chain 2000+1/1, visit 1+0/0, wide 19990+10/1, narrow 19990+10/1, log 2001-2001-0 1-0-0 20-0-0
chain 2000+1/1, visit 1+0/0, wide 0+20000/2, narrow 0+20000/2, log 2001-2001-0 1-0-0 20-0-0 39980-0-0
all of it
narrow|20000|20000|0
visit|1|1|0
chain|2001|2001|0
wide|20000|20000|0
EOS
is(violations($_, 'unlogged'), '', "$_: nothing is wrong") for 'errors', 'calm';

# ---------------------------------------------------------------- at random moments

# Several clients delete, restore, undo, purge and insert.  In turn they are
# cancelled and terminated, one is killed, the server is killed; then everything is looked
# at.  The statements and the moments follow from the seed, what they meet does
# not.  What was reported to a client as deleted, under an actor of its own, must
# be in the log for ever.
create_schema('load', <<'EOS');
CREATE TABLE parent (id integer PRIMARY KEY, boss_id integer REFERENCES parent ON DELETE CASCADE);
CREATE INDEX ON parent (boss_id);
CREATE TABLE "Child" (id integer PRIMARY KEY, "Parent id" integer NOT NULL REFERENCES parent ON DELETE CASCADE);
CREATE INDEX ON "Child" ("Parent id");
CREATE TABLE grandchild (id integer PRIMARY KEY, is_deleted boolean, child_id integer REFERENCES "Child" ON DELETE CASCADE);
CREATE INDEX ON grandchild (child_id);
CREATE TABLE sale (id integer PRIMARY KEY, status text DEFAULT 'new', child_id integer REFERENCES "Child" ON DELETE RESTRICT);
CREATE INDEX ON sale (child_id);
CREATE TABLE visit (id integer PRIMARY KEY, child_id integer REFERENCES "Child" DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX ON visit (child_id);
CREATE TABLE note (id integer PRIMARY KEY, child_id integer REFERENCES "Child" ON DELETE SET NULL);
CREATE INDEX ON note (child_id);
SELECT softdelete.enable('grandchild', 'is_deleted'), softdelete.enable('sale', 'status');
SELECT softdelete.enable('parent', cascade => true), softdelete.enable('visit'), softdelete.enable('note');
INSERT INTO parent SELECT i, nullif(i / 4, 0) FROM generate_series(1, 20) i;
INSERT INTO "Child" SELECT i, i % 20 + 1 FROM generate_series(1, 80) i;
INSERT INTO grandchild SELECT i, false, i % 80 + 1 FROM generate_series(1, 240) i;
INSERT INTO sale SELECT i, 'new', i FROM generate_series(1, 5) i;
INSERT INTO visit SELECT i, i + 5 FROM generate_series(1, 5) i;
INSERT INTO note SELECT i, i FROM generate_series(1, 40) i;
EOS
$node->safe_psql('postgres', 'CREATE DATABASE load TEMPLATE calm');

# What concurrency and broken rules may end in, and the faults.
my %expected = map { $_ => 1 } qw(23001 23503 23505 25P02 40001 40P01 55000 55D01 55D02 55D03 55D04 57014 57P01 57P02 57P03 P0002);
my %size = (parent => 20, '"Child"' => 80, grandchild => 240, sale => 20, visit => 20, note => 40);
my %columns = (parent => 'id', '"Child"' => 'id, "Parent id"', grandchild => 'id, is_deleted, child_id', sale => 'id, child_id',
	visit => 'id, child_id', note => 'id, child_id');

sub pick { return $_[ int(rand(@_)) ]; }
sub upto { return 1 + int(rand($_[0])); }

sub statement
{
	my $table = pick('parent', 'parent', '"Child"', '"Child"', 'grandchild', 'sale', 'visit', 'note');
	my $id = upto($size{$table});
	my $what = rand();
	return "DELETE FROM $table WHERE id BETWEEN $id AND $id + " . int(rand(3)) if $what < 0.35;
	return "SELECT softdelete.delete('$table', $id)" if $what < 0.42;
	return "SELECT softdelete.restore('$table', $id)" if $what < 0.5;
	return 'SELECT softdelete.undo(id) FROM (SELECT id FROM softdelete.deletions WHERE total > restored + purged
		ORDER BY id DESC OFFSET ' . int(rand(4)) . ' LIMIT 1) d' if $what < 0.6;
	return "SET softdelete.visibility = deleted; UPDATE $table SET "
	  . ({ grandchild => 'is_deleted = false', sale => q(status = 'new') }->{$table} || 'deleted_at = NULL')
	  . " WHERE id = $id; SET softdelete.visibility = live" if $what < 0.65;
	return "SELECT softdelete.purge_expired(batch_size => 3, older_than => '0')" if $what < 0.72;
	return "SELECT softdelete.purge('$table', $id)" if $what < 0.76;
	my $other = $table eq '"Child"' ? upto(20) : upto(80);
	return "INSERT INTO $table ($columns{$table}) VALUES ($id"
	  . ($table eq 'parent' ? '' : $table eq 'grandchild' ? ", false, $other" : ", $other") . ') ON CONFLICT DO NOTHING';
}

srand($seed);
note "seed $seed, $seconds s";
my $until = time + $seconds;
my (%acknowledged, %count, @unexpected);
my $cycles = 0;
while (time < $until || $cycles < 3)
{
	my $how = (qw(terminated killed server))[ $cycles++ % 3 ];
	my @clients;
	for (1 .. 4)
	{
		my $sql = '';
		for my $n (1 .. 300)
		{
			my $actor = join '.', $cycles, scalar @clients, $n;
			my $statement = statement();
			$sql .= $statement =~ /^DELETE/
			  ? "SET softdelete.actor = '$actor';\n$statement;\n\\echo deletion $actor :ERROR :ROW_COUNT\n"
			  : join(";\n", 'BEGIN', $statement, (map { statement() } 1 .. int(rand(3))), "COMMIT;\n");
		}
		push @clients, session('load', 'load', $sql);
	}
	usleep(150_000 + int(rand(700_000)));

	my @pids = split /\n/, $node->safe_psql('load', q(SELECT pid FROM pg_stat_activity WHERE usename = 'load' ORDER BY pid));
	if    ($how eq 'server') { kill_server() }
	elsif ($how eq 'killed') { kill 9, pick(@pids) if @pids }
	else
	{
		for my $call (('pg_cancel_backend') x 6, 'pg_terminate_backend')
		{
			my $list = join(', ', $call =~ /cancel/ ? (grep { rand() < 0.5 } @pids) : @pids);
			$node->safe_psql('load', "SELECT $call(pid) FROM unnest(ARRAY[$list]::integer[]) pid");
			usleep(30_000);
		}
	}
	$_->{run}->finish for @clients;
	wait_for_server();
	for my $client (@clients)
	{
		for my $line (split /\n/, errors($client))
		{
			my ($code) = $line =~ /^(?:ERROR|FATAL|WARNING|PANIC):  (\w{5})\b/;
			if (!$code) { push @unexpected, $line if $line !~ /connection|server|terminat|^\s/ }
			else
			{
				$count{$code}++;
				push @unexpected, $line if !$expected{$code};
			}
		}
		$acknowledged{$_}++ for slurp_file($client->{out}) =~ /^deletion (\S+) false [1-9]/mg;
	}
	is(violations('load', 'unlogged'), '', "random $cycles, $how: nothing is wrong");
}
note join(', ', map { "$count{$_} x $_" } sort keys %count);
is(join("\n", @unexpected), '', 'random: no error but the expected ones');
cmp_ok(scalar(keys %acknowledged), '>', 10, 'random: there were deletions');
is($node->safe_psql('load', 'SELECT a FROM unnest($${' . join(',', keys %acknowledged) . '}$$::text[]) a
		WHERE NOT EXISTS (SELECT FROM softdelete.deletions d WHERE d.actor = a) ORDER BY 1'), '', 'random: all that were reported are there');

# Everything can still be purged.
is(as_owner('load', 'load', q(DELETE FROM sale; DELETE FROM visit; DELETE FROM note; DELETE FROM parent;
	SELECT softdelete.purge_expired(older_than => '0') FROM generate_series(1, 2))), '', 'random: delete and purge all');
is($node->safe_psql('load', 'SELECT (SELECT count(*) FROM load.parent), (SELECT count(*) FROM load."Child"), (SELECT count(*) FROM load.grandchild)'),
	'0|0|0', 'random: nothing is left of the tree');
is(violations('load', 'unlogged'), '', 'random: nothing is wrong at the end');

$node->stop;
done_testing();
