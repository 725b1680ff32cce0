/*
 * client.c
 *	  libpq: parameters, prepared statements, single-row mode, pipeline mode,
 *	  COPY, cursors.
 *
 * Prints a line for each flow, its name and what libpq said, after a tab.
 * PQcmdTuples and PQcmdStatus are what drivers take their row counts from.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

static PGconn *conn;

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(conn));
	exit(1);
}

/* The rows, or the tag and the count, or the SQLSTATE and the constraint. */
static void
show(PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE)
	{
		for (int row = 0; row < PQntuples(res); row++)
		{
			printf(" (");
			for (int col = 0; col < PQnfields(res); col++)
				printf("%s%s", col > 0 ? "," : "",
					   PQgetisnull(res, row, col) ? "NULL" : PQgetvalue(res, row, col));
			printf(")");
		}
	}
	if (status == PGRES_FATAL_ERROR)
	{
		const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);

		printf(" %s", PQresultErrorField(res, PG_DIAG_SQLSTATE));
		if (constraint != NULL)
			printf(" %s", constraint);
	}
	else if (status == PGRES_PIPELINE_ABORTED)
		printf(" aborted");
	else if (status == PGRES_PIPELINE_SYNC)
		printf(" sync");
	else if (*PQcmdStatus(res) != '\0')
		printf(" [%s: %s]", PQcmdStatus(res), *PQcmdTuples(res) != '\0' ? PQcmdTuples(res) : "no count");
	PQclear(res);
}

/* Statements without parameters, ended by NULL. */
static void
flow(const char *name,...)
{
	va_list		args;
	const char *sql;

	printf("%s\t", name);
	va_start(args, name);
	while ((sql = va_arg(args, const char *)) != NULL)
		show(PQexec(conn, sql));
	va_end(args);
	printf("\n");
}

static void
flow_params(const char *name, const char *sql, int count, const char *first, const char *second)
{
	const char *values[2] = {first, second};

	printf("%s\t", name);
	show(PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0));
	printf("\n");
}

/* Whatever a sent query answers, in the order in which it arrives. */
static void
drain(void)
{
	PGresult   *res;

	while ((res = PQgetResult(conn)) != NULL)
		show(res);
}

static void
binary(void)
{
	/* an int4 in network byte order, both ways */
	const char	key[4] = {0, 0, 0, 2};
	const char *values[1] = {key};
	const int	lengths[1] = {4};
	const int	formats[1] = {1};
	const Oid	types[1] = {23};
	PGresult   *res = PQexecParams(conn, "DELETE FROM post WHERE id = $1 RETURNING id", 1, types, values, lengths, formats, 1);

	printf("binary\t%d rows of %d bytes, last %d, %s\n", PQntuples(res), PQgetlength(res, 0, 0),
		   PQntuples(res) == 1 ? PQgetvalue(res, 0, 0)[3] : -1, PQcmdTuples(res));
	PQclear(res);
}

static void
prepared(void)
{
	PGresult   *res;

	printf("prepared\t");
	show(PQprepare(conn, "gone", "DELETE FROM attachment WHERE post_id = $1 RETURNING file, post_id", 0, NULL));
	res = PQdescribePrepared(conn, "gone");
	printf(" %d parameters, %d columns of table %s", PQnparams(res), PQnfields(res),
		   PQftable(res, 0) == InvalidOid ? "none" : "attachment");
	PQclear(res);
	/* more than five times, so that the plan may become a generic one */
	for (int i = 3; i < 10; i++)
	{
		char		key[2] = {(char) ('0' + i), '\0'};
		const char *values[1] = {key};

		show(PQexecPrepared(conn, "gone", 1, values, NULL, NULL, 0));
	}
	printf("\n");
}

static void
single_row(void)
{
	printf("single-row mode\t");
	if (!PQsendQuery(conn, "SELECT id, slug FROM post ORDER BY id") || !PQsetSingleRowMode(conn))
		die("single-row mode");
	drain();
	if (!PQsendQuery(conn, "DELETE FROM post WHERE id IN (3, 4) RETURNING id") || !PQsetSingleRowMode(conn))
		die("single-row mode");
	drain();
	printf("\n");
}

