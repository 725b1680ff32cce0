"""SQLAlchemy: sessions, relationships and their cascades, versioned rows, upserts, cursors; Alembic's comparison."""

import sys

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, ForeignKey, Integer, Text, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload, subqueryload

from flow import flow, managed

engine = sa.create_engine("postgresql+psycopg2://", future=True)
Base = declarative_base()

post_tag = sa.Table(
    "post_tag",
    Base.metadata,
    Column("post_id", ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Author(Base):
    __tablename__ = "author"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)
    posts = relationship("Post", back_populates="author", passive_deletes=True, order_by="Post.id")


class Post(Base):
    __tablename__ = "post"
    id = Column(Integer, primary_key=True)
    author_id = Column(ForeignKey("author.id", ondelete="CASCADE"), index=True)
    slug = Column(Text, nullable=False, unique=True)
    title = Column(Text, nullable=False)
    version = Column(Integer, nullable=False)
    author = relationship(Author, back_populates="posts")
    # the library deletes attachments itself; it leaves an author's posts to the database
    attachments = relationship("Attachment", back_populates="post", cascade="all, delete-orphan", order_by="Attachment.id")
    tags = relationship("Tag", secondary=post_tag, back_populates="posts", order_by="Tag.name")
    __mapper_args__ = {"version_id_col": version}


class Attachment(Base):
    __tablename__ = "attachment"
    id = Column(Integer, primary_key=True)
    post_id = Column(ForeignKey("post.id", ondelete="CASCADE"), nullable=False, index=True)
    file = Column(Text, nullable=False)
    post = relationship(Post, back_populates="attachments")


class Tag(Base):
    __tablename__ = "tag"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False, unique=True)
    posts = relationship(Post, secondary=post_tag, back_populates="tags")


if sys.argv[1:] == ["schema"]:
    Base.metadata.create_all(engine)
    sys.exit()


def counts(session):
    return [session.scalar(select(func.count()).select_from(t)) for t in (Author, Post, Attachment, Tag, post_tag)]


def post(session, slug):
    return session.scalars(select(Post).where(Post.slug == slug)).one_or_none()


@flow("create")
def _():
    with Session(engine) as session, session.begin():
        tags = [Tag(name=name) for name in ("red", "green", "blue")]
        authors = [Author(name=name) for name in ("ada", "bob")]
        session.add_all(authors + tags)
        for n in range(1, 9):
            files = [Attachment(file=f"f{n}{i}") for i in (1, 2)]
            session.add(Post(author=authors[n % 2], slug=f"p{n}", title=f"Post {n}", attachments=files, tags=tags))
        session.flush()
        return counts(session)


@flow("delete by object: the library's own cascades")
def _():
    statements = []

    def watch(connection, cursor, statement, *rest):
        statements.append([" ".join(statement.split()[:3]), cursor.rowcount])

    with Session(engine) as session, session.begin():
        sa.event.listen(engine, "after_cursor_execute", watch)
        try:
            session.delete(post(session, "p1"))
            session.flush()
        finally:
            sa.event.remove(engine, "after_cursor_execute", watch)
        return [[s for s in statements if s[0].startswith("DELETE")], counts(session)]


@flow("delete by query")
def _():
    with Session(engine) as session, session.begin():
        done = session.execute(delete(Post).where(Post.slug.in_(["p2", "p3", "p99"])))
        returned = session.execute(delete(Attachment).where(Attachment.file == "f41").returning(Attachment.file))
        legacy = session.query(Attachment).filter(Attachment.file == "f42").delete(synchronize_session="fetch")
        return [done.rowcount, returned.scalars().all(), legacy, counts(session)]


@flow("list")
def _():
    with Session(engine) as session:
        return [session.execute(select(Post.slug, Post.version).order_by(Post.id)).all(), session.get(Post, 1) is None,
                session.query(session.query(Post).filter_by(slug="p1").exists()).scalar()]


@flow("count")
def _():
    with Session(engine) as session:
        return [session.query(Post).count(), session.query(Attachment).join(Post).filter(Post.slug < "p6").count(), counts(session)]


@flow("eager loading")
def _():
    seen = []
    for load in (joinedload, selectinload, subqueryload):
        with Session(engine) as session:
            query = select(Author).order_by(Author.id).options(
                load(Author.posts).options(load(Post.attachments), load(Post.tags)))
            seen.append([[a.name, [[p.slug, len(p.attachments), [t.name for t in p.tags]] for p in a.posts]]
                         for a in session.scalars(query).unique()])
    return [seen[0], seen[1] == seen[0], seen[2] == seen[0]]


