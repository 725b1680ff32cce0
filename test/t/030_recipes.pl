# The pages of doc/recipes, doc/sharding-without-citus.md and doc/maintenance.md say what happens: their
# own SQL is run, block by block, and prints what the page shows.
#
#   ```sql          run as the role "shop", who owns the tables; "```sql support" as
#                   another one; the superuser is "postgres"
#   ```text         what the block before it prints; "…" is anything within a line.
#                   A block that none follows has to run without an error
#   <!--sql … -->   run, too, but of no interest to whoever reads the page
#   ```ini          settings of the connection pool that the blocks after it go through
#
# RECIPES_UPDATE=1 writes what blocks print into the pages; read the diff.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PATH} .= ':/usr/sbin';		# where Debian has pgbouncer
my $doc = dirname(__FILE__) . '/../../doc';
my @pages = (sort(glob("$doc/recipes/*.md")), "$doc/sharding-without-citus.md", "$doc/maintenance.md");

my $node = PostgreSQL::Test::Cluster->new('recipes');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "fsync = off\nsession_preload_libraries = 'softdelete'\nTimeZone = 'UTC'\nlog_statement = 'none'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN; CREATE ROLE app LOGIN; CREATE ROLE support LOGIN');
$node->safe_psql('postgres', 'CREATE ROLE postgres LOGIN SUPERUSER')
  unless $node->safe_psql('postgres', q(SELECT count(*) FROM pg_roles WHERE rolname = 'postgres'));

# the parts of a page: [kind, role, text], kind being sql, text, ini or other
sub parts
{
	my ($page) = @_;
	my @parts;
	my $rest = slurp_file($page);

	while ($rest =~ s/\A(.*?)(?:^```(\w*) ?(\w*)\n(.*?)^```\n|^<!--sql ?(\w*)\n(.*?)^-->\n)//ms)
	{
		push @parts, ['other', '', $1];
		push @parts, defined $4 ? [$2 || 'code', $3, $4] : ['hidden', $5, $6];
	}
	return (@parts, ['other', '', $rest]);
}

sub write_page
{
	my ($page, @parts) = @_;
	open(my $out, '>', $page) or die "$page: $!";
	foreach my $part (@parts)
	{
		my ($kind, $role, $text) = @$part;
		my $head = join(' ', grep { $_ ne '' } $kind eq 'code' ? '' : $kind, $role);
		print $out $kind eq 'other' ? $text
		  : $kind eq 'hidden' ? "<!--sql" . ($role ? " $role" : '') . "\n$text-->\n"
		  : "```$head\n$text```\n";
	}
	close $out;
	return;
}

# like what the page shows, "…" being anything within a line
sub same
{
	my ($got, $shown) = @_;
	my $pattern = join('.*?', map { quotemeta } split(/\x{e2}\x{80}\x{a6}/, tidy($shown), -1));
	return tidy($got) =~ /\A$pattern\z/;
}

sub tidy
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+|\n+\z//g;
	$text =~ s/\n\n+/\n/g;
	return $text;
}

# a pool in transaction mode with the page's own settings; its port, or undef
sub start_pool
{
	my ($ini) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $dir = PostgreSQL::Test::Utils::tempdir;
	my ($host, $to) = ($node->host, $node->port);

	append_to_file("$dir/users.txt", "\"shop\" \"\"\n\"app\" \"\"\n\"support\" \"\"\n\"postgres\" \"\"\n");
	append_to_file("$dir/pool.ini",
		"[databases]\n* = host=$host port=$to\n$ini\n"
		  . "listen_addr =\nunix_socket_dir = $host\nlisten_port = $port\nauth_type = trust\n"
		  . "auth_file = $dir/users.txt\nlogfile = $dir/pool.log\npidfile = $dir/pool.pid\n");
	system('pgbouncer', '-q', '-d', "$dir/pool.ini") == 0 or return;
	return ($port, "$dir/pool.pid");
}