static void
several_in_one(void)
{
	printf("several statements in one string\t");
	if (!PQsendQuery(conn, "DELETE FROM tag WHERE name = 'red'; SELECT name FROM tag ORDER BY id; DELETE FROM tag WHERE id < 0"))
		die("several statements");
	drain();
	printf("\n");
}

static void
pipeline(void)
{
	static const char *const batch[] = {
		"DELETE FROM post WHERE id = 5",
		"INSERT INTO post (author_id, slug, title) VALUES (1, 'p5', 'again') RETURNING slug",
		"DELETE FROM post WHERE slug = 'p5' RETURNING title",
		"SELECT count(*) FROM post",
		NULL,					/* sync */
		"DELETE FROM post WHERE id = 6",
		"SELECT 1 / 0",
		"DELETE FROM post WHERE id = 7",
		NULL,
		"SELECT id FROM post WHERE id IN (6, 7) ORDER BY id",
		NULL
	};
	const int	steps = sizeof(batch) / sizeof(batch[0]);

	printf("pipeline mode\t");
	if (!PQenterPipelineMode(conn))
		die("pipeline mode");
	for (int i = 0; i < steps; i++)
		if (!(batch[i] != NULL ? PQsendQueryParams(conn, batch[i], 0, NULL, NULL, NULL, NULL, 0) : PQpipelineSync(conn)))
			die("pipeline mode");
	for (int i = 0; i < steps; i++)
	{
		PGresult   *res = PQgetResult(conn);

		if (res == NULL)
			die("pipeline mode, no result");
		show(res);
		if (batch[i] != NULL && (res = PQgetResult(conn)) != NULL)
			die("pipeline mode, a result too many");
	}
	if (!PQexitPipelineMode(conn))
		die("pipeline mode");
	printf("\n");
}

static void
copy(void)
{
	PGresult   *res;
	char	   *buffer;
	int			length;
	static const char lines[] = "50\t8\tcopied\n51\t8\tcopied too\n";

	printf("COPY\t");
	show(PQexec(conn, "DELETE FROM attachment"));
	res = PQexec(conn, "COPY attachment FROM STDIN");
	if (PQresultStatus(res) != PGRES_COPY_IN)
		die("COPY FROM");
	printf(" %d columns", PQnfields(res));
	PQclear(res);
	if (PQputCopyData(conn, lines, sizeof(lines) - 1) != 1 || PQputCopyEnd(conn, NULL) != 1)
		die("COPY FROM");
	drain();
	show(PQexec(conn, "DELETE FROM attachment WHERE id = 50"));
	res = PQexec(conn, "COPY attachment TO STDOUT");
	printf(" %d columns:", PQnfields(res));
	PQclear(res);
	while ((length = PQgetCopyData(conn, &buffer, 0)) > 0)
	{
		printf(" %.*s", length - 1, buffer);
		PQfreemem(buffer);
	}
	drain();
	printf("\n");
}

