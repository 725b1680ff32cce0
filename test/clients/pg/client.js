'use strict';
// node-postgres: queries, parameters, named statements, cursors, streams, COPY.
const { once } = require('events');
const { pipeline } = require('stream/promises');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');
const { Readable } = require('stream');
const { flow, main, managed } = require('../node/forum');

main(async () => {
	const pool = new Pool({ max: 2 });
	const client = new Client();
	await client.connect();
	const q = async (text, values) => {
		const r = await client.query(text, values);
		return r.rows.length ? [r.command, r.rowCount, r.rows] : [r.command, r.rowCount];
	};

	await flow('create', async () => [
		await q("INSERT INTO author (name) VALUES ('ada'), ('bob')"),
		await q("INSERT INTO post (author_id, slug, title) SELECT 1 + n % 2, 'p' || n, 'Post ' || n FROM generate_series(1, 8) n"),
		await q("INSERT INTO attachment (post_id, file) SELECT p, 'f' || p FROM generate_series(1, 8) p"),
		await q("INSERT INTO tag (name) VALUES ('red'), ('green')"),
		await q('INSERT INTO post_tag SELECT p, t FROM generate_series(1, 8) p, generate_series(1, 2) t'),
	]);
	await flow('delete by key', () => q('DELETE FROM post WHERE id = $1', [1]));
	await flow('delete again', () => q('DELETE FROM post WHERE id = $1', [1]));
	await flow('delete by query', () => q('DELETE FROM post WHERE id = ANY ($1) AND title LIKE $2 RETURNING slug', [[2, 3, 99], 'Post%']));
	await flow('list', () => q('SELECT id, slug, version FROM post ORDER BY id'));
	await flow('rows as arrays', async () =>
		(await client.query({ text: 'SELECT id, slug FROM post ORDER BY id', rowMode: 'array' })).rows);
	await flow('count', () => q('SELECT count(*)::int FROM post_tag'));
	await flow('children', () => q("SELECT p.id, json_agg(a.file) FROM post p JOIN attachment a ON a.post_id = p.id GROUP BY p.id ORDER BY p.id"));
	await flow('named statement', async () => {
		const gone = [];
		for (let id = 1; id <= 8; id++)
			gone.push((await client.query({ name: 'gone', text: 'DELETE FROM attachment WHERE post_id = $1 AND post_id > 5', values: [id] })).rowCount);
		return gone;
	});
	await flow('several statements', async () =>
		(await client.query("DELETE FROM tag WHERE name = 'red'; SELECT name FROM tag; DELETE FROM tag WHERE id < 0"))
			.map((r) => [r.command, r.rowCount]));
	await flow('unique again', () => q("INSERT INTO post (author_id, slug, title) VALUES (1, $1, $1) RETURNING slug", ['p1']));
	await flow('unique, live', () => q("INSERT INTO post (author_id, slug, title) VALUES (1, $1, $1) RETURNING slug", ['p1']));
	await flow('upsert', () => q(`INSERT INTO post (author_id, slug, title) VALUES (1, 'p2', 'new'), (1, 'p4', 'new')
		ON CONFLICT (slug) DO UPDATE SET title = excluded.title, version = post.version + 1 RETURNING slug, title, version`));
	await flow('find or create', () => q(`WITH made AS (INSERT INTO tag (name) VALUES ('red') ON CONFLICT DO NOTHING RETURNING name)
		SELECT name FROM made UNION SELECT name FROM tag WHERE name = 'red'`));
	await flow('M:N remove, add', async () => [
		await q('DELETE FROM post_tag WHERE post_id = 4 AND tag_id = 2'),
		await q('INSERT INTO post_tag VALUES (4, 2)'),
		await q('DELETE FROM post_tag WHERE post_id = 4'),
		await q('INSERT INTO post_tag VALUES (4, 2) ON CONFLICT DO NOTHING'),
		await q('SELECT post_id, tag_id FROM post_tag WHERE post_id = 4'),
	]);
	await flow('save what is gone', () => q("UPDATE post SET title = 'late' WHERE id = 1 RETURNING id"));
	await flow('child of what is gone', () => q("INSERT INTO attachment (post_id, file) VALUES (1, 'late')"));
	await flow('optimistic locking', async () => [
		await q('UPDATE post SET version = version + 1 WHERE id = 5 AND version = 1'),
		await q('DELETE FROM post WHERE id = 5 AND version = 1'),
	]);
	await flow('savepoint', async () => {
		const seen = [];
		await client.query('BEGIN');
		await client.query('DELETE FROM author WHERE id = 1');
		await client.query('SAVEPOINT s');
		await client.query('DELETE FROM author');
		seen.push(await q('SELECT count(*)::int FROM author'));
		await client.query('ROLLBACK TO s');
		seen.push(await q('SELECT name FROM author'));
		await client.query('ROLLBACK');
		seen.push(await q('SELECT count(*)::int FROM post'));
		return seen;
	});
	await flow('two connections', async () => {
		const one = await pool.connect(), two = await pool.connect();
		await one.query('BEGIN');
		await one.query('DELETE FROM post WHERE id = 8');
		const before = (await two.query('SELECT count(*)::int AS n FROM post WHERE id = 8')).rows[0].n;
		const blocked = two.query('DELETE FROM post WHERE id = 8');
		await one.query('COMMIT');
		const after = (await blocked).rowCount;
		one.release();
		two.release();
		return [before, after];
	});
	await flow('cursor', async () => {
		const seen = [];
		await client.query('BEGIN');
		const cursor = client.query(new Cursor('SELECT slug FROM post ORDER BY id'));
		seen.push((await cursor.read(2)).map((r) => r.slug));
		seen.push((await cursor.read(9)).map((r) => r.slug));
		await cursor.close();
		const gone = client.query(new Cursor('DELETE FROM post WHERE id > 5 RETURNING slug'));
		seen.push((await gone.read(9)).map((r) => r.slug));
		await gone.close();
		await client.query('ROLLBACK');
		return seen;
	});
	await flow('stream', async () => {
		const seen = [];
		for await (const row of client.query(new QueryStream('SELECT slug FROM post ORDER BY id', [], { batchSize: 1 })))
			seen.push(row.slug);
		return seen;
	});
	await flow('COPY', async () => {
		await client.query('DELETE FROM attachment');
		await pipeline(Readable.from(['50\t4\tcopied\n', '51\t4\tcopied too\n']), client.query(copyFrom('COPY attachment FROM STDIN')));
		await client.query('DELETE FROM attachment WHERE id = 50');
		let text = '';
		for await (const chunk of client.query(copyTo('COPY attachment TO STDOUT'))) text += chunk;
		return text;
	});
	await flow('LISTEN of a trigger', async () => {
		await client.query(`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM pg_notify(''gone'', OLD.name); RETURN NULL; END'`);
		await client.query('CREATE TRIGGER tell AFTER DELETE ON tag FOR EACH ROW EXECUTE FUNCTION tell()');
		await client.query('LISTEN gone');
		const told = once(client, 'notification');
		await client.query("DELETE FROM tag WHERE name = 'green'");
		return (await told)[0].payload;
	});

	if (await managed()) {
		await flow('+restore', async () => [
			await q("INSERT INTO author (id, name) VALUES (9, 'eve')"),
			await q("INSERT INTO post (id, author_id, slug, title) VALUES (90, 9, 'p90', 'Post 90')"),
			await q("INSERT INTO attachment (id, post_id, file) VALUES (90, 90, 'f90')"),
			await q('DELETE FROM author WHERE id = $1', [9]),
			await q('SELECT softdelete.state($1, $2)', ['post', 90]),
			await q('SELECT softdelete.restore($1, $2)', ['author', 9]),
			await q('SELECT slug, file FROM author a JOIN post p ON a.id = p.author_id JOIN attachment f ON f.post_id = p.id WHERE a.id = 9'),
		]);
		await flow('+undo', async () => {
			const id = (await client.query('SELECT softdelete.delete($1, $2) AS id', ['author', 9])).rows[0].id;
			return [await q('SELECT softdelete.undo($1)', [id]), await q('SELECT count(*)::int FROM post WHERE author_id = 9')];
		});
		await flow('+delete_many', () =>
			q('SELECT key, outcome FROM softdelete.delete_many($1, $2::int[])', ['post', [90, 1, 99]]));
		await flow('+who and why', async () => {
			await client.query("SELECT set_config('softdelete.actor', $1, false), set_config('softdelete.reason', $2, false)", ['ada@example.com', 'spam']);
			await client.query('DELETE FROM author WHERE id = 9');
			return q("SELECT actor, reason FROM softdelete.deletions ORDER BY id DESC LIMIT 1");
		});
		await flow('+SELECT *', async () => (await client.query('SELECT * FROM tag')).fields.map((f) => f.name));
	}
	await client.end();
	await pool.end();
});
