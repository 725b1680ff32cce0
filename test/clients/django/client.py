"""Django: models, the collector's cascades, get_or_create, bulk operations, M:N, transactions, schema changes, inspectdb."""

import io
import os
import sys

import django
from django.conf import settings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
settings.configure(
    INSTALLED_APPS=["forum"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.core.management import call_command
from django.core import serializers
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch

from flow import flow, managed
from forum.models import Attachment, Author, Comment, Post, Tag

if sys.argv[1:] == ["schema"]:
    call_command("migrate", run_syncdb=True, verbosity=0)
    sys.exit()

Link = Post.tags.through


def counts():
    return [model.objects.count() for model in (Author, Post, Attachment, Tag, Link, Comment)]


@flow("create")
def _():
    ada, bob = (Author.objects.create(name=name) for name in ("ada", "bob"))
    tags = Tag.objects.bulk_create(Tag(name=name) for name in ("red", "green", "blue"))
    for n in range(1, 9):
        post = Post.objects.create(author=(ada, bob)[n % 2], slug=f"p{n}", title=f"Post {n}")
        post.attachments.bulk_create(Attachment(post=post, file=f"f{n}{i}") for i in (1, 2))
        post.tags.set(tags)
        post.comments.create(author=bob, body=f"c{n}")
    return counts()


@flow("delete by object: the collector's counts")
def _():
    post = Post.objects.get(slug="p1")
    return [post.delete(), post.pk, counts()]


@flow("delete by query: the collector's counts")
def _():
    return [Post.objects.filter(slug__in=["p2", "p3", "p99"]).delete(), Comment.objects.filter(body__gte="c8").delete(),
            Attachment.objects.filter(file="f41")._raw_delete("default"), counts()]


@flow("list")
def _():
    return [list(Post.objects.values_list("slug", "version")), Post.objects.filter(slug="p1").exists(), Post.objects.first().slug,
            list(Comment.objects.filter(post=None).order_by("id").values_list("body", flat=True))]


@flow("count")
def _():
    return [counts(), list(Author.objects.annotate(n=Count("posts", distinct=True)).order_by("id").values_list("name", "n")),
            Post.objects.filter(attachments__file__startswith="f").distinct().count()]


@flow("eager loading")
def _():
    posts = Post.objects.select_related("author").prefetch_related(Prefetch("attachments", Attachment.objects.order_by("file")), "tags")
    return [[p.slug, p.author.name, [a.file for a in p.attachments.all()], sorted(t.name for t in p.tags.all())] for p in posts]


@flow("subqueries")
def _():
    some = Attachment.objects.filter(post=OuterRef("pk"), file__endswith="1")
    return [list(Post.objects.filter(~Exists(some)).values_list("slug", flat=True)),
            list(Post.objects.exclude(tags__name="red").values_list("slug", flat=True))]


@flow("the library's own protection")
def _():
    Author.objects.get(name="bob").delete()


@flow("the library's own cascade of a whole tree")
def _():
    eve = Author.objects.create(name="eve")
    post = Post.objects.create(author=eve, slug="e1", title="E")
    post.attachments.create(file="e")
    post.tags.add(Tag.objects.get(name="red"))
    return [eve.delete(), counts()]


@flow("optimistic locking")
def _():
    return [Post.objects.filter(slug="p5", version=1).update(version=F("version") + 1),
            Post.objects.filter(slug="p5", version=1).update(title="lost"), Post.objects.filter(slug="p5", version=1).delete()]


@flow("select_for_update")
def _():
    with transaction.atomic():
        return [list(Post.objects.select_for_update(of=("self",), skip_locked=True).values_list("slug", flat=True)),
                Post.objects.select_for_update().get(slug="p5").delete()[0], transaction.set_rollback(True)]


@flow("unique again")
def _():
    again = Post.objects.create(slug="p1", title="again")
    post = Post.objects.get(slug="p5")
    post.attachments.get(file="f51").delete()
    post.attachments.create(file="f51")
    again.full_clean(exclude=["author"])
    return [again.slug, counts()]


@flow("unique, live")
def _():
    Post.objects.create(slug="p1", title="twice")


@flow("unique, validated by a form")
def _():
    seen = []
    for slug in ("p1", "p2"):
        try:
            Post(slug=slug, title="x").validate_unique()
            seen.append("free")
        except Exception as error:
            seen.append(str(error))
    return seen


@flow("key again")
def _():
    tag = Tag.objects.create(name="loose")
    key = tag.pk
    tag.delete()
    Tag.objects.create(pk=key, name="loose")
    Tag.objects.filter(pk=key).delete()
    tag = Tag(pk=key, name="loose")
    tag.save(force_insert=True)
    return counts()


@flow("upsert")
def _():
    seen = []
    for slug in ("p2", "p5"):
        post, made = Post.objects.update_or_create(slug=slug, defaults=dict(title="upserted"))
        seen.append([post.title, made])
    Tag.objects.filter(name="loose").delete()
    Tag.objects.bulk_create([Tag(name="red"), Tag(name="loose")], ignore_conflicts=True)
    return seen + [list(Tag.objects.order_by("name").values_list("name", flat=True))]


@flow("find or create")
def _():
    seen = []
    for _ in range(3):
        tag, made = Tag.objects.get_or_create(name="fresh")
        seen.append(made)
        if len(seen) == 1:
            tag.delete()
    return seen


@flow("M:N remove and add")
def _():
    post, red, green = Post.objects.get(slug="p6"), *Tag.objects.filter(name__in=["red", "green"]).order_by("-name")
    seen = []
    for change in (lambda: post.tags.remove(red), lambda: post.tags.add(red), lambda: post.tags.clear(),
                   lambda: post.tags.set([red, green]), lambda: post.tags.set([green]), lambda: post.tags.set([red]),
                   lambda: red.posts.remove(post), lambda: red.posts.add(post), lambda: post.tags.add(red)):
        change()
        seen.append(sorted(post.tags.values_list("name", flat=True)))
    return seen


@flow("save of a row deleted meanwhile: made again")
def _():
    stale = Tag.objects.create(name="stale")
    Tag.objects.filter(pk=stale.pk).delete()
    stale.name = "stale again"
    stale.save()
    return [list(Tag.objects.filter(pk=stale.pk).values_list("name", flat=True)), stale.delete()]


@flow("save of a row deleted meanwhile, update_fields")
def _():
    stale = Post.objects.get(slug="p2")
    Post.objects.filter(slug="p2").delete()
    stale.save(update_fields=["title"])


@flow("refresh, delete of a row deleted meanwhile")
def _():
    stale = Post.objects.create(slug="stale", title="stale")
    Post.objects.filter(slug="stale").delete()
    seen = [stale.delete()]
    stale = Post.objects.create(slug="stale", title="stale")
    Post.objects.filter(slug="stale").delete()
    try:
        stale.refresh_from_db()
    except Post.DoesNotExist:
        seen.append("DoesNotExist")
    return seen


@flow("child of a row deleted meanwhile")
def _():
    Attachment.objects.create(post_id=1, file="late")


@flow("child first, parent deleted in the same transaction: deferred keys")
def _():
    with transaction.atomic():
        post = Post.objects.create(slug="brief", title="brief")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM post WHERE id = %s", [post.pk])
        Attachment.objects.create(post_id=post.pk, file="late")


@flow("savepoints")
def _():
    seen = []
    with transaction.atomic():
        Post.objects.get(slug="p8").delete()
        try:
            with transaction.atomic():
                Comment.objects.all().delete()
                Author.objects.all().delete()
                seen.append(counts())
                raise ValueError
        except ValueError:
            seen.append(counts())
        transaction.set_rollback(True)
    return seen + [counts()]


@flow("on_commit")
def _():
    seen = []
    with transaction.atomic():
        Post.objects.get(slug="p8").comments.all().delete()
        transaction.on_commit(lambda: seen.append(Post.objects.count()))
    return seen


@flow("prepared statements")
def _():
    with connection.cursor() as cursor:
        cursor.execute("PREPARE gone (bigint) AS DELETE FROM attachment WHERE post_id = $1 AND file LIKE '%2'")
        seen = []
        for post in Post.objects.all():
            cursor.execute(f"EXECUTE gone ({post.pk})")
            seen.append(cursor.rowcount)
        return seen


@flow("server-side cursor")
def _():
    with transaction.atomic():
        rows = Post.objects.order_by("id").iterator(chunk_size=2)
        first = next(rows).slug
        Post.objects.filter(slug="p8").delete()
        return [first, [post.slug for post in rows], Post.objects.filter(slug="p8").count()]


def load_again(*models):
    """Dump, delete, load: the fixture's way."""
    data = serializers.serialize("json", (row for model in models for row in model.objects.all()))
    before = counts()
    with transaction.atomic():
        for model in reversed(models):
            model.objects.all().delete()
        deleted = counts()
        for item in serializers.deserialize("json", data):
            item.save()
        loaded = counts()
        transaction.set_rollback(True)
    return [before, deleted, loaded == before]


flow("fixtures loaded again")(lambda: load_again(Comment, Attachment))
flow(("+" if managed else "") + "fixtures loaded again whose keys deleted links refer to")(lambda: load_again(Tag, Post, Attachment))


def change_unique(unique):
    old = Tag._meta.get_field("name")
    new = models.TextField(unique=unique)
    new.set_attributes_from_name("name")
    new.model = Tag
    was = models.TextField(unique=not unique)
    was.set_attributes_from_name("name")
    was.model = Tag
    with connection.schema_editor() as editor:
        editor.alter_field(Tag, was, new)


@flow(("+" if managed else "") + "schema: a field that is unique no more")
def _():
    change_unique(False)
    with transaction.atomic():
        Tag.objects.create(name="red")
        transaction.set_rollback(True)


@flow("schema: a unique field")
def _():
    Tag.objects.filter(name="fresh").delete()
    change_unique(True)
    Tag.objects.create(name="red")


@flow("schema: a field more, an index, a longer one")
def _():
    field = models.IntegerField(default=7)
    field.set_attributes_from_name("stars")
    field.model = Post
    longer = models.CharField(max_length=99)
    longer.set_attributes_from_name("file")
    longer.model = Attachment
    with connection.schema_editor() as editor:
        editor.add_field(Post, field)
        editor.add_index(Post, models.Index(fields=["title"], name="post_title"))
        editor.alter_field(Attachment, Attachment._meta.get_field("file"), longer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(stars) FROM post")
        seen = cursor.fetchone()
    with connection.schema_editor() as editor:
        editor.remove_field(Post, field)
    return seen


@flow(("+" if managed else "") + "introspection: inspectdb")
def _():
    shown = io.StringIO()
    call_command("inspectdb", "tag", stdout=shown)
    return [" ".join(line.split()) for line in shown.getvalue().splitlines() if " = models." in line]


@flow(("+" if managed else "") + "introspection: constraints")
def _():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "attachment")
    return sorted([c["columns"], c["primary_key"], bool(c["foreign_key"])] for c in found.values()
                  if c["primary_key"] or c["foreign_key"] or c["unique"])


@flow("introspection: makemigrations sees no change")
def _():
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.state import ProjectState
    from django.apps import apps

    state = ProjectState.from_apps(apps)
    return MigrationAutodetector(state, state.clone())._detect_changes()


@flow(("+" if managed else "") + "flush")
def _():
    with transaction.atomic():
        call_command("flush", interactive=False, verbosity=0)
        transaction.set_rollback(True)


def restore(name, key):
    with connection.cursor() as cursor:
        cursor.execute("SELECT softdelete.restore(%s, %s)", [name, key])
        return cursor.fetchone()[0]


if managed:

    @flow("+restore of what the library cascaded")
    def _():
        kim = Author.objects.create(name="kim")
        post = Post.objects.create(author=kim, slug="kept", title="Kept")
        post.attachments.create(file="kept")
        post.tags.set(Tag.objects.filter(name__in=["red", "green"]))
        key = kim.pk
        seen = [kim.delete(), Post.objects.filter(slug="kept").count(), restore("author", key)]
        post = Post.objects.get(slug="kept")
        return seen + [post.author.name, [a.file for a in post.attachments.all()], sorted(t.name for t in post.tags.all())]

    @flow("+restore after SET_NULL, an UPDATE of the library's own")
    def _():
        post = Post.objects.get(slug="kept")
        post.comments.create(author=Author.objects.get(name="bob"), body="kept")
        key = post.pk
        post.delete()
        return [restore("post", key), Comment.objects.get(body="kept").post_id]
