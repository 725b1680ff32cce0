# An updated extension is the freshly installed one, object by object: from every
# version that there is to the default one, and, since that may be none, from this
# version to one that the test makes up.  There, whatever an update script may
# forget shows as a difference: each of its statements is left out in turn.
#
# Managed tables, the log and retention outlive the update, in open sessions, too.
# DROP EXTENSION leaves ordinary tables with all their rows.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;

# A server of the test's own, whose extension folder it may write: PostgreSQL
# finds its files relative to the program, so that takes a copy of the programs,
# and links for the rest.
sub config
{
	my ($what) = @_;
	my ($out) = run_command([ 'pg_config', $what ]);
	return $out;
}
my ($bin, $share, $lib) = map { config($_) } qw(--bindir --sharedir --pkglibdir);
my $prefix = dirname($bin);
$prefix = dirname($prefix) until $share =~ m{^\Q$prefix\E/} && $lib =~ m{^\Q$prefix\E/};
sub moved { return $dir . substr($_[0], length $prefix); }
my $extensions = moved($share) . '/extension';
system_or_bail('mkdir', '-p', moved($bin), $extensions, dirname(moved($lib)));
system_or_bail('cp', '-a', "$bin/.", moved($bin));
symlink $lib, moved($lib) or die $!;
symlink $_, moved($_) or die $! for grep { basename($_) ne 'extension' } glob "$share/*";
symlink $_, "$extensions/" . basename($_) or die $! for glob "$share/extension/{plpgsql,softdelete}[.-]*";

my $node = PostgreSQL::Test::Cluster->new('update', install_path => dirname(moved($bin)));
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE reader');

my $databases = 0;
sub database
{
	my $db = 'db' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	return $db;
}

# ---------------------------------------------------------------- what an extension consists of

# The members, and what belongs to them (indexes, rules, sequences of columns ...),
# each with all that the catalogs say of it but OIDs and counters.
my $description = q(
CREATE TEMP TABLE members AS
WITH RECURSIVE m(classid, objid) AS (
	SELECT classid, objid FROM pg_depend
	 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'softdelete')
	UNION
	SELECT d.classid, d.objid FROM m JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype IN ('a', 'i')
) SELECT classid, objid, regexp_replace(pg_describe_object(classid, objid, 0), 'pg_toast_\d+', 'pg_toast') AS name FROM m;

CREATE TEMP VIEW description AS
SELECT name, 'is there' AS what, '' AS value FROM members
UNION ALL
SELECT name, 'comment', obj_description(objid, classid::regclass::name) FROM members
UNION ALL
SELECT name, 'depends on', format('%s (%s)', regexp_replace(pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid), 'pg_toast_\d+', 'pg_toast'), d.deptype)
  FROM members JOIN pg_depend d USING (classid, objid)
UNION ALL
SELECT name, 'initial privileges', format('%s: %s', i.objsubid, i.initprivs)
  FROM members JOIN pg_init_privs i ON i.classoid = classid AND i.objoid = objid
UNION ALL
SELECT 'extension', key, value FROM pg_extension e, jsonb_each_text(to_jsonb(e) - '{oid,extname,extowner,extnamespace,extversion,extconfig}'::text[]
	|| jsonb_build_object('owner', extowner::regrole, 'schema', extnamespace::regnamespace, 'configuration', extconfig::regclass[])) WHERE extname = 'softdelete'
UNION ALL
SELECT 'schema', key, value FROM pg_namespace n, jsonb_build_object('owner', nspowner::regrole, 'acl', nspacl, 'comment', obj_description(oid, 'pg_namespace'),
	'initial privileges', (SELECT initprivs FROM pg_init_privs WHERE classoid = 'pg_namespace'::regclass AND objoid = n.oid)) j, jsonb_each_text(j)
 WHERE nspname = 'softdelete'
UNION ALL
SELECT name, key, value FROM members JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass,
	jsonb_each_text(jsonb_build_object('definition', CASE prokind WHEN 'a' THEN to_jsonb(p)::text ELSE pg_get_functiondef(objid) END,
		'owner', proowner::regrole, 'acl', proacl, 'kind', prokind, 'transforms', protrftypes))
