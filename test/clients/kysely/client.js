'use strict';
// Kysely: its query builder, transactions, schema builder and introspection.
const { Kysely, PostgresDialect, sql: raw } = require('kysely');
const { Pool } = require('pg');
const Cursor = require('pg-cursor');
const { flow, main, managed } = require('../node/forum');

const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool({ max: 2 }), cursor: Cursor }) });

const schema = async () => {
	const id = (t) => t.addColumn('id', 'serial', (c) => c.primaryKey());
	await id(db.schema.createTable('author')).addColumn('name', 'text', (c) => c.notNull()).execute();
	await id(db.schema.createTable('post'))
		.addColumn('author_id', 'integer', (c) => c.references('author.id').onDelete('cascade'))
		.addColumn('slug', 'text', (c) => c.notNull())
		.addColumn('title', 'text', (c) => c.notNull())
		.addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
		.addUniqueConstraint('post_slug_unique', ['slug']).execute();
	await db.schema.createIndex('post_author').on('post').column('author_id').execute();
	await id(db.schema.createTable('attachment'))
		.addColumn('post_id', 'integer', (c) => c.notNull().references('post.id').onDelete('cascade'))
		.addColumn('file', 'text', (c) => c.notNull()).execute();
	await db.schema.createIndex('attachment_post').on('attachment').column('post_id').execute();
	await id(db.schema.createTable('tag')).addColumn('name', 'text', (c) => c.notNull().unique()).execute();
	await db.schema.createTable('post_tag')
		.addColumn('post_id', 'integer', (c) => c.references('post.id').onDelete('cascade'))
		.addColumn('tag_id', 'integer', (c) => c.references('tag.id').onDelete('cascade'))
		.addPrimaryKeyConstraint('post_tag_pkey', ['post_id', 'tag_id']).execute();
	await db.schema.createIndex('post_tag_tag').on('post_tag').column('tag_id').execute();
};

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);
	// counts are bigint
	const counted = (r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined).map(([k, v]) => [k, String(v)]));
	const insert = (table, values) => db.insertInto(table).values(values);
	const post = (slug, title = 'new') => ({ author_id: 1, slug, title });

	await flow('create', async () => [
		await insert('author', [{ name: 'ada' }, { name: 'bob' }]).returning('id').execute(),
		counted(await insert('post', n(8).map((i) => ({ author_id: 1 + (i % 2), slug: `p${i}`, title: `Post ${i}` }))).executeTakeFirst()),
		counted(await insert('attachment', n(8).map((i) => ({ post_id: i, file: `f${i}` }))).executeTakeFirst()),
		counted(await insert('tag', [{ name: 'red' }, { name: 'green' }]).executeTakeFirst()),
		counted(await insert('post_tag', n(8).flatMap((p) => n(2).map((t) => ({ post_id: p, tag_id: t })))).executeTakeFirst()),
	]);
	await flow('numDeletedRows', async () => counted(await db.deleteFrom('post').where('id', '=', 1).executeTakeFirst()));
	await flow('numDeletedRows again', async () => counted(await db.deleteFrom('post').where('id', '=', 1).executeTakeFirst()));
	await flow('delete by query', async () =>
		counted(await db.deleteFrom('post').where('id', 'in', (q) => q.selectFrom('attachment').select('post_id').where('file', '<', 'f4')).executeTakeFirst()));
	await flow('delete using', () => db.deleteFrom('post').using('author').whereRef('author.id', '=', 'post.author_id').where('post.id', '=', 4)
		.returning(['post.slug', 'author.name']).execute());
	await flow('executeTakeFirstOrThrow', () => db.deleteFrom('post').where('id', '=', 4).returning('id').executeTakeFirstOrThrow());
	await flow('list', () => db.selectFrom('post').select(['id', 'slug']).orderBy('id').execute());
	await flow('count', () => db.selectFrom('post_tag').select((e) => e.fn.countAll().as('n')).executeTakeFirst());
	await flow('jsonArrayFrom', async () => {
		const { jsonArrayFrom } = require('kysely/helpers/postgres');
		return db.selectFrom('post').select((e) => ['id', jsonArrayFrom(e.selectFrom('post_tag').innerJoin('tag', 'tag.id', 'post_tag.tag_id')
			.select('tag.name').whereRef('post_tag.post_id', '=', 'post.id').orderBy('tag.id')).as('tags')]).orderBy('id').execute();
	});
	await flow('unique again', () => insert('post', post('p1')).returning('slug').execute());
	await flow('unique, live', () => insert('post', post('p1')).returning('slug').execute());
	await flow('onConflict column doUpdateSet', () => insert('post', [post('p2'), post('p5')])
		.onConflict((c) => c.column('slug').doUpdateSet((e) => ({ title: e.ref('excluded.title') }))).returning(['slug', 'title']).execute());
	await flow('onConflict constraint doNothing', () => insert('post', [post('p3'), post('p5')])
		.onConflict((c) => c.constraint('post_slug_unique').doNothing()).returning('slug').execute());
	await flow('M:N remove, add', async () => [
		counted(await db.deleteFrom('post_tag').where('post_id', '=', 5).executeTakeFirst()),
		counted(await insert('post_tag', [{ post_id: 5, tag_id: 1 }, { post_id: 5, tag_id: 2 }]).executeTakeFirst()),
		counted(await db.deleteFrom('post_tag').where('post_id', '=', 5).where('tag_id', '=', 2).executeTakeFirst()),
		counted(await insert('post_tag', { post_id: 5, tag_id: 2 }).onConflict((c) => c.doNothing()).executeTakeFirst()),
		await db.selectFrom('post_tag').select('tag_id').where('post_id', '=', 5).orderBy('tag_id').execute(),
	]);
	await flow('save what is gone', async () => counted(await db.updateTable('post').set({ title: 'late' }).where('id', '=', 1).executeTakeFirst()));
	await flow('child of what is gone', () => insert('attachment', { post_id: 1, file: 'late' }).execute());
	await flow('optimistic locking', async () => [
		counted(await db.updateTable('post').set({ version: 2 }).where('id', '=', 6).where('version', '=', 1).executeTakeFirst()),
		counted(await db.deleteFrom('post').where('id', '=', 6).where('version', '=', 1).executeTakeFirst()),
	]);
	await flow('transaction', async () => {
		const seen = [];
		await db.transaction().execute(async (trx) => {
			seen.push(counted(await trx.deleteFrom('author').where('id', '=', 1).executeTakeFirst()));
			await raw`SAVEPOINT s`.execute(trx);
			seen.push(counted(await trx.deleteFrom('author').executeTakeFirst()));
			await raw`ROLLBACK TO s`.execute(trx);
			seen.push(await trx.selectFrom('author').select('name').execute());
			throw new Error('back');
		}).catch((e) => seen.push(e.message));
		seen.push(await db.selectFrom('author').select('name').orderBy('id').execute());
		return seen;
	});
	await flow('stream', async () => {
		const seen = [];
		for await (const row of db.selectFrom('post').select('slug').orderBy('id').stream(2)) seen.push(row.slug);
		return seen;
	});
	await flow('with', () => db.with('gone', (q) => q.deleteFrom('post').where('id', '=', 8).returning('slug'))
		.selectFrom('gone').selectAll().execute());
	await flow('mergeInto', async () => counted(await db.mergeInto('attachment').using('post', 'post.id', 'attachment.post_id')
		.whenMatchedAnd('post.slug', '=', 'p7').thenDelete().executeTakeFirst()));
	await flow('introspection: tables', async () =>
		(await db.introspection.getTables()).filter((t) => t.schema === 'public').map((t) => t.name));
	await flow('migration', async () => {
		await db.schema.alterTable('tag').addColumn('rank', 'integer', (c) => c.notNull().defaultTo(1)).execute();
		await db.schema.alterTable('tag').dropConstraint('tag_name_key').execute();
		await db.schema.alterTable('tag').addUniqueConstraint('tag_name_key', ['name']).execute();
		return db.selectFrom('tag').select(['name', 'rank']).orderBy('id').execute();
	});

	if (await managed()) {
		await flow('+introspection: what was added', async () =>
			(await db.introspection.getTables()).find((t) => t.name === 'post').columns.slice(5));
		await flow('+restore', async () => [
			await insert('author', { id: 9, name: 'eve' }).returning('id').execute(),
			await insert('post', { ...post('p90'), id: 90, author_id: 9 }).returning('id').execute(),
			await insert('post_tag', { post_id: 90, tag_id: 1 }).returning('tag_id').execute(),
			counted(await db.deleteFrom('author').where('id', '=', 9).executeTakeFirst()),
			(await raw`SELECT softdelete.restore(${'author'}, ${9})`.execute(db)).rows,
			await db.selectFrom('post').innerJoin('post_tag', 'post.id', 'post_tag.post_id').select(['slug', 'tag_id'])
				.where('author_id', '=', 9).execute(),
		]);
		await flow('+returningAll', async () =>
			Object.keys(await db.deleteFrom('attachment').where('post_id', '=', 5).returningAll().executeTakeFirst()));
	}
};

main(async () => {
	await (process.argv[2] === 'schema' ? schema() : flows());
	await db.destroy();
});
