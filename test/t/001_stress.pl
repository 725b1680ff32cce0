# Never an orphan: several clients delete, restore, undo, insert, move and purge
# rows of a small schema with every foreign-key action, in mixed isolation
# levels.  Whatever the interleaving, afterwards
#
#  - no live row refers to a deleted or missing one by a CASCADE, RESTRICT or NO
#    ACTION key, and no row at all refers to a missing one;
#  - every deleted row has a deletion id that is in the log, no live row has one;
#  - the log's numbers agree with the rows.
#
# The statements follow from a seed, their interleaving does not.
#
#   STRESS_SEED      default 20250101
#   STRESS_SECONDS   default 10
#   STRESS_CLIENTS   default 6

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{STRESS_SEED} || 20250101;
my $seconds = $ENV{STRESS_SECONDS} || 10;
my $clients = $ENV{STRESS_CLIENTS} || 6;

# What concurrency and broken rules may end in; 25P02 follows any of them.
my %expected = map { $_ => 1 } qw(40001 40P01 23001 23503 23505 55000 55D01 55D02 55D03 55D04 P0002 25P02);

my $node = PostgreSQL::Test::Cluster->new('stress');
$node->init;
$node->append_conf('postgresql.conf', <<'EOT');
deadlock_timeout = 10ms
fsync = off
log_statement = none
max_connections = 50
EOT
$node->start;
$node->safe_psql('postgres', <<'EOT');
CREATE EXTENSION softdelete;
ALTER DATABASE postgres SET session_preload_libraries = 'softdelete';
CREATE ROLE stress LOGIN;
CREATE SCHEMA stress AUTHORIZATION stress;
ALTER ROLE stress SET search_path = stress;
EOT
$node->safe_psql('postgres', <<'EOT', extra_params => [ '-U', 'stress' ]);
CREATE TABLE company (id integer PRIMARY KEY);
CREATE TABLE person (id integer PRIMARY KEY, note text,
	company_id integer REFERENCES company ON UPDATE CASCADE ON DELETE CASCADE,
	boss_id integer REFERENCES person ON DELETE CASCADE);
CREATE TABLE "Team" ("Company" integer REFERENCES company ON DELETE CASCADE,
	no integer, is_active boolean DEFAULT true, PRIMARY KEY ("Company", no));
CREATE TABLE membership (id integer PRIMARY KEY, note text,
	company_id integer, team_no integer,
	person_id integer REFERENCES person ON DELETE CASCADE,
	FOREIGN KEY (company_id, team_no) REFERENCES "Team" ON DELETE CASCADE);
