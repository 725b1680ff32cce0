'use strict';
// Sequelize: models, associations, hooks, versions, scopes, sync.
const { Sequelize, DataTypes, Op, Transaction } = require('sequelize');
const { connection, flow, main, managed } = require('../node/forum');

const { host, port, user, database } = connection();
const sequelize = new Sequelize(database, user, null, {
	host, port, dialect: 'postgres', logging: false, define: { timestamps: false, freezeTableName: true, underscored: true }, pool: { max: 2 },
});
const Author = sequelize.define('author', { name: { type: DataTypes.STRING, allowNull: false } });
const Post = sequelize.define('post', {
	slug: { type: DataTypes.STRING, allowNull: false, unique: true },
	title: { type: DataTypes.STRING, allowNull: false },
}, { version: true });
const Attachment = sequelize.define('attachment', { file: { type: DataTypes.STRING, allowNull: false } });
const Tag = sequelize.define('tag', { name: { type: DataTypes.STRING, allowNull: false, unique: true } });
const PostTag = sequelize.define('post_tag', {});
Author.hasMany(Post, { onDelete: 'CASCADE' });
Post.belongsTo(Author);
Post.hasMany(Attachment, { onDelete: 'CASCADE', foreignKey: { allowNull: false } });
Attachment.belongsTo(Post);
Post.belongsToMany(Tag, { through: PostTag });
Tag.belongsToMany(Post, { through: PostTag });

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);
	const slugs = async (options = {}) => (await Post.findAll({ order: ['id'], ...options })).map((p) => p.slug);
	const names = (rows) => rows.map((r) => r.name).sort();

	await flow('create', async () => {
		const authors = await Author.bulkCreate([{ name: 'ada' }, { name: 'bob' }]);
		const tags = await Tag.bulkCreate([{ name: 'red' }, { name: 'green' }]);
		for (const i of n(8)) {
			const post = await Post.create({ slug: `p${i}`, title: `Post ${i}`, authorId: authors[i % 2].id, attachments: [{ file: `f${i}` }] },
				{ include: [Attachment] });
			await post.setTags(tags);
		}
		return [await Author.count(), await Post.count(), await Attachment.count(), await PostTag.count()];
	});
	await flow('destroy an instance', async () => {
		const post = await Post.findByPk(1);
		await post.destroy();
		return [await Post.findByPk(1), await Attachment.count({ where: { postId: 1 } })];
	});
	await flow('destroy by query', () => Post.destroy({ where: { slug: { [Op.in]: ['p2', 'p3', 'none'] } } }));
	await flow('destroy again', () => Post.destroy({ where: { slug: 'p2' } }));
	await flow('list', () => slugs());
	await flow('findAndCountAll', async () => {
		const { count, rows } = await Post.findAndCountAll({ limit: 2, order: ['id'], include: [Author] });
		return [count, rows.map((p) => [p.slug, p.author.name])];
	});
	await flow('eager loading', async () => (await Post.findAll({ include: [Attachment, Tag, Author], order: ['id', [Tag, 'id']] }))
		.map((p) => [p.slug, p.attachments.length, names(p.tags), p.author.name]));
	await flow('lazy loading', async () => {
		const author = await Author.findOne({ where: { name: 'bob' } });
		return [await author.countPosts(), (await author.getPosts({ order: ['id'] })).map((p) => p.slug)];
	});
	await flow('aggregate', () => Post.max('id'));
	await flow('unique again', async () => (await Post.create({ slug: 'p1', title: 'again', authorId: 1 })).slug);
	await flow('unique, live', async () => (await Post.create({ slug: 'p1', title: 'again', authorId: 1 })).slug);
	await flow('findOrCreate', async () => {
		await Tag.create({ name: 'blue' });
		await Tag.destroy({ where: { name: 'blue' } });
		const [tag, created] = await Tag.findOrCreate({ where: { name: 'blue' } });
		const [, again] = await Tag.findOrCreate({ where: { name: 'blue' } });
		return [tag.name, created, again];
	});
	await flow('findCreateFind', async () => {
		await Tag.destroy({ where: { name: 'blue' } });
		const [tag, created] = await Tag.findCreateFind({ where: { name: 'blue' } });
		return [tag.name, created];
	});
	await flow('upsert', async () => {
		await Post.upsert({ slug: 'p2', title: 'upserted', authorId: 1 }, { conflictFields: ['slug'] });
		const [post] = await Post.upsert({ slug: 'p2', title: 'upserted again', authorId: 1 }, { conflictFields: ['slug'] });
		return post.title;
	});
	await flow('bulkCreate, updateOnDuplicate', async () => (await Post.bulkCreate([{ slug: 'p3', title: 'bulk', authorId: 1 }, { slug: 'p4', title: 'bulk', authorId: 1 }],
		{ updateOnDuplicate: ['title'], conflictAttributes: ['slug'] })).map((p) => [p.slug, p.title]));
	await flow('bulkCreate, ignoreDuplicates', async () => {
		await Post.destroy({ where: { slug: 'p3' } });
		await Post.bulkCreate([{ slug: 'p3', title: 'ignored?', authorId: 1 }, { slug: 'p4', title: 'ignored', authorId: 1 }], { ignoreDuplicates: true });
		return (await Post.findAll({ where: { slug: ['p3', 'p4'] }, order: ['slug'] })).map((p) => p.title);
	});
	await flow('M:N remove, add', async () => {
		const post = await Post.findOne({ where: { slug: 'p5' } });
		const [red, green] = await Tag.findAll({ where: { name: ['red', 'green'] }, order: [['id', 'ASC']] });
		const seen = [];
		await post.removeTag(red);
		seen.push(names(await post.getTags()));
		await post.addTag(red);
		seen.push(names(await post.getTags()));
		await post.setTags([]);
		seen.push(await post.countTags());
		await post.setTags([red, green]);
		seen.push(names(await post.getTags()));
		return seen;
	});
	await flow('has-many remove, add', async () => {
		const author = await Author.findByPk(1);
		const post = await Post.findOne({ where: { slug: 'p5' } });
		await author.addPost(post);
		await author.removePost(post);
		return [(await post.reload()).authorId, await author.hasPost(post)];
	});
	await flow('save what is gone', async () => {
		const post = await Post.findOne({ where: { slug: 'p6' } });
		await Post.destroy({ where: { slug: 'p6' } });
		post.title = 'late';
		await post.save();
	});
	await flow('reload what is gone', async () => {
		const tag = await Tag.create({ name: 'short' });
		await Tag.destroy({ where: { id: tag.id } });
		await tag.reload();
	});
	await flow('increment what is gone', async () => {
		const tag = await Tag.create({ name: 'short' });
		await Tag.destroy({ where: { id: tag.id } });
		return (await tag.update({ name: 'long' })).name;
	});
	await flow('optimistic locking', async () => {
		const one = await Post.findOne({ where: { slug: 'p7' } }), two = await Post.findOne({ where: { slug: 'p7' } });
		await one.update({ title: 'first' });
		await two.update({ title: 'second' });
	});
	await flow('managed transaction, savepoint', async () => {
		const seen = [];
		await sequelize.transaction(async (transaction) => {
			seen.push(await Author.destroy({ where: { id: 1 }, transaction }));
			await sequelize.transaction({ transaction }, async (inner) => {
				seen.push(await Author.destroy({ where: {}, transaction: inner }));
				throw new Error('back');
			}).catch(() => {});
			seen.push(names(await Author.findAll({ transaction })));
			throw new Error('all of it');
		}).catch((e) => seen.push(e.message));
		seen.push(names(await Author.findAll()));
		return seen;
	});
	await flow('lock', () => sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ }, async (transaction) =>
		(await Post.findAll({ lock: transaction.LOCK.UPDATE, skipLocked: true, order: ['id'], transaction })).length));
	await flow('raw, replacements and bind', async () => [
		(await sequelize.query('DELETE FROM attachment WHERE post_id = :id RETURNING file', { replacements: { id: 8 } }))[0],
		(await sequelize.query('SELECT count(*)::int AS n FROM post WHERE slug = $1', { bind: ['p8'] }))[0],
	]);
	await flow('hooks', async () => {
		const seen = [];
		Tag.addHook('beforeDestroy', (tag) => { seen.push(`before ${tag.name}`); });
		Tag.addHook('afterDestroy', (tag) => { seen.push(`after ${tag.name}`); });
		await Tag.destroy({ where: { name: 'blue' }, individualHooks: true });
		return seen;
	});
	await flow('describeTable', async () => Object.keys(await sequelize.getQueryInterface().describeTable('post')).slice(0, 5));
	await flow('sync', async () => {
		await sequelize.sync();
		return slugs();
	});
	if (await managed()) {
		await flow('+restore', async () => {
			const author = await Author.create({ id: 9, name: 'eve', posts: [{ slug: 'p90', title: 'Post 90', attachments: [{ file: 'f90' }] }] },
				{ include: [{ model: Post, include: [Attachment] }] });
			await author.posts[0].setTags(await Tag.findAll());
			await author.destroy();
			const gone = await slugs({ where: { authorId: 9 } });
			const [rows] = await sequelize.query('SELECT softdelete.restore($1, $2)', { bind: ['author', 9] });
			const [post] = await Post.findAll({ where: { authorId: 9 }, include: [Attachment, Tag] });
			return [gone, rows, post.slug, post.attachments.length, names(post.tags)];
		});
		await flow('+describeTable, what was added', async () => Object.keys(await sequelize.getQueryInterface().describeTable('post')).slice(5));
		await flow('+showIndex', async () => (await sequelize.getQueryInterface().showIndex('post')).map((i) => [i.name, i.unique]));
		await flow('+truncate', () => Attachment.truncate());
		await flow('+sync({ alter: true })', () => sequelize.sync({ alter: true }));
		await flow('+sync({ alter: { drop: false } })', async () => {
			await sequelize.sync({ alter: { drop: false } });
			return [await Tag.destroy({ where: { name: 'green' } }), (await Tag.create({ name: 'green' })).name];
		});
		await flow('+tables are managed still', async () =>
			(await sequelize.query('SELECT target::text FROM softdelete.tables ORDER BY 1'))[0].map((t) => t.target));
	}
};

main(async () => {
	await (process.argv[2] === 'schema' ? sequelize.sync() : flows());
	await sequelize.close();
});
