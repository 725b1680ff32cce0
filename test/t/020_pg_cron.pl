# schedule() and unschedule(), with the real pg_cron: in the database where that is
# installed, and from another one of the same server; and what they say where
# something is missing.  A job is seen to fire.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
plan skip_all => 'pg_cron is not installed' unless -e "$sharedir/extension/pg_cron.control";

my $node = PostgreSQL::Test::Cluster->new('pg_cron');
$node->init;
$node->append_conf('postgresql.conf', <<"EOT");
fsync = off
session_preload_libraries = 'softdelete'
EOT
$node->start;

# what a statement returns, or its SQLSTATE
sub answer
{
	my ($db, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql($db, "\\set VERBOSITY sqlstate\n$sql", stdout => \$out, stderr => \$err, on_error_stop => 0);
	return $err =~ /ERROR:  (\w+)/ ? $1 : $out;
}

sub hint
{
	my ($db, $sql) = @_;
	my $err = '';
	$node->psql($db, $sql, stderr => \$err, on_error_stop => 0);
	my ($hint) = $err =~ /^HINT:  (.*)$/m;
	return $hint // '';
}

$node->safe_psql('postgres', q(CREATE DATABASE "For'um"));
my $forum = "For'um";
$node->safe_psql($_, 'CREATE EXTENSION softdelete') foreach 'postgres', $forum;

# ---------------------------------------------------------------- what is missing

is(answer('postgres', 'SELECT softdelete.schedule()'), '55000', 'without pg_cron: refused');
like(hint('postgres', 'SELECT softdelete.schedule()'), qr/shared_preload_libraries.*psql -d/s, 'and says what to do');

$node->append_conf('postgresql.conf', <<"EOT");
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = on
EOT
$node->restart;
is(answer('postgres', 'SELECT softdelete.schedule()'), '55000', 'loaded, but not created');
is(hint('postgres', 'SELECT softdelete.schedule()'), 'CREATE EXTENSION pg_cron;', 'the command that is missing');
$node->safe_psql('postgres', 'CREATE ROLE janitor LOGIN');
like(hint('postgres', 'SET ROLE janitor; SELECT softdelete.schedule()'), qr/^Let a superuser call softdelete\.schedule\(\)/,
	'who may not see the settings is told to ask');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');

# ---------------------------------------------------------------- the same database

my $id = answer('postgres', 'SELECT softdelete.schedule()');
like($id, qr/^\d+$/, 'schedule() returns the id of the job');
is(answer('postgres', "SELECT schedule, command, jobname FROM cron.job"),
	'0 2 * * *|CALL softdelete.run_maintenance()|softdelete maintenance of postgres', 'at two in the morning');
is(answer('postgres', "SELECT softdelete.schedule('30 3 * * 0')"), $id, 'again: the same job');
is(answer('postgres', 'SELECT schedule FROM cron.job'), '30 3 * * 0', 'with the new times');
isnt(answer('postgres', "SELECT softdelete.schedule('at noon')"), '', 'what pg_cron does not understand is an error');
is(answer('postgres', 'SELECT softdelete.schedule(NULL)'), '22023', 'so is no schedule');
is(answer('postgres', 'SELECT softdelete.unschedule()'), 't', 'unschedule() ends it');
is(answer('postgres', 'SELECT softdelete.unschedule()'), 'f', 'and says when there is none');

is(answer('postgres', 'SET ROLE janitor; SELECT softdelete.schedule()'), '42501', 'whoever may not use pg_cron is told');
like(hint('postgres', 'SET ROLE janitor; SELECT softdelete.schedule()'),
	qr/^GRANT USAGE ON SCHEMA cron TO janitor;$/, 'which grant is missing');

# ---------------------------------------------------------------- another database

like(hint($forum, 'SELECT softdelete.schedule()'), qr/^In database postgres: SELECT cron\.schedule_in_database\(/,
	'without dblink: the command to run where pg_cron is');
$node->safe_psql($forum, 'CREATE EXTENSION dblink');
$id = answer($forum, "SELECT softdelete.schedule('* * * * *')");
like($id, qr/^\d+$/, 'through dblink: scheduled');
is(answer('postgres', "SELECT database, jobname FROM cron.job WHERE jobid = $id"),
	"For'um|softdelete maintenance of For'um", 'for this database');

# ---------------------------------------------------------------- it fires

$node->safe_psql($forum, <<'EOT');
CREATE TABLE post (id integer PRIMARY KEY);
SELECT softdelete.enable('post', retention => '0');
INSERT INTO post SELECT generate_series(1, 10);
DELETE FROM post WHERE id <= 4;
EOT
ok($node->poll_query_until($forum,
		q(SELECT count(*) = 0 FROM softdelete.trash('post'))),
	'the job has erased what was past its retention');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM cron.job_run_details WHERE jobid = $id AND status = 'succeeded'"),
	'and says so');
is(answer($forum, 'SELECT softdelete.unschedule()'), 't', 'ended from there, too');

$node->stop;
done_testing();