UNION ALL
SELECT name, key, value FROM members JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass,
	jsonb_each_text(to_jsonb(c) - '{oid,relname,relnamespace,reltype,reloftype,relowner,relam,relfilenode,reltablespace,relpages,reltuples,relallvisible,relallfrozen,reltoastrelid,relrewrite,relfrozenxid,relminmxid,relhasindex}'::text[]
		|| jsonb_build_object('owner', relowner::regrole, 'method', (SELECT amname FROM pg_am WHERE oid = relam), 'tablespace', reltablespace, 'toasted', reltoastrelid <> 0))
UNION ALL
SELECT format('%s column %s', name, attnum), key, value FROM members JOIN pg_attribute a ON attrelid = objid AND classid = 'pg_class'::regclass AND attnum > 0,
	jsonb_each_text(to_jsonb(a) - '{attrelid,atttypid,attcollation,attcacheoff,attmissingval,atthasmissing,attoptions}'::text[]
		|| jsonb_build_object('type', format_type(atttypid, atttypmod), 'collation', attcollation::regcollation,
			-- late minor versions of PostgreSQL keep a counter of their own there
			'options', (SELECT array_agg(o) FROM unnest(attoptions) o WHERE o !~ '^pg_attver='), 'comment', col_description(objid, attnum),
			'default', (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d WHERE d.adrelid = objid AND d.adnum = attnum)))
UNION ALL
SELECT name, key, value FROM members JOIN pg_index i ON indexrelid = objid AND classid = 'pg_class'::regclass,
	jsonb_each_text(to_jsonb(i) - '{indexrelid,indrelid,indcollation,indclass,indexprs,indpred,indcheckxmin}'::text[]
		|| jsonb_build_object('definition', regexp_replace(pg_get_indexdef(objid), 'pg_toast_\d+', 'pg_toast', 'g')))
UNION ALL
SELECT name, key, value FROM members JOIN pg_sequence s ON seqrelid = objid AND classid = 'pg_class'::regclass,
	jsonb_each_text(to_jsonb(s) - '{seqrelid,seqtypid}'::text[] || jsonb_build_object('type', seqtypid::regtype))
UNION ALL
SELECT name, key, value FROM members JOIN pg_constraint c ON c.oid = objid AND classid = 'pg_constraint'::regclass,
	jsonb_each_text(jsonb_build_object('definition', pg_get_constraintdef(objid), 'valid', convalidated, 'inherited', connoinherit))
UNION ALL
SELECT name, key, value FROM members JOIN pg_trigger t ON t.oid = objid AND classid = 'pg_trigger'::regclass,
	jsonb_each_text(jsonb_build_object('definition', pg_get_triggerdef(objid), 'enabled', tgenabled))
UNION ALL
SELECT name, key, value FROM members JOIN pg_rewrite r ON r.oid = objid AND classid = 'pg_rewrite'::regclass,
	jsonb_each_text(jsonb_build_object('definition', pg_get_ruledef(objid), 'enabled', ev_enabled))
UNION ALL
SELECT name, key, value FROM members JOIN pg_policy p ON p.oid = objid AND classid = 'pg_policy'::regclass,
	jsonb_each_text(jsonb_build_object('command', polcmd, 'permissive', polpermissive, 'roles', polroles::regrole[],
		'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid)))
UNION ALL
SELECT name, key, value FROM members JOIN pg_type t ON t.oid = objid AND classid = 'pg_type'::regclass,
	jsonb_each_text(to_jsonb(t) - '{oid,typname,typnamespace,typowner,typrelid,typelem,typarray,typbasetype,typcollation,typdefaultbin}'::text[]
		|| jsonb_build_object('owner', typowner::regrole, 'base', typbasetype::regtype, 'element', typelem::regtype, 'array', typarray::regtype,
			'labels', (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = objid)))
UNION ALL
SELECT name, key, value FROM members JOIN pg_event_trigger t ON t.oid = objid AND classid = 'pg_event_trigger'::regclass,
	jsonb_each_text(to_jsonb(t) - '{oid,evtowner,evtfoid}'::text[] || jsonb_build_object('owner', evtowner::regrole, 'function', evtfoid::regprocedure))
UNION ALL
SELECT name, key, value FROM members JOIN pg_cast c ON c.oid = objid AND classid = 'pg_cast'::regclass,
	jsonb_each_text(to_jsonb(c) - '{oid,castsource,casttarget,castfunc}'::text[] || jsonb_build_object('function', castfunc::regprocedure))
UNION ALL
SELECT name, key, value FROM members JOIN pg_operator o ON o.oid = objid AND classid = 'pg_operator'::regclass,
	jsonb_each_text(to_jsonb(o) - '{oid,oprname,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate}'::text[]
		|| jsonb_build_object('owner', oprowner::regrole, 'result', oprresult::regtype, 'commutator', oprcom::regoperator, 'negator', oprnegate::regoperator))
UNION ALL
SELECT name, 'is of a kind that this test cannot describe', random()::text FROM members
 WHERE classid NOT IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass,
	'pg_policy'::regclass, 'pg_type'::regclass, 'pg_event_trigger'::regclass, 'pg_cast'::regclass, 'pg_operator'::regclass, 'pg_attrdef'::regclass);

SELECT format('%s, %s: %s', name, what, replace(value, E'\n', E'\n    ')) || chr(1) FROM description WHERE value IS NOT NULL ORDER BY name, what, value;
);

