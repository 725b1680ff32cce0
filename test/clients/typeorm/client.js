'use strict';
// TypeORM: entities, repositories, relations, cascades, query builder, schema builder.
require('reflect-metadata');
const { DataSource, EntitySchema, In, Not, IsNull } = require('typeorm');
const { connection, flow, main, managed } = require('../node/forum');

const id = { type: 'int', primary: true, generated: 'increment' };
const Author = new EntitySchema({
	name: 'author',
	columns: { id, name: { type: 'text' } },
	relations: { posts: { type: 'one-to-many', target: 'post', inverseSide: 'author' } },
});
const Post = new EntitySchema({
	name: 'post',
	columns: { id, slug: { type: 'text', unique: true }, title: { type: 'text' }, version: { type: 'int', version: true } },
	relations: {
		author: { type: 'many-to-one', target: 'author', inverseSide: 'posts', onDelete: 'CASCADE', nullable: true, joinColumn: { name: 'author_id' } },
		attachments: { type: 'one-to-many', target: 'attachment', inverseSide: 'post', cascade: true },
		tags: {
			type: 'many-to-many', target: 'tag', cascade: ['insert'],
			joinTable: { name: 'post_tag', joinColumn: { name: 'post_id' }, inverseJoinColumn: { name: 'tag_id' } },
		},
	},
});
const Attachment = new EntitySchema({
	name: 'attachment',
	columns: { id, file: { type: 'text' } },
	relations: {
		post: { type: 'many-to-one', target: 'post', inverseSide: 'attachments', onDelete: 'CASCADE', orphanedRowAction: 'delete', joinColumn: { name: 'post_id' } },
	},
});
const Tag = new EntitySchema({ name: 'tag', columns: { id, name: { type: 'text', unique: true } } });