static void
notice(void *arg, const PGresult *res)
{
	(void) arg;
	printf(" notice: %s", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
}

int
main(void)
{
	PGresult   *res;
	int			managed;

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		die("connection");
	PQsetNoticeReceiver(conn, notice, NULL);
	res = PQexec(conn, "SELECT FROM pg_extension WHERE extname = 'softdelete'");
	managed = PQntuples(res) == 1;
	PQclear(res);

	flow("create",
		 "INSERT INTO author (name) VALUES ('ada'), ('bob')",
		 "INSERT INTO post (author_id, slug, title) SELECT 1 + n % 2, 'p' || n, 'Post ' || n FROM generate_series(1, 8) n",
		 "INSERT INTO attachment (post_id, file) SELECT p, 'f' || p FROM generate_series(1, 8) p",
		 "INSERT INTO tag (name) VALUES ('red'), ('green')",
		 "INSERT INTO post_tag SELECT p, t FROM generate_series(1, 8) p, generate_series(1, 2) t", NULL);
	flow("delete", "DELETE FROM post WHERE id = 1", "DELETE FROM post WHERE id = 1", NULL);
	flow_params("delete with parameters", "DELETE FROM post WHERE slug = $1 OR title = $2", 2, "p8x", "nothing");
	flow_params("delete with parameters, RETURNING", "DELETE FROM attachment WHERE id = $1 RETURNING id, file", 1, "8", NULL);
	binary();
	prepared();
	single_row();
	several_in_one();
	pipeline();
	flow("count and list", "SELECT count(*) FROM post", "SELECT p.slug, t.name FROM post p LEFT JOIN post_tag pt ON pt.post_id = p.id "
		 "LEFT JOIN tag t ON t.id = pt.tag_id ORDER BY p.id, t.id", NULL);
	flow_params("unique again", "INSERT INTO post (author_id, slug, title) VALUES (1, $1, $2) RETURNING slug", 2, "p1", "again");
	flow_params("unique, live", "INSERT INTO post (author_id, slug, title) VALUES (1, $1, $2) RETURNING slug", 2, "p1", "twice");
	flow_params("upsert", "INSERT INTO post (author_id, slug, title) VALUES (1, $1, $2) "
				"ON CONFLICT (slug) DO UPDATE SET title = excluded.title RETURNING slug, title", 2, "p2", "upserted");
	flow_params("upsert again", "INSERT INTO post (author_id, slug, title) VALUES (1, $1, $2) "
				"ON CONFLICT ON CONSTRAINT post_slug_key DO UPDATE SET title = excluded.title RETURNING slug, title",
				2, "p2", "updated");
	flow("M:N remove, add", "DELETE FROM post_tag WHERE post_id = 6 AND tag_id = 2", "INSERT INTO post_tag VALUES (6, 2)",
		 "DELETE FROM post_tag WHERE post_id = 6", "INSERT INTO post_tag VALUES (6, 2) ON CONFLICT DO NOTHING",
		 "SELECT post_id, tag_id FROM post_tag WHERE post_id = 6", NULL);
	flow("save what is gone", "UPDATE post SET title = 'late' WHERE id = 1", "INSERT INTO attachment (post_id, file) VALUES (1, 'late')", NULL);
	flow("savepoint", "BEGIN", "DELETE FROM author WHERE id = 1", "SAVEPOINT s", "DELETE FROM author", "SELECT 1 / 0",
		 "ROLLBACK TO s", "SELECT name FROM author", "ROLLBACK", "SELECT count(*) FROM author", NULL);
	flow("cursor", "BEGIN", "DECLARE c SCROLL CURSOR FOR SELECT id FROM post ORDER BY id", "FETCH 2 FROM c",
		 "DELETE FROM post WHERE id > 6", "FETCH ALL c", "FETCH BACKWARD 1 FROM c", "CLOSE c", "ROLLBACK", NULL);
	flow("WHERE CURRENT OF", "BEGIN", "DECLARE c CURSOR FOR SELECT id FROM post WHERE id > 5 FOR UPDATE", "FETCH c",
		 "DELETE FROM post WHERE CURRENT OF c", "UPDATE post SET title = 'x' WHERE CURRENT OF c", "ROLLBACK", NULL);
	copy();
	flow("optimistic locking", "UPDATE post SET version = version + 1 WHERE id = 6 AND version = 1",
		 "DELETE FROM post WHERE id = 6 AND version = 1", "DELETE FROM post WHERE id = 6 AND version = 2", NULL);
	if (managed)
	{
		flow("+state", "SELECT softdelete.state('post', 6), softdelete.state('post', 7)", NULL);
		flow_params("+restore with a text parameter", "SELECT softdelete.restore('post', $1)", 1, "6", NULL);
		flow("+everything is there again", "SELECT slug, version FROM post WHERE id = 6",
			 "SELECT tag_id FROM post_tag WHERE post_id = 6", NULL);
		flow("+restore what is live", "SELECT softdelete.restore('post', 6)", NULL);
		flow("+delete function", "SELECT softdelete.delete('post', 6) > 0", "SELECT count(*) FROM post WHERE id = 6", NULL);
		flow("+TRUNCATE", "TRUNCATE post_tag", NULL);
	}
	PQfinish(conn);
	return 0;
}
