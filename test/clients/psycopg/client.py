"""psycopg 3: parameters, executemany, pipelines, prepared statements, transactions, cursors, COPY, row factories."""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row, dict_row

from flow import flow, managed

connection = psycopg.connect(autocommit=True)


def q(query, *values):
    """Tag, count and rows of one statement."""
    done = connection.execute(query, values or None)
    return [done.statusmessage, done.rowcount, done.fetchall() if done.description else []]


@flow("create")
def _():
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO author (name) VALUES (%s)", [("ada",), ("bob",)])
        cursor.executemany(
            "INSERT INTO post (author_id, slug, title) VALUES (%s, %s, %s) RETURNING id",
            [(1 + n % 2, f"p{n}", f"Post {n}") for n in range(1, 9)],
            returning=True,
        )
        ids = [cursor.fetchone()[0]]
        while cursor.nextset():
            ids.append(cursor.fetchone()[0])
    q("INSERT INTO attachment (post_id, file) SELECT p, 'f' || p || f FROM generate_series(1, 8) p, generate_series(1, 2) f")
    q("INSERT INTO tag (name) VALUES ('red'), ('green'), ('blue')")
    q("INSERT INTO post_tag SELECT p, t FROM generate_series(1, 8) p, generate_series(1, 3) t")
    return ids


@flow("delete by object")
def _():
    return [q("DELETE FROM post WHERE id = %s", 1) for _ in range(2)]


@flow("delete by query")
def _():
    return q("DELETE FROM post WHERE id = ANY (%s) AND title LIKE %s RETURNING slug", [2, 3, 99], "Post%")


@flow("list")
def _():
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT id, slug, version FROM post ORDER BY id").fetchall()


@flow("count")
def _():
    return [q(f"SELECT count(*) FROM {table}")[2] for table in ("author", "post", "attachment", "tag", "post_tag")]


@flow("eager loading")
def _():
    return q(
        """SELECT p.slug, array_agg(DISTINCT a.file ORDER BY a.file), array_agg(DISTINCT t.name ORDER BY t.name)
           FROM post p LEFT JOIN attachment a ON a.post_id = p.id
           LEFT JOIN post_tag pt ON pt.post_id = p.id LEFT JOIN tag t ON t.id = tag_id GROUP BY p.id ORDER BY p.id"""
    )


@flow("cascades of its own")
def _():
    with connection.transaction():
        return [
            q("DELETE FROM attachment WHERE post_id = 4"),
            q("DELETE FROM post_tag WHERE post_id = 4"),
            q("DELETE FROM post WHERE id = 4"),
        ]


@flow("pipeline")
def _():
    with connection.pipeline():
        cursors = [connection.execute("DELETE FROM attachment WHERE file = %s", (file,)) for file in ("f51", "f51", "f52")]
        left = connection.execute("SELECT count(*) FROM attachment WHERE post_id = 5")
    return [[c.rowcount for c in cursors], left.fetchone()]


@flow("unique again")
def _():
    return [q("INSERT INTO post (author_id, slug, title) VALUES (1, 'p1', 'again') RETURNING slug, title")]


@flow("unique, live")
def _():
    return q("INSERT INTO post (author_id, slug, title) VALUES (1, 'p1', 'twice')")


@flow("upsert")
def _():
    return [
        q(
            """INSERT INTO post (author_id, slug, title) VALUES (1, %s, 'upserted') ON CONFLICT (slug)
               DO UPDATE SET title = excluded.title, version = post.version + 1 RETURNING slug, title, version""",
            slug,
        )
        for slug in ("p2", "p5")
    ] + [q("INSERT INTO post (author_id, slug, title) VALUES (1, 'p3', 'new') ON CONFLICT ON CONSTRAINT post_slug_key DO NOTHING")]


@flow("find or create")
def _():
    q("DELETE FROM tag WHERE name = 'blue'")
    return [q("INSERT INTO tag (name) VALUES ('blue') ON CONFLICT DO NOTHING RETURNING name") for _ in range(2)]


@flow("M:N remove and add")
def _():
    return [
        q("DELETE FROM post_tag WHERE post_id = 5 AND tag_id = 1"),
        q("INSERT INTO post_tag VALUES (5, 1)"),
        q("DELETE FROM post_tag WHERE post_id = 5"),
        q("INSERT INTO post_tag VALUES (5, 1), (5, 2) ON CONFLICT DO NOTHING"),
        q("SELECT tag_id FROM post_tag WHERE post_id = 5 ORDER BY 1"),
    ]


@flow("save of a row deleted meanwhile")
def _():
    return q("UPDATE post SET title = 'late' WHERE id = 1 RETURNING id")