CREATE TABLE task (id integer PRIMARY KEY,
	membership_id integer REFERENCES membership ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE invoice (id integer PRIMARY KEY, is_deleted boolean,
	person_id integer REFERENCES person ON DELETE RESTRICT);
CREATE TABLE note (id integer PRIMARY KEY, status text DEFAULT 'new',
	person_id integer REFERENCES person);
CREATE TABLE visit (id integer PRIMARY KEY,
	person_id integer REFERENCES person DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE badge (id integer PRIMARY KEY,
	person_id integer REFERENCES person ON DELETE SET NULL);
CREATE TABLE archive (id integer PRIMARY KEY,
	person_id integer REFERENCES person ON DELETE RESTRICT);
CREATE INDEX ON person (company_id);
CREATE INDEX ON person (boss_id);
CREATE INDEX ON membership (person_id);
CREATE INDEX ON membership (company_id, team_no);
CREATE INDEX ON task (membership_id);

SELECT softdelete.enable('"Team"', 'is_active', cascade => true);
SELECT softdelete.enable('company', cascade => true);
SELECT softdelete.enable('invoice', 'is_deleted');
SELECT softdelete.enable('note', 'status');
SELECT softdelete.enable('visit'), softdelete.enable('badge');	-- archive is not managed

INSERT INTO company SELECT generate_series(1, 10);
INSERT INTO person SELECT i, '', i % 10 + 1, nullif(i / 2, 0) FROM generate_series(1, 60) i;
INSERT INTO "Team" SELECT c, n FROM generate_series(1, 10) c, generate_series(1, 3) n;
INSERT INTO membership SELECT i, '', i % 10 + 1, i % 3 + 1, i % 60 + 1 FROM generate_series(1, 120) i;
INSERT INTO task SELECT i, i % 120 + 1 FROM generate_series(1, 120) i;
EOT

# ---------------------------------------------------------------- the clients

my @tables = qw(company person "Team" membership task invoice note visit badge archive);
my %size = (company => 10, person => 60, membership => 120, task => 120);
my %mark = (
	'"Team"' => [ 'is_active = false', 'is_active = true' ],
	invoice => [ 'is_deleted = true', 'is_deleted = false' ],
	note => [ q(status = 'deleted'), q(status = 'new') ]);
my @timestamped = ('deleted_at = now()', 'deleted_at = NULL');

sub pick { return $_[ int(rand(@_)) ]; }
sub upto { return 1 + int(rand($_[0])); }
sub id_of { return upto($size{ $_[0] } || 80); }

# a managed table; the ones in the middle of the tree more often
sub managed
{
	return pick(qw(company person person membership membership task membership task invoice note visit badge),
		'"Team"');
}

sub key
{
	my ($table) = @_;
	return $table eq '"Team"'
	  ? ([ upto(10), upto(3) ], [ '"Company"', 'no' ])
	  : ([ id_of($table) ], ['id']);
}

sub where
{
	my ($values, $columns) = @_;
	return join(' AND ', map { "$columns->[$_] = $values->[$_]" } 0 .. $#$columns);
}

sub insert
{
	my $table = pick(@tables, 'person', 'membership', 'task');
	my $id = id_of($table);
	my $person = id_of('person');
	my $text =
	    $table eq 'company' ? "($id)"
	  : $table eq 'person' ? "($id, '', " . id_of('company') . ", " . pick('NULL', $person) . ")"
	  : $table eq '"Team"' ? "(" . id_of('company') . ", " . upto(3) . ")"
	  : $table eq 'membership' ? "($id, '', " . id_of('company') . ", " . upto(3) . ", $person)"
	  : $table eq 'task' ? "($id, " . id_of('membership') . ")"
	  : $table eq 'invoice' ? "($id, false, $person)"
	  : $table eq 'note' ? "($id, 'new', $person)"
	  : "($id, $person)";
	return "INSERT INTO $table VALUES $text" . pick('', ' ON CONFLICT DO NOTHING');
}

sub remove
{
	my $table = managed();
	my ($values, $columns) = key($table);
	my $how = rand();
	return "DELETE FROM $table WHERE " . where($values, $columns) if $how < 0.4;
	return "DELETE FROM $table WHERE $columns->[0] BETWEEN $values->[0] AND $values->[0] + 3" if $how < 0.55;
	return "SELECT FROM softdelete.delete('$table', " . join(', ', @$values) . ")" if $how < 0.7;
	return "UPDATE $table SET " . ($mark{$table} || \@timestamped)->[0] . " WHERE " . where($values, $columns)
	  if $how < 0.8;
	return "DELETE FROM membership m USING person p WHERE p.id = m.person_id AND p.company_id = " . upto(10)
	  if $how < 0.9;
	return "WITH w AS (DELETE FROM person WHERE id = " . id_of('person') . " RETURNING id)"
	  . " DELETE FROM invoice WHERE person_id IN (SELECT id FROM w)";
}

sub restore
{
	my $table = managed();
	my ($values, $columns) = key($table);
	my $how = rand();
	return "SELECT FROM softdelete.restore('$table', " . join(', ', @$values) . ")" if $how < 0.4;
	return "SELECT FROM softdelete.undo((SELECT id FROM softdelete.deletions ORDER BY id DESC OFFSET "
	  . upto(40) . " LIMIT 1))"
	  if $how < 0.8;
	return
	    "SET LOCAL softdelete.visibility = deleted;\nUPDATE $table SET "
	  . ($mark{$table} || \@timestamped)->[1]
	  . " WHERE $columns->[0] BETWEEN $values->[0] AND $values->[0] + "
	  . int(rand(4))
	  . ";\nSET LOCAL softdelete.visibility = live";
}

sub change
{
	return pick(
		"UPDATE person SET company_id = " . id_of('company') . " WHERE id = " . id_of('person'),
		"UPDATE person SET boss_id = " . id_of('person') . " WHERE id = " . id_of('person'),
		"UPDATE membership SET company_id = " . id_of('company') . ", team_no = " . upto(3)
		  . " WHERE id = " . id_of('membership'),
		"UPDATE membership SET person_id = " . id_of('person') . " WHERE id = " . id_of('membership'),
		"UPDATE task SET membership_id = " . id_of('membership') . " WHERE id = " . id_of('task'),
		"UPDATE visit SET person_id = " . id_of('person') . " WHERE id = " . id_of('visit'),
		"UPDATE badge SET person_id = " . id_of('person') . " WHERE id = " . id_of('badge'),
		"UPDATE company SET id = " . id_of('company') . " WHERE id = " . id_of('company'),
		"UPDATE person SET note = note || 'x' WHERE id = " . id_of('person'),
		"DELETE FROM archive WHERE id = " . id_of('archive'));
}

sub purge
{
	my $table = managed();
	my ($values) = key($table);
	my $how = rand();
	return "SELECT FROM softdelete.purge('$table', " . join(', ', @$values) . ")" if $how < 0.6;
	return "SELECT FROM softdelete.purge_expired('$table', " . upto(5) . ", older_than => '200 ms')" if $how < 0.9;
	return "SELECT FROM softdelete.purge_expired(older_than => '500 ms')";
}

# the transactions of one client; more than it will get through
sub script
{
	my ($until) = @_;
	my $text = "\\set VERBOSITY sqlstate\n\\set QUIET on\nSET client_min_messages = error;\n";
	for my $n (1 .. 400 * $seconds)
	{
		$text .= "SELECT clock_timestamp() > '$until' AS over \\gset\n\\if :over\n\\q\n\\endif\n"
		  if $n % 10 == 0;
		$text .= "BEGIN ISOLATION LEVEL "
		  . pick('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') . ";\n";
		$text .= "SET CONSTRAINTS ALL IMMEDIATE;\n" if rand() < 0.1;
		my $savepoint = rand() < 0.2;
		for (1 .. pick(1, 1, 1, 2, 3))
		{
			my $what = rand();
			$text .= "SAVEPOINT s;\n" if $savepoint;
			$text .=
			  ( $what < 0.33 ? insert()
				: $what < 0.57 ? remove()
				: $what < 0.78 ? restore()
				: $what < 0.95 ? change()
				: purge()) . ";\n";
			$text .= "SELECT FROM pg_sleep(0.005);\n" if rand() < 0.3;    # to be overtaken
			$text .= "ROLLBACK TO s;\n" if $savepoint && rand() < 0.4;
		}
		$text .= rand() < 0.95 ? "COMMIT;\n" : "ROLLBACK;\n";
	}
	return $text;
}

srand($seed);
note "seed $seed, $clients clients, $seconds s";
my $until = $node->safe_psql('postgres', "SELECT clock_timestamp() + '$seconds s'");
my @running;
for my $client (1 .. $clients)
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/stress_$client.sql";
	unlink $file;
	append_to_file($file, script($until));
	# into files: a pipe that nobody reads would hold up its client, and with it the others
	push @running,
	  { err => "$file.err",
		run => IPC::Run::start(
			[ 'psql', '-X', '-q', '-U', 'stress', '-d', $node->connstr('postgres'), '-f', $file ],
			'<', \undef, '>', "$file.out", '2>', "$file.err", IPC::Run::timeout(60 + 10 * $seconds)) };
}
my (%count, @unexpected);
for my $client (@running)
{
	$client->{run}->finish;
	is($client->{run}->result(0), 0, 'client ends well');
	for my $line (split /\n/, slurp_file($client->{err}))
	{
		my ($code) = $line =~ /ERROR:  (\w{5})$/;
		if ($code) { $count{$code}++ }
		push @unexpected, $line unless $code && $expected{$code};
	}
}
note join(', ', map { "$count{$_} x $_" } sort keys %count);
is(join("\n", @unexpected[ 0 .. ($#unexpected < 20 ? $#unexpected : 20) ]), '', 'no error but the expected ones');

# ---------------------------------------------------------------- what must hold

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', "SET softdelete.visibility = 'all'; SET search_path = stress; $sql");
}

note query(q{SELECT count(*) || ' deletions of ' || sum(total) || ' rows, ' || sum(restored) || ' restored, '
	|| sum(purged) || ' purged' FROM softdelete.deletions});
cmp_ok(query('SELECT count(*) FROM softdelete.deletions'), '>', 2 * $seconds, 'there were deletes, on a slow machine too');
cmp_ok(query("SELECT sum($_) FROM softdelete.deletions"), '>', 0, "there were rows $_") for qw(restored purged);

# every foreign key of the schema: its name, and the condition of live rows on either side
my @keys = split /\n/, query(q{
	SELECT concat_ws('|', c.conname, c.conrelid::regclass, c.confrelid::regclass, c.confdeltype,
		coalesce(child.live_predicate, 'true'), coalesce(parent.live_predicate, 'true'),
		(SELECT string_agg(format('p.%I = c.%I', f.attname, k.attname), ' AND ')
		   FROM unnest(c.conkey, c.confkey) AS u(k, f)
		   JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = u.k
		   JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = u.f),
		(SELECT string_agg(format('c.%I IS NOT NULL', k.attname), ' AND ')
		   FROM unnest(c.conkey) AS u(k)
		   JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = u.k))
	  FROM pg_constraint c
	  LEFT JOIN softdelete.tables child ON child.target = c.conrelid
	  LEFT JOIN softdelete.tables parent ON parent.target = c.confrelid
	 WHERE c.contype = 'f' AND c.connamespace = 'stress'::regnamespace ORDER BY c.conname});
is(scalar(@keys), 11, 'all foreign keys are looked at');
for my $key (@keys)
{
	my ($name, $child, $parent, $action, $child_live, $parent_live, $on, $given) = split /\|/, $key;
	my $rows = "FROM (SELECT *, $child_live AS child_live FROM $child) c"
	  . " LEFT JOIN (SELECT *, $parent_live AS parent_live FROM $parent) p ON $on WHERE $given";
	is(query("SELECT c.* $rows AND p.parent_live IS NULL"), '', "$name: no reference to a missing row");
	is(query("SELECT c.* $rows AND child_live AND NOT parent_live"),
		'', "$name: no live row refers to a deleted one")
	  if $action ne 'n';
}

my @managed = split /\n/, query('SELECT target, live_predicate FROM softdelete.tables ORDER BY target::text');
is(scalar(@managed), 9, 'all managed tables are looked at');
for (@managed)
{
	my ($table, $live) = split /\|/;
	is(query("SELECT * FROM $table WHERE ($live) AND deletion_id IS NOT NULL"), '', "$table: no live row has a deletion id");
	is( query("SELECT * FROM $table WHERE NOT ($live) AND (deletion_id IS NULL OR deleted_at IS NULL)"),
		'', "$table: every deleted row has its companions");
	is( query("SELECT t.* FROM $table t LEFT JOIN softdelete.deletions d ON d.id = t.deletion_id
				WHERE t.deletion_id IS NOT NULL AND NOT coalesce(d.rows ? t.tableoid::regclass::text, false)"),
		'', "$table: every deletion id is in the log");
}

my $left = join(' UNION ALL ',
	map { my ($t) = split /\|/; "SELECT deletion_id AS id, '$t' AS t FROM $t WHERE deletion_id IS NOT NULL" } @managed)
  . ' UNION ALL SELECT deletion_id, target::text FROM softdelete.replaced WHERE deletion_id IS NOT NULL';
is( query("SELECT d.id, d.total, d.restored, d.purged, count(l.id) AS here
			 FROM softdelete.deletions d LEFT JOIN ($left) l USING (id)
			GROUP BY 1, 2, 3, 4 HAVING d.total <> d.restored + d.purged + count(l.id)"),
	'', 'rows deleted = restored + purged + still here, for each deletion');
is( query("SELECT d.id, r.key, r.value, count(*)
			 FROM softdelete.deletions d CROSS JOIN LATERAL jsonb_each_text(d.rows) r
			 JOIN ($left) l ON l.id = d.id AND l.t = r.key
			GROUP BY 1, 2, 3 HAVING count(*) > r.value::bigint"),
	'', 'no table has more rows of a deletion than it lost');
is( query('SELECT id FROM softdelete.deletions WHERE (restored > 0) <> (restored_at IS NOT NULL)
			OR (purged > 0) <> (purged_at IS NOT NULL)'),
	'', 'restored and purged have their time');

# everything can still be purged
query("DELETE FROM archive; SET softdelete.visibility = live;
	   DELETE FROM note; DELETE FROM visit; DELETE FROM invoice; DELETE FROM badge; DELETE FROM company; DELETE FROM person");
query("SELECT softdelete.purge_expired(older_than => '0') FROM generate_series(1, 3)");
is(query('SELECT count(*) FROM membership'), 0, 'nothing is left of the tree after deleting and purging it all');

$node->stop;
done_testing();
