# run_maintenance() that does not come to its end: its session is terminated, the
# server is stopped at once, the call is cancelled.  What it had committed stays,
# nothing else is lost, job_runs does not say "running" for ever, and the next run
# purges the rest.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('maintenance');
$node->init;
$node->append_conf('postgresql.conf', "session_preload_libraries = softdelete\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', <<'EOC');
CREATE EXTENSION softdelete;
CREATE ROLE clerk LOGIN;
CREATE SCHEMA clerk AUTHORIZATION clerk;
EOC
my $clerk = $node->connstr('postgres') . ' user=clerk';

sub sql
{
	return $node->safe_psql('postgres', $_[0], connstr => $clerk);
}

# 1,000 notes, all but the last ten deleted, ten by each deletion
sub fill
{
	sql(<<'EOC');
DROP TABLE IF EXISTS notes;
CREATE TABLE notes (id int PRIMARY KEY, note text);
SELECT softdelete.enable('notes', retention => '0');
INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 1000) n;
DO $$BEGIN FOR i IN 0 .. 98 LOOP DELETE FROM notes WHERE id BETWEEN 10 * i + 1 AND 10 * i + 10; COMMIT; END LOOP; END$$;
EOC
	return;
}

my $left = q(SET softdelete.visibility = 'all'; SELECT count(*) FROM notes);
my $job = q(SELECT status, finished_at IS NOT NULL, purged > 0, error FROM softdelete.job_runs WHERE job = '%s' ORDER BY id DESC LIMIT 1);

# Begin a run in steps of 20 rows, and wait until five of them are committed.
sub start_run
{
	my $handle = IPC::Run::start([ 'psql', '-X', '-q', '-d', $clerk, '-c', q(CALL softdelete.run_maintenance('notes', 20, pause => '50 ms')) ],
		'<', \'', '>', '/dev/null', '2>', '/dev/null');
	$node->poll_query_until('postgres', q(SELECT purged >= 100 FROM softdelete.job_runs WHERE job = 'purge' AND status = 'running' ORDER BY id DESC LIMIT 1))
	  or die 'the run did not come so far';
	return $handle;
}

sub stop_run
{
	my ($how) = @_;
	is($node->safe_psql('postgres', "SELECT $how(pid) FROM pg_stat_activity WHERE usename = 'clerk' AND query LIKE 'CALL%'"), 't', "$how()");
	return;
}

# what every end has in common
sub check_rest
{
	my ($what) = @_;
	my $rows = sql($left);
	cmp_ok($rows, '<', 1000, "$what: what was committed is gone");
	cmp_ok($rows, '>', 10, "$what: the rest is there");
	is(sql('SELECT count(*) FROM notes'), 10, "$what: live rows are not touched");
	is(sql(q(SELECT sum(total - purged) FROM softdelete.deletions WHERE target = 'notes'::regclass)),
		$rows - 10, "$what: the log knows what is gone");

	# as the next one begins, nothing that has ended says it is running
	sql(q(CALL softdelete.run_maintenance('notes', 200)));
	is(sql($left), 10, "$what: the next run purges the rest");
	is(sql(q(SELECT sum(total - purged) FROM softdelete.deletions WHERE target = 'notes'::regclass)), 0, "$what: and the log knows");
	is(sql(sprintf $job, 'purge'), 'done|t|t|', "$what: it is done");
	is(sql(q(SELECT count(*) FROM softdelete.job_runs WHERE status = 'running')), 0, "$what: nothing says it is running");
	return;
}

# the call is cancelled: it writes its own end
fill();
my $run = start_run();
stop_run('pg_cancel_backend');
$run->finish;
is(sql(sprintf $job, 'purge'), 'stopped|t|t|canceling statement due to user request', 'cancelled: the job says so');
is(sql(sprintf $job, 'maintenance'), 'stopped|t|t|canceling statement due to user request', 'cancelled: and the run');
check_rest('cancelled');

# the session is terminated: whoever comes next writes its end
fill();
$run = start_run();
stop_run('pg_terminate_backend');
$run->finish;
check_rest('terminated');
is(sql(q(SELECT count(*) FROM softdelete.job_runs WHERE status = 'stopped' AND purged > 0 AND job = 'purge'
		 AND finished_at IS NOT NULL AND error IS NOT NULL)), 2, 'terminated: its job is stopped');

# the server is stopped without a word
fill();
$run = start_run();
$node->stop('immediate');
$run->finish;
$node->start;
check_rest('server gone');
is(sql(q(SELECT count(*) FROM softdelete.job_runs WHERE status = 'stopped' AND purged > 0 AND job = 'purge'
		 AND finished_at IS NOT NULL AND error IS NOT NULL)), 3, 'server gone: its job is stopped');

# purge_expired() is one transaction: all or nothing
fill();
my ($ret, $out, $err) = $node->psql('postgres', q(SET statement_timeout = '300ms';
SELECT softdelete.enable('notes', triggers => 'update');
CREATE FUNCTION clerk.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN old; END $$;
CREATE TRIGGER slow AFTER DELETE ON notes FOR EACH ROW EXECUTE FUNCTION clerk.slow();
SELECT * FROM softdelete.purge_expired('notes')), connstr => $clerk);
like($err, qr/canceling statement due to statement timeout/, 'purge_expired() cut short');
is(sql($left), 1000, 'purge_expired() cut short: nothing is gone');

$node->stop;
done_testing();
