# What doc/recipes/sync-tools.md has Alembic and Django declare is enough: autogenerate
# finds nothing to drop, makemigrations nothing to make, and the models work.  The
# page's own Python is run, where the libraries are installed.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file(dirname(__FILE__) . '/../../doc/recipes/sync-tools.md');
my ($alembic) = $page =~ /```python\n([^`]*include_object[^`]*)```/ or die 'no block for Alembic';
my ($django) = $page =~ /```python\n([^`]*models\.Model[^`]*)```/ or die 'no block for Django';

my $node = PostgreSQL::Test::Cluster->new('sync');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nsession_preload_libraries = 'softdelete'\n");
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir;

sub has
{
	my (@modules) = @_;
	return system('python3 -c "import ' . join(', ', @modules) . '" 2>/dev/null') == 0;
}

# what the program prints
sub python
{
	my ($name, $program, @arguments) = @_;
	my ($out, $err) = ('', '');
	append_to_file("$dir/$name.py", $program) unless -e "$dir/$name.py";
	local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
	local $ENV{PGUSER} = $node->safe_psql('postgres', 'SELECT current_user');
	IPC::Run::run([ 'python3', "$dir/$name.py", @arguments ], '>', \$out, '2>', \$err)
	  or diag("$name: $err");
	chomp $out;
	return $out;
}

SKIP:
{
	skip 'Alembic is not installed (Debian: python3-alembic, python3-psycopg2)', 2
	  unless has('alembic', 'psycopg2');
	$node->safe_psql('postgres', 'CREATE DATABASE alembic');
	$node->safe_psql('alembic', <<'SQL');
CREATE EXTENSION softdelete;
CREATE TABLE posts (id serial PRIMARY KEY, slug text);
CREATE UNIQUE INDEX posts_slug_key ON posts (slug);
SELECT softdelete.enable('posts');
SQL
	my $compare = sprintf(<<'PYTHON', $node->host, $node->port);
import sys
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import *
try:
    from sqlalchemy.orm import declarative_base
except ImportError:
    from sqlalchemy.ext.declarative import declarative_base

Base = declarative_base()
%%s
engine = create_engine("postgresql://", connect_args={"host": "%s", "port": %s, "dbname": "alembic"})
with engine.connect() as c:
    options = {"include_object": include_object}
    for change in compare_metadata(MigrationContext.configure(c, opts=options), Base.metadata):
        print(change[0])
PYTHON
	my $without = $alembic;
	$without =~ s/^ *(deleted_at|deletion_id) = .*\n//mg;
	$without =~ s/, postgresql_where=text\([^)]*\)//;
	like(python('without', sprintf($compare, $without)), qr/remove_column\nremove_column/, 'Alembic would drop what it does not know');
	is(python('with', sprintf($compare, $alembic)), '', 'declared: nothing to drop');
}

SKIP:
{
	skip 'Django is not installed (Debian: python3-django, python3-psycopg2)', 8
	  unless has('django', 'psycopg2');
	$node->safe_psql('postgres', 'CREATE DATABASE django');
	$node->safe_psql('django', 'CREATE EXTENSION softdelete');
	mkdir "$dir/blog";
	mkdir "$dir/blog/migrations";
	append_to_file("$dir/blog/__init__.py", '');
	append_to_file("$dir/blog/migrations/__init__.py", '');
	append_to_file("$dir/blog/models.py",
		"from django.db import models\n\nclass Post(models.Model):\n    slug = models.TextField(unique=True)\n    class Meta:\n        db_table = 'posts'\n");
	my $manage = sprintf(<<'PYTHON', $node->host, $node->port);
import sys
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["blog"], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "%s", "PORT": %s, "NAME": "django"}})
django.setup()
from django.core.management import call_command
if sys.argv[1] == "flow":
    from blog.models import Post
    Post.objects.create(slug="a")
    print(Post.objects.filter(slug="a").delete()[0], Post.objects.count())
    Post.objects.create(slug="a")
    print(Post.objects.count())
else:
    call_command(*sys.argv[1:], verbosity=0)
PYTHON
	python('manage', $manage, 'makemigrations', 'blog');
	python('manage', $manage, 'migrate');
	$node->safe_psql('django', q(SELECT softdelete.enable('posts')));
	is(python('manage', $manage, 'flow'), "1 0\n1", 'Django needs nothing declared: deleted, and the unique value again');
	is(system("python3 $dir/manage.py makemigrations blog --check --dry-run >/dev/null"), 0, 'and finds nothing to migrate');

	unlink "$dir/blog/models.py";
	append_to_file("$dir/blog/models.py", "from django.db import models\n\n$django");
	$node->safe_psql('django', q(SET softdelete.hard_delete = on; TRUNCATE posts));
	python('manage', $manage, 'makemigrations', 'blog');
	python('manage', $manage, 'migrate', 'blog', '--fake');
	is(system("python3 $dir/manage.py makemigrations blog --check --dry-run >/dev/null"), 0, 'declared: in step');
	is(python('manage', $manage, 'flow'), "1 0\n1", 'and works as before');
	is($node->safe_psql('django', q(SELECT count(*) FROM softdelete.trash('posts'))), '1', 'with its trash');

	# a test database: doc/recipes/test-databases.md
	isnt(system("python3 $dir/manage.py flush --no-input >/dev/null 2>&1"), 0, 'flush truncates, and is refused');
	$node->safe_psql('django', q(ALTER ROLE CURRENT_USER IN DATABASE django SET softdelete.hard_delete = on));
	is(system("python3 $dir/manage.py flush --no-input >/dev/null"), 0, 'flush where the role may erase');
	is($node->safe_psql('django', q(SET softdelete.visibility = with_deleted; SELECT count(*) FROM posts)), '0', 'nothing is left');
}

$node->stop;
done_testing();