@flow("outer join, none of them")
def _():
    with Session(engine) as session:
        return session.execute(
            select(Post.slug).outerjoin(Attachment).where(Attachment.id.is_(None)).order_by(Post.slug)).scalars().all() + \
            session.execute(select(Post.slug).where(~Post.attachments.any())).scalars().all()


@flow("cascade of the database")
def _():
    with Session(engine) as session, session.begin():
        author = Author(name="eve", posts=[Post(slug="e1", title="E", attachments=[Attachment(file="e")])])
        session.add(author)
        session.flush()
        session.expire(author)
        session.delete(author)
        session.flush()
        return counts(session)


@flow("optimistic locking")
def _():
    def lose(change):
        with Session(engine) as one, Session(engine) as two:
            mine, other = post(one, "p5"), post(two, "p5")
            other.title += "!"
            two.commit()
            change(one, mine)
            one.commit()

    seen = []
    for change in (lambda s, p: s.delete(p), lambda s, p: setattr(p, "title", "lost")):
        try:
            lose(change)
        except Exception as error:
            seen.append(type(error).__name__)
    return seen


@flow("unique again")
def _():
    with Session(engine) as session, session.begin():
        session.add(Post(slug="p1", title="again"))
        session.add(Tag(id=77, name="loose"))
        session.flush()
        session.execute(delete(Tag).where(Tag.id == 77))
        session.add(Tag(id=77, name="loose"))
        session.flush()
        return counts(session)


@flow("unique, live")
def _():
    with Session(engine) as session, session.begin():
        session.add(Post(slug="p1", title="twice"))


@flow("key again")
def _():
    with Session(engine) as session, session.begin():
        old = Post(slug="leaf", title="leaf")
        session.add(old)
        session.flush()
        key = old.id
        session.delete(old)
        session.flush()
        session.add(Post(id=key, slug="leaf", title="new"))
        session.flush()
        return post(session, "leaf").id == key


@flow(("+" if managed else "") + "key again, while children that were deleted refer to it")
def _():
    with Session(engine) as session:
        old = post(session, "p6")
        key = old.id
        session.delete(old)
        session.flush()
        session.add(Post(id=key, slug="p6", title="new"))
        session.flush()
        seen = post(session, "p6").title
        session.rollback()
        return seen


@flow("upsert")
def _():
    with Session(engine) as session, session.begin():
        rows = [dict(slug=slug, title="upserted", version=1) for slug in ("p2", "p4")]
        query = insert(Post).values(rows)
        by_column = query.on_conflict_do_update(index_elements=["slug"], set_=dict(title=query.excluded.title, version=Post.version + 1))
        by_name = query.on_conflict_do_update(constraint="post_slug_key", set_=dict(title="by name"))
        seen = [session.execute(q.returning(Post.slug, Post.version)).all() for q in (by_column, by_name)]
        nothing = insert(Post).values(dict(slug="p3", title="new", version=1)).on_conflict_do_nothing()
        return seen + [session.execute(nothing).rowcount, session.execute(nothing).rowcount]


@flow("find or create")
def _():
    seen = []
    for _ in range(2):
        with Session(engine) as session, session.begin():
            tag = session.scalars(select(Tag).where(Tag.name == "new")).one_or_none()
            seen.append(tag is None)
            if tag is None:
                session.add(Tag(name="new"))
                session.flush()
                session.execute(delete(Tag).where(Tag.name == "new"))
    return seen


@flow("merge")
def _():
    with Session(engine) as session, session.begin():
        gone = session.merge(Tag(id=77, name="merged"))
        session.flush()
        session.delete(gone)
        session.flush()
        session.merge(Tag(id=77, name="merged again"))
        session.flush()
        return session.scalars(select(Tag.name).order_by(Tag.name)).all()


@flow("M:N remove and add")
def _():
    seen = []
    for change in (
        lambda p, tags: p.tags.remove(tags[0]),
        lambda p, tags: p.tags.append(tags[0]),
        lambda p, tags: p.tags.clear(),
        lambda p, tags: p.tags.extend(tags),
    ):
        with Session(engine) as session, session.begin():
            tags = session.scalars(select(Tag).where(Tag.name.in_(["red", "green"])).order_by(Tag.name)).all()
            change(post(session, "p7"), tags)
            session.flush()
            session.expire_all()
            seen.append([t.name for t in post(session, "p7").tags])
    return seen


@flow("save of a row deleted meanwhile")
def _():
    with Session(engine) as session:
        stale = post(session, "p2")
        with Session(engine) as other, other.begin():
            other.delete(post(other, "p2"))
        stale.title = "late"
        session.commit()


