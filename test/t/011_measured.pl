# What measures statements measures the cascade, too: pg_stat_statements books its
# time and its buffers with the DELETE, and its statements as nested ones;
# auto_explain logs the DELETE alone; EXPLAIN ANALYZE shows it like a trigger's.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('measured');
$node->init;
$node->append_conf('postgresql.conf', <<'EOT');
fsync = off
shared_preload_libraries = 'pg_stat_statements, auto_explain'
pg_stat_statements.track = all
EOT
$node->start;
$node->safe_psql('postgres', <<'EOT');
CREATE EXTENSION softdelete;
CREATE EXTENSION pg_stat_statements;
ALTER DATABASE postgres SET session_preload_libraries = 'softdelete';
EOT
$node->safe_psql('postgres', <<'EOT');
CREATE TABLE post (id integer PRIMARY KEY);
CREATE TABLE comment (id integer PRIMARY KEY, post_id integer REFERENCES post ON DELETE CASCADE);
CREATE INDEX ON comment (post_id);
INSERT INTO post VALUES (1), (2), (3);
INSERT INTO comment SELECT n, 1 + n % 3 FROM generate_series(1, 30) n;
-- each comment takes 10 ms
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.01); RETURN old; END $$;
CREATE TRIGGER slow BEFORE DELETE ON comment FOR EACH ROW EXECUTE FUNCTION slow();
SELECT softdelete.enable('post', cascade => true);
SELECT pg_stat_statements_reset();
DELETE FROM post WHERE id = 1;
EOT
is( $node->safe_psql('postgres', <<'EOT'), 't|t', 'the DELETE took the time of its cascade');
SELECT total_exec_time >= 100, toplevel FROM pg_stat_statements WHERE query LIKE 'DELETE FROM post %'
EOT
is( $node->safe_psql('postgres', <<'EOT'), '1', 'no statement of the cascade counts as a client\'s');
SELECT count(*) FROM pg_stat_statements WHERE toplevel AND (query LIKE '%DELETE%' OR query LIKE '%deletion_log%')
EOT
is( $node->safe_psql('postgres', <<'EOT'), 't', 'it is there among the nested ones');
SELECT count(*) > 0 FROM pg_stat_statements WHERE NOT toplevel AND query LIKE '%comment%'
EOT

my $explained = $node->safe_psql('postgres', 'EXPLAIN (ANALYZE, COSTS off) DELETE FROM post WHERE id = 2');
my ($time) = $explained =~ /^Trigger ~softdelete\w*.*: time=([\d.]+) calls=1$/m;
ok(defined $time && $time >= 100, 'EXPLAIN ANALYZE shows the time of the cascade') or diag $explained;

my $offset = -s $node->logfile;
$node->safe_psql('postgres', <<'EOT');
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_triggers = on;
DELETE FROM post WHERE id = 3;
EOT
my $log = substr(slurp_file($node->logfile), $offset);
my @plans = $log =~ /duration: ([\d.]+) ms  plan:/g;
is(scalar @plans, 1, 'auto_explain logs the DELETE, and no statement of the cascade') or diag $log;
cmp_ok($plans[0], '>=', 100, 'with the time that it took');

# the triggers fire as ever
is( $node->safe_psql('postgres', <<'EOT'), '3|30', 'all is deleted');
SET softdelete.visibility = deleted;
SELECT (SELECT count(*) FROM post), (SELECT count(*) FROM comment)
EOT

$node->stop;
done_testing();
