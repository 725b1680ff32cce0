'use strict';
// Drizzle: query builder, relational queries, transactions, drizzle-kit's push.
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { and, asc, count, eq, gt, inArray, relations, sql: raw } = require('drizzle-orm');
const { drizzle } = require('drizzle-orm/node-postgres');
const { Pool } = require('pg');
const { flow, main, managed, url } = require('../node/forum');
const tables = require('./tables');

const { author, post, attachment, tag, postTag } = tables;
const authorRelations = relations(author, ({ many }) => ({ posts: many(post) }));
const postRelations = relations(post, ({ one, many }) => ({
	author: one(author, { fields: [post.authorId], references: [author.id] }),
	attachments: many(attachment),
	postTags: many(postTag),
}));
const attachmentRelations = relations(attachment, ({ one }) => ({ post: one(post, { fields: [attachment.postId], references: [post.id] }) }));
const postTagRelations = relations(postTag, ({ one }) => ({
	post: one(post, { fields: [postTag.postId], references: [post.id] }),
	tag: one(tag, { fields: [postTag.tagId], references: [tag.id] }),
}));
const pool = new Pool({ max: 2 });
const db = drizzle(pool, { schema: { ...tables, authorRelations, postRelations, attachmentRelations, postTagRelations } });

// kit(command): drizzle-kit as a developer runs it; the SQL that it shows, and how it ended
const kit = (...command) => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drizzle-'));
	const config = { dialect: 'postgresql', schema: require.resolve('./tables'), out: 'out', dbCredentials: { url: url() } };
	fs.writeFileSync(path.join(folder, 'drizzle.config.json'), JSON.stringify(config));
	const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve('drizzle-kit').replace(/index\.js$/, 'bin.cjs'), ...command],
		{ cwd: folder, encoding: 'utf8', timeout: 60000 });
	fs.rmSync(folder, { recursive: true });
	if (process.env.DEBUG) console.error(stdout, stderr);
	const sql = (stdout + stderr).split('\n').filter((line) => /^ *(ALTER|CREATE|DROP|TRUNCATE) /.test(line)).map((line) => line.trim());
	const code = /code: '(\w{5})'/.exec(stdout + stderr);
	const asks = /You're about to [^?]*\?/.exec(stdout + stderr);
	return { status, code: code ? code[1] : null, sql, asks: asks ? asks[0].replace(/\s+/g, ' ') : null };
};

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);
	const slugs = async (from = db) => (await from.select({ slug: post.slug }).from(post).orderBy(post.id)).map((p) => p.slug);

	await flow('create', async () => [
		await db.insert(author).values([{ name: 'ada' }, { name: 'bob' }]).returning({ id: author.id }),
		(await db.insert(post).values(n(8).map((i) => ({ authorId: 1 + (i % 2), slug: `p${i}`, title: `Post ${i}` })))).rowCount,
		(await db.insert(attachment).values(n(8).map((i) => ({ postId: i, file: `f${i}` })))).rowCount,
		await db.insert(tag).values([{ name: 'red' }, { name: 'green' }]).returning(),
		(await db.insert(postTag).values(n(8).flatMap((p) => n(2).map((t) => ({ postId: p, tagId: t }))))).rowCount,
	]);
	await flow('delete', async () => (await db.delete(post).where(eq(post.id, 1))).rowCount);
	await flow('delete again', async () => (await db.delete(post).where(eq(post.id, 1))).rowCount);
	await flow('delete returning', () => db.delete(post).where(inArray(post.slug, ['p2', 'p3'])).returning());
	await flow('delete by sub-query', async () => (await db.delete(attachment)
		.where(inArray(attachment.postId, db.select({ id: post.id }).from(post).where(eq(post.slug, 'p8'))))).rowCount);
	await flow('list', () => slugs());
	await flow('$count, count()', async () => [await db.$count(postTag), await db.select({ n: count() }).from(post).where(gt(post.id, 4))]);
	await flow('join', () => db.select({ slug: post.slug, author: author.name, file: attachment.file }).from(post)
		.innerJoin(author, eq(author.id, post.authorId)).leftJoin(attachment, eq(attachment.postId, post.id)).orderBy(post.id));
	await flow('relational query', () => db.query.post.findMany({
		columns: { slug: true }, with: { author: { columns: { name: true } }, attachments: { columns: { file: true } }, postTags: { columns: {}, with: { tag: true } } },
		orderBy: asc(post.id),
	}));
	await flow('findFirst', async () => (await db.query.author.findFirst({ with: { posts: true }, orderBy: asc(author.id) })).posts.length);
	await flow('unique again', () => db.insert(post).values({ slug: 'p1', title: 'again' }).returning({ slug: post.slug }));
	await flow('unique, live', () => db.insert(post).values({ slug: 'p1', title: 'again' }).returning({ slug: post.slug }));
	await flow('onConflictDoUpdate', () => db.insert(post).values([{ slug: 'p2', title: 'upserted' }, { slug: 'p5', title: 'upserted' }])
		.onConflictDoUpdate({ target: post.slug, set: { title: raw`excluded.title` } }).returning({ slug: post.slug, title: post.title }));
	await flow('onConflictDoNothing', () => db.insert(post).values([{ slug: 'p3', title: 'new' }, { slug: 'p5', title: 'ignored' }])
		.onConflictDoNothing().returning({ slug: post.slug }));
	await flow('key again', async () => {
		await db.insert(tag).values({ id: 10, name: 'loose' });
		await db.delete(tag).where(eq(tag.id, 10));
		return db.insert(tag).values({ id: 10, name: 'loose' }).onConflictDoUpdate({ target: tag.id, set: { name: 'never' } }).returning();
	});
	await flow('M:N remove, add', async () => [
		(await db.delete(postTag).where(eq(postTag.postId, 5))).rowCount,
		(await db.insert(postTag).values([{ postId: 5, tagId: 1 }, { postId: 5, tagId: 2 }])).rowCount,
		(await db.delete(postTag).where(and(eq(postTag.postId, 5), eq(postTag.tagId, 2)))).rowCount,
		(await db.insert(postTag).values({ postId: 5, tagId: 2 }).onConflictDoNothing()).rowCount,
		await db.$count(postTag, eq(postTag.postId, 5)),
	]);
	await flow('save what is gone', () => db.update(post).set({ title: 'late' }).where(eq(post.id, 1)).returning());
	await flow('child of what is gone', () => db.insert(attachment).values({ postId: 1, file: 'late' }));
	await flow('optimistic locking', async () => [
		(await db.update(post).set({ version: raw`${post.version} + 1` }).where(and(eq(post.id, 6), eq(post.version, 1)))).rowCount,
		(await db.delete(post).where(and(eq(post.id, 6), eq(post.version, 1)))).rowCount,
	]);
	await flow('transaction, savepoint', async () => {
		const seen = [];
		await db.transaction(async (tx) => {
			seen.push((await tx.delete(author).where(eq(author.id, 1))).rowCount);
			await tx.transaction(async (inner) => {
				seen.push((await inner.delete(author)).rowCount);
				inner.rollback();
			}).catch(() => {});
			seen.push(await tx.select().from(author));
			tx.rollback();
		}).catch((e) => seen.push(e.constructor.name));
		seen.push(await db.$count(author));
		return seen;
	});
	await flow('prepared', async () => {
		const gone = db.delete(attachment).where(eq(attachment.postId, raw.placeholder('post'))).returning({ file: attachment.file }).prepare('gone');
		return [await gone.execute({ post: 6 }), await gone.execute({ post: 6 }), await gone.execute({ post: 7 })];
	});
	await flow('for update', () => db.transaction((tx) => tx.select({ id: post.id }).from(post).orderBy(post.id).for('update', { skipLocked: true })));
	await flow('$with', () => {
		const gone = db.$with('gone').as(db.delete(post).where(eq(post.id, 8)).returning({ slug: post.slug }));
		return db.with(gone).select().from(gone);
	});
	await flow('execute', async () => (await db.execute(raw`DELETE FROM post WHERE slug = ${'p7'} RETURNING slug`)).rows);

	if (await managed()) {
		await flow('+restore', async () => {
			await db.insert(author).values({ id: 9, name: 'eve' });
			await db.insert(post).values({ id: 90, authorId: 9, slug: 'p90', title: 'Post 90' });
			await db.insert(attachment).values({ postId: 90, file: 'f90' });
			await db.insert(postTag).values({ postId: 90, tagId: 1 });
			await db.delete(author).where(eq(author.id, 9));
			const gone = await db.$count(post, eq(post.id, 90));
			const { rows } = await db.execute(raw`SELECT softdelete.restore(${'author'}, ${9})`);
			return [gone, rows, await db.query.post.findFirst({ columns: { slug: true }, where: eq(post.id, 90), with: { attachments: { columns: { file: true } }, postTags: true } })];
		});
		await flow('+drizzle-kit push', async () => kit('push', '--verbose', '--force'));
		await flow('+tables are managed still', async () =>
			(await db.execute(raw`SELECT target::text FROM softdelete.tables ORDER BY 1`)).rows.map((t) => t.target));
	}
};

main(async () => {
	if (process.argv[2] === 'schema') {
		const { status } = kit('push', '--force');
		process.exitCode = status;
	}
	else await flows();
	await pool.end();
});