my @pools;
END { kill 'TERM', map { slurp_file($_) + 0 } grep { -e $_ } @pools; }

foreach my $page (@pages)
{
	my $name = basename($page, '.md');
	my @parts = parts($page);
	my $db = $name;
	my ($port, $pid_file, $skipped);

	next unless grep { $_->[0] eq 'sql' } @parts;
	$node->safe_psql('postgres', qq(CREATE DATABASE "$db"; GRANT CREATE ON DATABASE "$db" TO shop));
	$node->safe_psql($db, 'CREATE EXTENSION softdelete; GRANT CREATE ON SCHEMA public TO shop');

	# One script for the page, so that settings last from a block to the next; blocks
	# of another role, or through the pool, are a session of their own.
	my $n = 0;
	my $session = '';
	my $script = "\\set SHOW_CONTEXT never\n\\pset footer on\n";
	foreach my $part (@parts)
	{
		my ($kind, $role, $text) = @$part;
		if ($kind eq 'ini' && !$port)
		{
			($port, $pid_file) = `sh -c 'command -v pgbouncer'` ? start_pool($text) : ();
			if (!$port)
			{
				$skipped = 'pgbouncer is not installed (Debian: pgbouncer)';
				last;
			}
			push @pools, $pid_file;
			$session = '';
		}
		next unless $kind eq 'sql' || $kind eq 'hidden';
		$role ||= 'shop';
		$script .= sprintf("\\connect \"%s\" %s \"%s\" %d\n", $db, $role, $node->host, $port // $node->port)
		  if $session ne $role;
		$session = $role;
		$script .= "\\echo \@\@ BLOCK $n\n$text\n";
		push @$part, $n++;
	}
	my $file = PostgreSQL::Test::Utils::tempdir . "/$name.sql";
	append_to_file($file, "$script\\echo \@\@ BLOCK end\n");
	my $output = '';
	IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('postgres'), '-v', 'host=' . $node->host, '-v', 'port=' . $node->port,
			'-f', $file ], '>', \$output, '2>&1');
	$output =~ s/^psql:\Q$file\E:\d+: //mg;
	$output =~ s/^You are now connected .*\n//mg;
	my %printed = $output =~ /^\@\@ BLOCK (\w+)\n(.*?)(?=^\@\@ BLOCK|\z)/msg;

	for my $i (0 .. $#parts)
	{
		my ($kind, $role, $text, $number) = @{ $parts[$i] };
		next unless defined $number;
		my $got = $printed{$number} // '(not reached)';
		my ($first) = grep { !/^\s*(--|$)/ } split /\n/, $text;
		my $title = "$name: $first";
		my $shown = $kind eq 'sql' && ($parts[ $i + 1 ][2] // '') =~ /\A\s*\z/ && ($parts[ $i + 2 ][0] // '') eq 'text' ? $parts[ $i + 2 ] : undef;

		if (!$shown)
		{
			unlike($got, qr/^(ERROR|FATAL|WARNING):|^\(not reached\)|^\\connect/m, $title) or diag($got);
		}
		elsif ($ENV{RECIPES_UPDATE} && !same($got, $shown->[2]))
		{
			(my $new = tidy($got)) =~ s/ +$//mg;
			$shown->[2] = "$new\n";
			pass("$title (written)");
		}
		else
		{
			ok(same($got, $shown->[2]), $title) or diag("the page:\n$shown->[2]\nprinted:\n$got");
		}
	}
	write_page($page, @parts) if $ENV{RECIPES_UPDATE};
	SKIP: { skip "$name: $skipped", 1 if $skipped; pass("$name: read to its end"); }
}

# every page is in the list
my $index = slurp_file("$doc/recipes/README.md");
foreach my $page (@pages)
{
	my $link = $page =~ /recipes/ ? basename($page) : '../' . basename($page);
	ok($link eq 'README.md' || index($index, "($link)") > 0, "doc/recipes/README.md names $link");
}

$node->stop;
done_testing();