sub description
{
	my ($db) = @_;
	return { map { $_ => 1 } split /\x01\n?/, $node->safe_psql($db, $description) };
}

sub differences    # what only either of them has
{
	my ($one, $other) = @_;
	return join "\n", (map { "- $_" } grep { !$other->{$_} } sort keys %$one), (map { "+ $_" } grep { !$one->{$_} } sort keys %$other);
}

sub installed    # this version, in a database of its own
{
	my ($version) = @_;
	my $db = database();
	$node->safe_psql($db, "CREATE EXTENSION softdelete VERSION '$version'");
	return $db;
}

sub updated    # what there would be after an update; the error, if it fails
{
	my ($db, $version) = @_;
	my ($rc, $out, $err) = $node->psql($db, "BEGIN; ALTER EXTENSION softdelete UPDATE TO '$version'; $description ROLLBACK");
	return { map { $_ => 1 } split /\x01\n?/, $rc == 0 ? $out : $err };
}

# ---------------------------------------------------------------- every version that there is

my $default = $node->safe_psql('postgres', q(SELECT default_version FROM pg_available_extensions WHERE name = 'softdelete'));
my $current = installed($default);
my $fresh = description($current);
cmp_ok(scalar keys %$fresh, '>', 500, 'a fresh installation is described');
is(differences($fresh, description(installed($default))), '', 'and the same each time');
is(scalar(grep { /cannot describe/ } keys %$fresh), 0, 'object by object');
like($_->[0], qr/./s, "it has $_->[1]") for
	[ join("\n", grep { /^function softdelete\.enable\(.*definition: .*DEFAULT 'deleted_at'/s } keys %$fresh), 'defaults of arguments' ],
	[ join("\n", grep { /^view softdelete\.deletions, relacl: .*"=r\// } keys %$fresh), 'privileges' ],
	[ join("\n", grep { /^extension, configuration: .*retention/ } keys %$fresh), 'what dumps carry' ],
	[ join("\n", grep { /^table softdelete.deletion_log column 20, attname: held_why/ } keys %$fresh), 'columns' ];
for my $version (split /\n/, $node->safe_psql('postgres',
	q(SELECT version FROM pg_available_extension_versions WHERE name = 'softdelete' AND version <> $$) . $default . '$$ ORDER BY version'))
{
	is(differences($fresh, updated(installed($version), $default)), '', "$version, updated to $default");
}

# a table or view has a type, which needs no comment of its own
my %relation = map { /^(?:table|view) softdelete\.(\w+), is there/ ? ($1 => 1) : () } keys %$fresh;

# members without a comment or with PUBLIC's default privileges on a table are forgotten ones
is(join("\n", map { /^((?:function|table|view|sequence|type) softdelete\.[^,\[]*(?:\([^)]*\))?), is there/ && !grep({ index($_, "$1, comment: ") == 0 } keys %$fresh) ? $1 : () }
		grep { !/^sequence/ && !(/^type softdelete\.(\w+)/ && $relation{$1}) } sort keys %$fresh),
	'', 'every object has its comment');

# ---------------------------------------------------------------- a version to come

# what an update script does, one statement each
my @update = (
	q(CREATE FUNCTION softdelete.next_one(a integer, b text DEFAULT 'x', c integer DEFAULT 7) RETURNS integer
		LANGUAGE sql STABLE STRICT SECURITY DEFINER PARALLEL SAFE COST 7 SET search_path = pg_catalog, pg_temp AS 'SELECT $1'),
	q(COMMENT ON FUNCTION softdelete.next_one(integer, text, integer) IS 'next'),
	q(REVOKE EXECUTE ON FUNCTION softdelete.next_one(integer, text, integer) FROM PUBLIC),
	q(GRANT EXECUTE ON FUNCTION softdelete.next_one(integer, text, integer) TO reader),
	q(CREATE OR REPLACE FUNCTION softdelete.advice(target regclass DEFAULT NULL) RETURNS TABLE (target regclass, kind text, problem text, ddl text, severity text)
		LANGUAGE sql STABLE AS 'SELECT $1, a.* FROM softdelete.advice_unique($1) a LIMIT 100'),
	q(ALTER FUNCTION softdelete.undo(bigint, text) COST 500),
	q(COMMENT ON FUNCTION softdelete.undo(bigint, text) IS 'another comment'),
	q(CREATE TABLE softdelete.motto (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)),
	q(COMMENT ON TABLE softdelete.motto IS 'mottos'),
	q(COMMENT ON COLUMN softdelete.motto.name IS 'its name'),
	q(ALTER TABLE softdelete.motto ADD CHECK (name <> '')),
	q(ALTER TABLE softdelete.motto ALTER name SET DEFAULT 'none'),
	q(ALTER TABLE softdelete.motto ALTER name SET NOT NULL),
	q(ALTER TABLE softdelete.motto ENABLE ROW LEVEL SECURITY),
	q(CREATE POLICY own ON softdelete.motto FOR SELECT TO reader USING (id > 0)),
	q(CREATE UNIQUE INDEX motto_name ON softdelete.motto (name) WHERE id > 1),
	q(COMMENT ON INDEX softdelete.motto_name IS 'index'),
	q(GRANT SELECT ON softdelete.motto TO reader),
	q(SELECT pg_catalog.pg_extension_config_dump('softdelete.motto', 'WHERE id > 10')),
	q(ALTER TABLE softdelete.retention ADD note text),
	q(ALTER SEQUENCE softdelete.deletion_log_id_seq CACHE 5),
	q(CREATE VIEW softdelete.mottos WITH (security_barrier) AS SELECT id, name FROM softdelete.motto),
	q(COMMENT ON VIEW softdelete.mottos IS 'view'),
	q(GRANT SELECT ON softdelete.mottos TO PUBLIC),
	q(CREATE TYPE softdelete.mood AS ENUM ('sad', 'ok')),
	q(COMMENT ON TYPE softdelete.mood IS 'type'),
	q(ALTER TYPE softdelete.mood ADD VALUE 'happy'),
	q(CREATE FUNCTION softdelete.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'),
	q(CREATE EVENT TRIGGER softdelete_next ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION softdelete.on_ddl()),
	q(CREATE FUNCTION softdelete.on_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'),
	q(CREATE TRIGGER on_row AFTER INSERT ON softdelete.motto FOR EACH ROW EXECUTE FUNCTION softdelete.on_row()),
	q(ALTER TABLE softdelete.motto ENABLE ALWAYS TRIGGER on_row),
	q(CREATE CAST (softdelete.mood AS integer) WITH INOUT AS ASSIGNMENT),
	q(CREATE OPERATOR softdelete.=~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.int4eq, COMMUTATOR = OPERATOR(softdelete.=~))),
	q(GRANT CREATE ON SCHEMA softdelete TO reader),
	q(DROP FUNCTION softdelete.release(bigint)));

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', "$extensions/$name" or die "$name: $!";
	print $file $text;
	close $file;
}
sub update_script { return write_file("softdelete--$default--next.sql", join ";\n", @_, ''); }

# In the script of a new version the statements would stand elsewhere; their
# effect is what counts.  (The update's own columns come last in either.)
write_file('softdelete--next.sql', slurp_file("$extensions/softdelete--$default.sql") . join ";\n", @update, '');
my $next = description(installed('next'));
cmp_ok(length differences($fresh, $next), '>', 1000, 'next version: there is a difference');
update_script(@update);
is(differences($next, updated($current, 'next')), '', 'next version: an update that does it all makes none');
my @unnoticed = ();
for my $left_out (0 .. $#update)
{
	update_script(@update[ grep { $_ != $left_out } 0 .. $#update ]);
	push @unnoticed, $update[$left_out] if differences($next, updated($current, 'next')) eq '';
}
is(join("\n", @unnoticed), '', 'next version: each statement that an update leaves out shows');

# ... or has got wrong
@unnoticed = ();
for (
	[ ' STABLE STRICT', ' STRICT' ], [ ' STABLE STRICT', ' STABLE' ], [ ' SECURITY DEFINER', '' ], [ ' PARALLEL SAFE', '' ],
	[ 'COST 7', 'COST 8' ], [ 'pg_catalog, pg_temp', 'pg_catalog' ], [ q(DEFAULT 'x'), q(DEFAULT 'y') ], [ 'DEFAULT 7', 'DEFAULT 8' ],
	[ 'a integer,', 'aa integer,' ], [ q('SELECT $1'), q('SELECT $1 + 0') ], [ 'LIMIT 100', 'LIMIT 10' ],
	[ 'WHERE id > 10', 'WHERE id > 11' ], [ 'WHERE id > 10', '' ], [ 'ALWAYS AS IDENTITY', 'BY DEFAULT AS IDENTITY' ], [ 'name text)', 'name varchar)' ],
	[ 'name text)', 'name text COLLATE "C")' ], [ '(name) WHERE id > 1', '(name) WHERE id > 2' ], [ 'UNIQUE INDEX', 'INDEX' ],
	[ 'id > 0', 'id >= 0' ], [ 'FOR SELECT', 'FOR UPDATE' ], [ 'WITH (security_barrier)', '' ], [ 'SELECT id, name', 'SELECT id, upper(name) AS name' ],
	[ q('sad', 'ok'), q('ok', 'sad') ], [ q('CREATE TABLE'), q('DROP TABLE') ], [ 'AFTER INSERT ON', 'AFTER UPDATE ON' ],
	[ 'ENABLE ALWAYS', 'ENABLE REPLICA' ], [ 'AS ASSIGNMENT', 'AS IMPLICIT' ], [ 'int4eq', 'int4ne' ], [ 'GRANT CREATE ON', 'GRANT USAGE ON' ],
	[ 'FROM PUBLIC', 'FROM reader' ], [ q('another comment'), q('a comment') ], [ 'note text', 'note text DEFAULT 1' ], [ 'note text', 'other text' ],
	[ 'CACHE 5', 'CACHE 6' ])
{
	my ($right, $wrong) = @$_;
	my ($place) = grep { index($update[$_], $right) >= 0 } 0 .. $#update;
	die "nothing has $right" unless defined $place;
	my @script = @update;
	substr $script[$place], index($script[$place], $right), length $right, $wrong;
	update_script(@script);
	my $differences = differences($next, updated($current, 'next'));
	push @unnoticed, "$wrong for $right" if $differences eq '' || $differences =~ /^\+ psql:/m;
}
is(join("\n", @unnoticed), '', 'next version: so does each that it has got wrong');

# ---------------------------------------------------------------- what the tables make of an update

update_script(@update[ 0 .. 5 ], 'COMMENT ON EXTENSION softdelete IS $$next$$');
my $db = database();
$node->safe_psql($db, "ALTER DATABASE $db SET session_preload_libraries = 'softdelete'");
$node->safe_psql($db, q(CREATE EXTENSION softdelete; CREATE SCHEMA "My shop" AUTHORIZATION owner));
$node->safe_psql('postgres', qq(ALTER DATABASE $db SET search_path = "My shop"));
sub sql { return $node->safe_psql($db, $_[0], extra_params => [ '-U', 'owner' ]); }
sub error
{
	my ($rc, $out, $err) = $node->psql($db, "\\set VERBOSITY sqlstate\n$_[0]");
	$err =~ s/^psql:\S+ //;
	return $err;
}
sql(q(
CREATE TABLE "Order" (id integer PRIMARY KEY, email text UNIQUE);
CREATE TABLE item (id integer PRIMARY KEY, order_id integer REFERENCES "Order" ON DELETE CASCADE, status text);
CREATE TABLE event (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
SELECT softdelete.enable('item', 'status');
SELECT softdelete.enable('"Order"', retention => '1 year');
SELECT softdelete.enable('event');
SELECT softdelete.set_retention('event', NULL);
SELECT softdelete.create_live_unique('"Order"', 'email');
INSERT INTO "Order" SELECT i, i || '@example.org' FROM generate_series(1, 5) i;
INSERT INTO item SELECT i, (i + 1) / 2, 'new' FROM generate_series(1, 10) i;
INSERT INTO event SELECT i, '2024-01-01'::date + i FROM generate_series(1, 5) i;
SET softdelete.actor = 'ann';
DELETE FROM "Order" WHERE id = 1;
DELETE FROM event WHERE id > 3;
SELECT softdelete.hold(1, 'court');
));
my $session = $node->background_psql($db, extra_params => [ '-U', 'owner' ]);
sub ask { return $session->query_safe($_[0]); }
ask('SET plan_cache_mode = force_generic_plan; PREPARE items AS SELECT count(*) FROM item; PREPARE remove(integer) AS DELETE FROM "Order" WHERE id = $1 RETURNING email');
is(ask('EXECUTE items; EXECUTE remove(2)'), "8\n2\@example.org", 'a session with prepared statements');

my $state = q(SET search_path = "My shop"; SET softdelete.visibility = 'all';
	SELECT * FROM "Order" ORDER BY id; SELECT * FROM item ORDER BY id; SELECT * FROM event ORDER BY id;
	SELECT * FROM softdelete.deletions ORDER BY id; SELECT * FROM softdelete.tables ORDER BY target::text;
	SELECT last_value, is_called FROM softdelete.deletion_log_id_seq;
	SELECT tgrelid::regclass, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname);
my $before = $node->safe_psql($db, $state);
$node->safe_psql($db, "ALTER EXTENSION softdelete UPDATE TO 'next'");
is($node->safe_psql($db, $state), $before, 'update: rows, marks, log, retention, holds and triggers are as before');
is(ask('EXECUTE items; EXECUTE remove(3)'), "6\n3\@example.org", 'update: the session goes on');
is($node->safe_psql($db, 'SELECT softdelete.next_one(1)'), 1, 'update: the new version is there');
is(sql('SELECT count(*) FROM item'), 4, 'update: deleted rows are hidden');
is(sql(q(SELECT softdelete.restore('"Order"', 1); SELECT softdelete.undo(max(id)) FROM softdelete.deletions; SELECT count(*) FROM item)), "3\n3\n8",
	'update: deletions of before and after can be undone');
sql('DELETE FROM "Order" WHERE id = 1');

# ---------------------------------------------------------------- DROP EXTENSION

is(error('DROP EXTENSION softdelete'), 'ERROR:  2BP01', 'DROP EXTENSION is refused while tables are managed');
is(sql('SELECT count(*) FROM item'), 6, '... and does nothing');
is(error('BEGIN; SET LOCAL client_min_messages = error; DROP EXTENSION softdelete CASCADE; ROLLBACK'), '', 'DROP EXTENSION CASCADE, rolled back');
is(ask('EXECUTE items; EXECUTE remove(4)'), "6\n4\@example.org", '... changes nothing');
$node->safe_psql($db, 'SET client_min_messages = error; DROP EXTENSION softdelete CASCADE');
is(ask('EXECUTE items'), 10, 'DROP EXTENSION CASCADE: nothing is hidden, in a session of before');
is(sql('SELECT (SELECT count(*) FROM "Order"), (SELECT count(deletion_id) FROM "Order"), (SELECT count(*) FROM item), (SELECT count(*) FROM event)'), '5|3|10|5',
	'... or in a new one; deleted rows are ordinary rows with a mark');
is(sql(q(SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)), 0, '... no trigger is left');
is(sql(q(SELECT count(*) FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = 'item'::regclass AND d.refclassid = 'pg_proc'::regclass)), 0, '... nor a dependency');
is(ask('EXECUTE remove(2)'), '2@example.org', '... DELETE is final, in a session of before');
is(sql('DELETE FROM "Order" WHERE id = 4 RETURNING email; SELECT count(*), count(*) FILTER (WHERE order_id IN (2, 4)) FROM item'), "4\@example.org\n6|0",
	'... and in a new one, with the cascade of its foreign key');
is(sql('UPDATE item SET status = $$new$$ WHERE id = 1 RETURNING id; TRUNCATE event; SELECT count(*) FROM event; ALTER TABLE item DROP COLUMN deletion_id'), "1\n0", '... as are other statements');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('softdelete')
	UNION ALL SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace('softdelete')
	UNION ALL SELECT count(*) FROM pg_type WHERE typnamespace = to_regnamespace('softdelete'))), "0\n0\n0", '... and nothing of the extension is left');

# and back
$node->safe_psql($db, 'CREATE EXTENSION softdelete');
is(sql(q(SELECT softdelete.enable('item', 'status'); SELECT softdelete.enable('"Order"'); SELECT id FROM "Order" ORDER BY id)), "\n\n3\n5",
	'installed again: rows that are marked are taken over');
is(sql(q(SELECT softdelete.restore('"Order"', 1))), 1, '... and can be restored');

$session->quit;
$node->stop;
done_testing();
