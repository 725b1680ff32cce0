'use strict';
// Knex: its query builder, transactions, schema builder and introspection.
const knex = require('knex')({ client: 'pg', connection: require('../node/forum').connection(), pool: { min: 0, max: 2 } });
const { flow, main, managed, sql } = require('../node/forum');

const schema = async () => {
	await knex.schema.createTable('author', (t) => {
		t.increments('id');
		t.string('name').notNullable();
	});
	await knex.schema.createTable('post', (t) => {
		t.increments('id');
		t.integer('author_id').references('author.id').onDelete('CASCADE').index();
		t.string('slug').notNullable().unique();
		t.string('title').notNullable();
		t.integer('version').notNullable().defaultTo(1);
	});
	await knex.schema.createTable('attachment', (t) => {
		t.increments('id');
		t.integer('post_id').notNullable().references('post.id').onDelete('CASCADE').index();
		t.string('file').notNullable();
	});
	await knex.schema.createTable('tag', (t) => {
		t.increments('id');
		t.string('name').notNullable().unique();
	});
	await knex.schema.createTable('post_tag', (t) => {
		t.integer('post_id').references('post.id').onDelete('CASCADE');
		t.integer('tag_id').references('tag.id').onDelete('CASCADE').index();
		t.primary(['post_id', 'tag_id']);
	});
};

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);

	await flow('create', async () => [
		await knex('author').insert([{ name: 'ada' }, { name: 'bob' }]).returning('id'),
		await knex('post').insert(n(8).map((i) => ({ author_id: 1 + (i % 2), slug: `p${i}`, title: `Post ${i}` })), ['slug']),
		(await knex('attachment').insert(n(8).map((i) => ({ post_id: i, file: `f${i}` })))).rowCount,
		(await knex.batchInsert('tag', [{ name: 'red' }, { name: 'green' }])).length,
		(await knex('post_tag').insert(n(8).flatMap((p) => n(2).map((t) => ({ post_id: p, tag_id: t }))))).rowCount,
	]);
	await flow('del by key', () => knex('post').where({ id: 1 }).del());
	await flow('del again', () => knex('post').where({ id: 1 }).del());
	await flow('del by query', () => knex('post').whereIn('id', knex('attachment').select('post_id').where('file', '<', 'f4')).del());
	await flow('del returning', () => knex('post').where('id', 4).del(['id', 'slug']));
	await flow('list', () => knex('post').select('id', 'slug').orderBy('id'));
	await flow('first, pluck, count', async () => [
		await knex('post').first('slug').orderBy('id'), await knex('post').pluck('slug').orderBy('id'), await knex('post').count(),
	]);
	await flow('join', () => knex('post').leftJoin('attachment', 'post.id', 'attachment.post_id').leftJoin('post_tag', 'post.id', 'post_tag.post_id')
		.groupBy('post.id').orderBy('post.id').select('post.id').countDistinct('attachment.id as files').countDistinct('tag_id as tags'));
	await flow('unique again', () => knex('post').insert({ author_id: 1, slug: 'p1', title: 'again' }).returning('slug'));
	await flow('unique, live', () => knex('post').insert({ author_id: 1, slug: 'p1', title: 'again' }).returning('slug'));
	await flow('onConflict merge', () => knex('post').insert([{ author_id: 1, slug: 'p2', title: 'merged' }, { author_id: 1, slug: 'p5', title: 'merged' }])
		.onConflict('slug').merge(['title']).returning(['slug', 'title']));
	await flow('onConflict ignore', () => knex('post').insert([{ author_id: 1, slug: 'p3', title: 'new' }, { author_id: 1, slug: 'p5', title: 'ignored' }])
		.onConflict().ignore().returning(['slug', 'title']));
	await flow('onConflict merge by key', async () => [
		await knex('tag').insert({ id: 10, name: 'loose' }).returning('id'),
		await knex('tag').where({ id: 10 }).del(),
		await knex('tag').insert({ id: 10, name: 'again' }).onConflict('id').merge().returning(['id', 'name']),
	]);
	await flow('M:N remove, add', async () => [
		await knex('post_tag').where({ post_id: 5 }).del(),
		(await knex('post_tag').insert([{ post_id: 5, tag_id: 1 }, { post_id: 5, tag_id: 2 }])).rowCount,
		await knex('post_tag').where({ post_id: 5, tag_id: 2 }).del(),
		(await knex('post_tag').insert({ post_id: 5, tag_id: 2 }).onConflict(['post_id', 'tag_id']).ignore()).rowCount,
		await knex('post_tag').where({ post_id: 5 }).pluck('tag_id').orderBy('tag_id'),
	]);
	await flow('save what is gone', () => knex('post').where({ id: 1 }).update({ title: 'late' }, ['id']));
	await flow('child of what is gone', () => knex('attachment').insert({ post_id: 1, file: 'late' }));
	await flow('optimistic locking', async () => [
		await knex('post').where({ id: 6, version: 1 }).increment('version'),
		await knex('post').where({ id: 6, version: 1 }).del(),
		await knex('post').where({ id: 6, version: 2 }).del(),
	]);
	await flow('transaction, savepoint', async () => {
		const seen = [];
		await knex.transaction(async (trx) => {
			seen.push(await trx('author').where({ id: 1 }).del());
			await trx.transaction(async (inner) => {
				seen.push(await inner('author').del());
				throw new Error('back');
			}).catch(() => {});
			seen.push(await trx('author').pluck('name'));
			await trx.rollback(new Error('all of it'));
		}).catch((e) => seen.push(e.message));
		seen.push(await knex('author').pluck('name').orderBy('id'));
		return seen;
	});
	await flow('forUpdate, skipLocked', () => knex.transaction((trx) => trx('post').forUpdate().skipLocked().orderBy('id').pluck('id')));
	await flow('raw', async () => (await knex.raw('DELETE FROM attachment WHERE post_id = ? RETURNING ??', [7, 'file'])).rows);
	await flow('stream', async () => {
		const seen = [];
		for await (const row of knex('post').select('slug').orderBy('id').stream()) seen.push(row.slug);
		return seen;
	});
	await flow('WITH', () => knex.with('gone', knex('post').where({ id: 8 }).del(['id', 'slug'])).select('slug').from('gone'));
	await flow('migration: a column, an index, a check', async () => {
		await knex.schema.alterTable('tag', (t) => {
			t.integer('weight').notNullable().defaultTo(0);
			t.index('weight');
		});
		await knex.schema.alterTable('tag', (t) => t.renameColumn('weight', 'rank'));
		await knex.schema.alterTable('tag', (t) => t.bigInteger('rank').notNullable().defaultTo(1).alter());
		return knex('tag').select('name', 'rank').orderBy('id');
	});
	await flow('migration: dropUnique, unique', async () => {
		await knex.schema.alterTable('tag', (t) => t.dropUnique(['name']));
		await knex.schema.alterTable('tag', (t) => t.unique(['name']));
		await knex('tag').where({ name: 'green' }).del();
		await knex('tag').insert({ name: 'green' });
		return knex('tag').pluck('name').orderBy('id');
	});
	await flow('introspection: a column', () => knex('post').columnInfo('slug'));

	if (await managed()) {
		await flow('+introspection: what was added', async () => {
			const columns = await knex('post').columnInfo();
			return [columns.deleted_at, columns.deletion_id];
		});
		await flow('+returning *', () => knex('attachment').where({ post_id: 5 }).del('*').then((rows) => Object.keys(rows[0])));
		await flow('+restore', async () => [
			await knex('author').insert({ id: 9, name: 'eve' }).returning('id'),
			await knex('post').insert({ id: 90, author_id: 9, slug: 'p90', title: 'Post 90' }).returning('id'),
			await knex('post_tag').insert({ post_id: 90, tag_id: 1 }).returning('tag_id'),
			await knex('author').where({ id: 9 }).del(),
			await knex('post').where({ id: 90 }).count(),
			(await knex.raw('SELECT softdelete.restore(?, ?)', ['author', 9])).rows,
			await knex('post').join('post_tag', 'post.id', 'post_tag.post_id').where({ author_id: 9 }).select('slug', 'tag_id'),
		]);
		await flow('+truncate', () => knex('attachment').truncate());
	}
};

main(async () => {
	await (process.argv[2] === 'schema' ? schema() : flows());
	await knex.destroy();
});