@flow("delete, refresh of a row deleted meanwhile")
def _():
    seen = []
    for act in (lambda s, p: s.delete(p), lambda s, p: s.refresh(p)):
        with Session(engine) as session:
            session.add(Post(slug="stale", title="stale"))
            session.commit()
            stale = post(session, "stale")
            with engine.begin() as other:
                other.execute(text("DELETE FROM post WHERE slug = 'stale'"))
            try:
                act(session, stale)
                session.commit()
                seen.append("done")
            except Exception as error:
                seen.append(type(error).__name__)
    return seen


@flow("child of a row deleted meanwhile")
def _():
    with Session(engine) as session, session.begin():
        session.add(Attachment(post_id=1, file="late"))


@flow("savepoints")
def _():
    with Session(engine) as session:
        session.delete(post(session, "p8"))
        session.flush()
        try:
            with session.begin_nested():
                session.execute(delete(Author))
                seen = counts(session)
                session.execute(text("SELECT 1 / 0"))
        except sa.exc.DataError:
            pass
        inner = counts(session)
        session.rollback()
        return [seen, inner, counts(session)]


@flow("prepared statements")
def _():
    with engine.begin() as connection:
        connection.execute(text("PREPARE gone (int) AS DELETE FROM attachment WHERE post_id = $1"))
        return [connection.execute(text(f"EXECUTE gone ({n})")).rowcount for n in (7, 7, 1, 2, 3, 4, 5, 7)]


@flow("many parameter sets")
def _():
    with engine.begin() as connection:
        done = connection.execute(sa.text("DELETE FROM tag WHERE name = :name"), [dict(name="new"), dict(name="blue")])
        return [done.rowcount, connection.scalar(select(func.count()).select_from(Tag))]


@flow("server-side cursor")
def _():
    with Session(engine) as session:
        rows = session.execute(select(Post.slug).order_by(Post.id).execution_options(stream_results=True, max_row_buffer=2))
        first = rows.fetchmany(2)
        session.execute(delete(Post).where(Post.slug == "p8"))
        rest = rows.all()
        left = session.query(Post).filter_by(slug="p8").count()
        session.commit()
        return [first, rest, left]


@flow(("+" if managed else "") + "introspection: automap")
def _():
    base = automap_base()
    base.prepare(engine, reflect=True)
    with Session(engine) as session:
        return [sorted(base.classes.keys()), session.query(base.classes.post).count()]


def difference(change):
    """What Alembic would do, as words."""
    if isinstance(change, list):
        return [word for part in change for word in difference(part)]
    kind, *what = change
    last = what[-1]
    return [" ".join([kind, getattr(getattr(last, "table", None), "name", ""), getattr(last, "name", None) or ""])]


def compare(**options):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return sorted(word for change in compare_metadata(context, Base.metadata) for word in difference(change))


def live_keys():
    """Table, columns of the unique keys that hold for live rows: indexes with a condition."""
    with engine.connect() as connection:
        return set(connection.execute(text("""
            SELECT i.indrelid::regclass::text, string_agg(a.attname, ' ')
              FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
             WHERE i.indisunique AND i.indpred IS NOT NULL GROUP BY i.indexrelid, 1""")).all())


def without_softdelete(item, name, kind, reflected, to):
    """include_object for an application's env.py: passes over what enable() adds or makes again."""
    if kind == "column":
        return not (reflected and to is None and name in ("deleted_at", "deletion_id"))
    if kind == "index" and reflected and name.endswith("_deleted_idx"):
        return False
    if kind == "index" and reflected or kind == "unique_constraint" and not reflected:
        return (item.table.name, " ".join(column.name for column in item.columns)) not in live_keys()
    return True


flow(("+" if managed else "") + "introspection: Alembic's comparison")(compare)
flow("introspection: with an include_object")(lambda: compare(include_object=without_softdelete))

if managed:

    @flow("+restore of what the database cascaded")
    def _():
        with Session(engine) as session:
            author = Author(name="kim", posts=[Post(slug="kept", title="K", attachments=[Attachment(file="k")],
                                                    tags=[session.query(Tag).first()])])
            session.add(author)
            session.commit()
            key = author.id
            session.delete(author)
            session.commit()
            seen = [session.get(Author, key), post(session, "kept")]
            seen.append(session.scalar(select(func.softdelete.restore(text("'author'"), key))))
            session.commit()
            kept = session.get(Author, key).posts[0]
            return seen + [kept.slug, [a.file for a in kept.attachments], len(kept.tags)]

    @flow("+restore of what the library cascaded")
    def _():
        with Session(engine) as session:
            kept = post(session, "kept")
            key = kept.id
            session.delete(kept)
            session.commit()
            seen = [post(session, "kept"), session.scalar(select(func.softdelete.restore(text("'post'"), key)))]
            session.commit()
            kept = session.get(Post, key)
            return seen + [kept.slug, [a.file for a in kept.attachments], len(kept.tags)]