const { user: username, ...where } = connection();
const source = new DataSource({ type: 'postgres', ...where, username, entities: [Author, Post, Attachment, Tag], poolSize: 2 });

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);
	const authors = source.getRepository('author'), posts = source.getRepository('post');
	const attachments = source.getRepository('attachment'), tags = source.getRepository('tag');
	const names = (rows) => rows.map((r) => r.name).sort();
	const slugs = async (options) => (await posts.find({ order: { id: 'ASC' }, ...options })).map((p) => p.slug);

	await flow('create', async () => {
		const [ada, bob] = await authors.save([{ name: 'ada' }, { name: 'bob' }]);
		const colours = await tags.save([{ name: 'red' }, { name: 'green' }]);
		for (const i of n(8))
			await posts.save({ slug: `p${i}`, title: `Post ${i}`, author: i % 2 ? bob : ada, attachments: [{ file: `f${i}` }], tags: colours });
		return [await authors.count(), await posts.count(), await attachments.count(), await posts.count({ relations: { tags: true } })];
	});
	await flow('remove', async () => {
		const post = await posts.findOneBy({ slug: 'p1' });
		const gone = await posts.remove(post);
		return [gone.id, gone.slug, await posts.existsBy({ slug: 'p1' }), await attachments.countBy({ file: 'f1' })];
	});
	await flow('delete', async () => [(await posts.delete({ slug: In(['p2', 'p3', 'none']) })).affected, (await posts.delete(2)).affected]);
	await flow('query builder delete', async () => {
		const r = await source.createQueryBuilder().delete().from('post').where('slug = :slug', { slug: 'p4' }).returning(['id', 'slug']).execute();
		return [r.affected, r.raw];
	});
	await flow('list', () => slugs());
	await flow('findAndCount', async () => {
		const [rows, count] = await posts.findAndCount({ take: 2, order: { id: 'ASC' }, relations: { author: true } });
		return [count, rows.map((p) => [p.slug, p.author.name])];
	});
	await flow('eager loading', async () => (await posts.find({ relations: { attachments: true, tags: true, author: true }, order: { id: 'ASC' } }))
		.map((p) => [p.slug, p.attachments.length, names(p.tags), p.author.name]));
	await flow('relationLoadStrategy query', async () =>
		(await authors.find({ relations: { posts: true }, relationLoadStrategy: 'query', order: { id: 'ASC' } })).map((a) => [a.name, a.posts.map((p) => p.slug).sort()]));
	await flow('where on a relation', () => slugs({ where: { author: { name: 'ada' }, tags: { name: Not(IsNull()) } } }));
	await flow('loadRelationCountAndMap', async () => (await posts.createQueryBuilder('p').loadRelationCountAndMap('p.files', 'p.attachments').orderBy('p.id').getMany())
		.map((p) => [p.slug, p.files]));
	await flow('unique again', async () => (await posts.save({ slug: 'p1', title: 'again' })).version);
	await flow('unique, live', async () => (await posts.save({ slug: 'p1', title: 'again' })).version);
	await flow('upsert', async () => {
		await posts.upsert([{ slug: 'p2', title: 'upserted' }, { slug: 'p5', title: 'upserted' }], ['slug']);
		await posts.upsert({ slug: 'p2', title: 'upserted again' }, { conflictPaths: ['slug'], skipUpdateIfNoValuesChanged: true });
		return (await posts.find({ where: { slug: In(['p2', 'p5']) }, order: { slug: 'ASC' } })).map((p) => p.title);
	});
	await flow('orIgnore', async () => {
		await tags.delete({ name: 'green' });
		const r = await tags.createQueryBuilder().insert().values([{ name: 'green' }, { name: 'red' }]).orIgnore().execute();
		return [r.raw.length, names(await tags.find())];
	});
	await flow('M:N remove, add', async () => {
		const post = await posts.findOne({ where: { slug: 'p5' }, relations: { tags: true } });
		const all = await tags.find({ order: { id: 'ASC' } });
		const seen = [names(post.tags)];
		for (const set of [[], all, [all[0]], all]) {
			post.tags = set;
			await posts.save(post);
			seen.push(names((await posts.findOne({ where: { slug: 'p5' }, relations: { tags: true } })).tags));
		}
		await posts.createQueryBuilder().relation('tags').of(post).remove(all[0]);
		await posts.createQueryBuilder().relation('tags').of(post).add(all[0]);
		seen.push(names((await posts.findOne({ where: { slug: 'p5' }, relations: { tags: true } })).tags));
		return seen;
	});
	await flow('orphanedRowAction delete', async () => {
		const post = await posts.findOne({ where: { slug: 'p6' }, relations: { attachments: true } });
		post.attachments = [{ file: 'new' }];
		await posts.save(post);
		return (await attachments.find({ where: { post: { slug: 'p6' } } })).map((a) => a.file);
	});
	await flow('save what is gone', async () => {
		const post = await posts.findOneBy({ slug: 'p7' });
		await posts.delete({ slug: 'p7' });
		post.title = 'late';
		const saved = await posts.save(post);
		return [saved.slug, saved.title, await posts.countBy({ slug: 'p7' })];
	});
	await flow('remove what is gone', async () => {
		const tag = await tags.save({ name: 'short' });
		await tags.delete({ name: 'short' });
		return (await tags.remove(tag)).name;
	});
	await flow('optimistic locking', async () => {
		const post = await posts.findOneBy({ slug: 'p8' });
		await posts.save({ ...post, title: 'first' });
		await posts.createQueryBuilder('p').setLock('optimistic', post.version).where('p.slug = :slug', { slug: 'p8' }).getOneOrFail();
	});
	await flow('transaction, savepoint', async () => {
		const seen = [];
		await source.transaction(async (manager) => {
			seen.push((await manager.delete('author', { name: 'ada' })).affected);
			await manager.transaction(async (inner) => {
				seen.push((await inner.createQueryBuilder().delete().from('author').execute()).affected);
				throw new Error('back');
			}).catch(() => {});
			seen.push(names(await manager.find('author')));
			throw new Error('all of it');
		}).catch((e) => seen.push(e.message));
		seen.push(names(await authors.find()));
		return seen;
	});
	await flow('pessimistic lock', () => source.transaction(async (manager) =>
		(await manager.find('post', { lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' }, order: { id: 'ASC' } })).length));
	await flow('stream', async () => {
		const seen = [];
		const runner = source.createQueryRunner();
		await runner.startTransaction();
		const stream = await posts.createQueryBuilder('p', runner).orderBy('p.id').stream().catch((e) => e.code);
		if (typeof stream === 'string') seen.push(stream);
		else for await (const row of stream) seen.push(row.p_slug);
		await runner.rollbackTransaction();
		await runner.release();
		return seen;
	});
	await flow('raw', () => source.query('DELETE FROM attachment WHERE file = $1 RETURNING file', ['f5']));

	if (await managed()) {
		await flow('+restore', async () => {
			const eve = await authors.save({ name: 'eve' });
			await posts.save({ slug: 'p90', title: 'Post 90', author: eve, attachments: [{ file: 'f90' }], tags: await tags.find() });
			const { id } = eve;
			await authors.remove(eve);
			const gone = await posts.countBy({ author: { id } });
			const rows = await source.query('SELECT softdelete.restore($1, $2)', ['author', id]);
			const [post] = await posts.find({ where: { author: { id } }, relations: { attachments: true, tags: true } });
			return [gone, rows, post.slug, post.attachments.length, names(post.tags)];
		});
		await flow('+restore of what remove() took, junction rows first', async () => {
			const post = await posts.findOne({ where: { slug: 'p90' }, relations: { tags: true } });
			const { id } = post;
			await posts.remove(post);
			await source.query('SELECT softdelete.restore($1, $2)', ['post', id]);
			return names((await posts.findOne({ where: { slug: 'p90' }, relations: { tags: true } })).tags);
		});
		await flow('+schema builder wants to', async () => (await source.driver.createSchemaBuilder().log()).upQueries.map((q) => q.query)
			.filter((q) => /"post"/.test(q)).sort());
		await flow('+synchronize', () => source.synchronize());
		await flow('+clear', () => attachments.clear());
		await flow('+tables are managed still', async () =>
			(await source.query('SELECT target::text FROM softdelete.tables ORDER BY 1')).map((t) => t.target));
	}
};

main(async () => {
	await source.initialize();
	await (process.argv[2] === 'schema' ? source.synchronize() : flows());
	await source.destroy();
});