@flow("child of a row deleted meanwhile")
def _():
    return q("INSERT INTO attachment (post_id, file) VALUES (1, 'late')")


@flow("optimistic locking")
def _():
    return [
        q("UPDATE post SET version = version + 1 WHERE id = 6 AND version = 1"),
        q("DELETE FROM post WHERE id = 6 AND version = 1"),
    ]


@flow("serialization failure")
def _():
    with psycopg.connect() as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT count(*) FROM post")
        q("UPDATE post SET title = 'meanwhile' WHERE id = 6")
        other.execute("DELETE FROM post WHERE id = 6")


@flow("savepoints")
def _():
    seen = []
    with connection.transaction():
        q("DELETE FROM author WHERE id = 1")
        try:
            with connection.transaction():
                seen.append(q("DELETE FROM author"))
                raise psycopg.Rollback
        except psycopg.Rollback:
            pass
        seen.append(q("SELECT name FROM author"))
        raise psycopg.Rollback
    return seen


@flow("rolled back")
def _():
    return q("SELECT count(*) FROM author")


@flow("prepared statements")
def _():
    counts = []
    for post in range(1, 9):
        counts.append(connection.execute("DELETE FROM attachment WHERE post_id = %s AND file LIKE 'f_1'", (post,), prepare=True).rowcount)
    return counts + connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'DELETE%'").fetchall()


@flow("server-side cursor")
def _():
    with connection.transaction():
        with connection.cursor("posts", scrollable=True) as cursor:
            cursor.execute("SELECT slug FROM post ORDER BY id")
            first = cursor.fetchmany(2)
            q("DELETE FROM post WHERE slug = 'p7'")
            return [first, cursor.fetchall(), q("SELECT count(*) FROM post WHERE slug = 'p7'")]


@flow("COPY")
def _():
    with connection.cursor() as cursor:
        with cursor.copy("COPY tag TO STDOUT") as copy:
            rows = list(copy.rows())
        with cursor.copy("COPY tag FROM STDIN") as copy:
            copy.write_row((50, "copied"))
    return [rows, q("SELECT id, name FROM tag ORDER BY id")]


@dataclass
class Tag:
    id: int
    name: str


@flow("rows as objects")
def _():
    with connection.cursor(row_factory=class_row(Tag)) as cursor:
        return [tag.name for tag in cursor.execute("SELECT id, name FROM tag ORDER BY id")]


@flow("two-phase commit")
def _():
    with psycopg.connect() as other:
        xid = other.xid(1, "softdelete", "test")
        other.tpc_begin(xid)
        other.execute("DELETE FROM tag WHERE id = 50")
        other.tpc_prepare()
        before = q("SELECT count(*) FROM tag")
        other.tpc_commit()
    return [before, q("SELECT count(*) FROM tag")]


@flow(("+" if managed else "") + "SELECT * and introspection")
def _():
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute("SELECT * FROM tag ORDER BY id").fetchone())


if managed:

    @flow("+restore")
    def _():
        author = q("INSERT INTO author (name) VALUES ('eve') RETURNING id")[2][0][0]
        post = q("INSERT INTO post (author_id, slug, title) VALUES (%s, 'kept', 'Kept') RETURNING id", author)[2][0][0]
        q("INSERT INTO attachment (post_id, file) VALUES (%s, 'kept')", post)
        q("INSERT INTO post_tag VALUES (%s, 1)", post)
        with connection.transaction():
            q("SELECT set_config('softdelete.actor', %s, true), set_config('softdelete.reason', %s, true)", "ada@example.com", "spam")
            q("DELETE FROM author WHERE id = %s", author)
        return [
            q("SELECT target::text, actor, reason FROM softdelete.trash('author') WHERE key = %s::jsonb", f'{{"id": {author}}}'),
            q("SELECT count(*) FROM post WHERE id = %s", post),
            q("SELECT softdelete.restore('author', %s)", author),
            q(
                """SELECT name, slug, file, tag_id FROM author JOIN post p ON author_id = author.id
                   JOIN attachment a ON a.post_id = p.id JOIN post_tag t ON t.post_id = p.id WHERE slug = 'kept'"""
            ),
        ]

    @flow("+undo of a transaction that deleted the children first")
    def _():
        with connection.transaction():
            q("DELETE FROM attachment WHERE file = 'kept'")
            q("DELETE FROM post WHERE slug = 'kept'")
        return [
            q("SELECT softdelete.undo(max(id)) FROM softdelete.deletions"),
            q("SELECT slug, file FROM post JOIN attachment ON post_id = post.id WHERE slug = 'kept'"),
        ]
