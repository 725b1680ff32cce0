'use strict';
// Prisma: its client with a driver adapter; nested writes, implicit M:N, transactions.
const { PrismaPg } = require('@prisma/adapter-pg');
const { PrismaClient } = require(process.env.FORUM_CLIENT);
const { connection, flow, main, managed } = require('../node/forum');

const prisma = new PrismaClient({ adapter: new PrismaPg(connection()) });

const flows = async () => {
	const n = (count) => Array.from({ length: count }, (_, i) => i + 1);
	const slugs = async () => (await prisma.post.findMany({ orderBy: { id: 'asc' }, select: { slug: true } })).map((p) => p.slug);
	const tagsOf = async (slug) => (await prisma.post.findUnique({ where: { slug }, include: { tags: { orderBy: { id: 'asc' } } } })).tags.map((t) => t.name);

	await flow('create', async () => {
		await prisma.author.createMany({ data: [{ name: 'ada' }, { name: 'bob' }] });
		for (const i of n(8))
			await prisma.post.create({
				data: {
					slug: `p${i}`, title: `Post ${i}`, author: { connect: { id: 1 + (i % 2) } }, attachments: { create: { file: `f${i}` } },
					tags: { connectOrCreate: ['red', 'green'].map((name) => ({ where: { name }, create: { name } })) },
				},
			});
		return [await prisma.author.count(), await prisma.post.count(), await prisma.attachment.count(), await prisma.tag.count()];
	});
	await flow('delete', () => prisma.post.delete({ where: { slug: 'p1' }, include: { author: true } }));
	await flow('delete again', () => prisma.post.delete({ where: { slug: 'p1' } }));
	await flow('deleteMany', () => prisma.post.deleteMany({ where: { slug: { in: ['p2', 'p3', 'none'] } } }));
	await flow('deleteMany by relation', () => prisma.post.deleteMany({ where: { attachments: { some: { file: 'f4' } } } }));
	await flow('cascades', () => prisma.attachment.count());
	await flow('list', () => slugs());
	await flow('findMany, include', () => prisma.post.findMany({
		orderBy: { id: 'asc' }, select: { slug: true, author: { select: { name: true } }, attachments: { select: { file: true } }, _count: { select: { tags: true } } },
	}));
	await flow('fluent', async () => (await prisma.author.findUnique({ where: { id: 1 } }).posts({ orderBy: { id: 'asc' } })).map((p) => p.slug));
	await flow('groupBy, aggregate', async () => [
		await prisma.post.groupBy({ by: ['authorId'], _count: true, orderBy: { authorId: 'asc' } }), await prisma.post.aggregate({ _max: { id: true }, _count: true }),
	]);
	await flow('cursor pagination', async () =>
		(await prisma.post.findMany({ cursor: { slug: 'p5' }, skip: 1, take: 2, orderBy: { id: 'asc' } })).map((p) => p.slug));
	await flow('findUniqueOrThrow', () => prisma.post.findUniqueOrThrow({ where: { slug: 'p1' } }));
	await flow('unique again', async () => (await prisma.post.create({ data: { slug: 'p1', title: 'again' } })).slug);
	await flow('unique, live', async () => (await prisma.post.create({ data: { slug: 'p1', title: 'again' } })).slug);
	await flow('upsert', async () => {
		const upsert = () => prisma.post.upsert({ where: { slug: 'p2' }, create: { slug: 'p2', title: 'created' }, update: { title: 'updated' } });
		return [(await upsert()).title, (await upsert()).title];
	});
	await flow('createMany, skipDuplicates', () =>
		prisma.post.createMany({ data: [{ slug: 'p3', title: 'new' }, { slug: 'p5', title: 'skipped' }], skipDuplicates: true }));
	await flow('createManyAndReturn', () => prisma.tag.createManyAndReturn({ data: [{ name: 'blue' }, { name: 'pink' }], select: { name: true } }));
	await flow('key again', async () => {
		await prisma.tag.create({ data: { id: 100, name: 'loose' } });
		await prisma.tag.delete({ where: { id: 100 } });
		return prisma.tag.create({ data: { id: 100, name: 'loose' } });
	});
	await flow('M:N disconnect, connect', async () => {
		const seen = [];
		for (const tags of [{ disconnect: { name: 'red' } }, { connect: { name: 'red' } }, { set: [] }, { set: [{ name: 'red' }, { name: 'green' }] }]) {
			await prisma.post.update({ where: { slug: 'p5' }, data: { tags } });
			seen.push(await tagsOf('p5'));
		}
		return seen;
	});
	await flow('nested delete, create', async () => (await prisma.post.update({
		where: { slug: 'p6' }, data: { attachments: { deleteMany: {}, create: [{ file: 'new' }] } }, include: { attachments: { select: { file: true } } },
	})).attachments);
	await flow('connectOrCreate', async () => {
		await prisma.tag.delete({ where: { name: 'pink' } });
		await prisma.post.update({ where: { slug: 'p6' }, data: { tags: { connectOrCreate: { where: { name: 'pink' }, create: { name: 'pink' } } } } });
		return tagsOf('p6');
	});
	await flow('update what is gone', () => prisma.post.update({ where: { slug: 'p4' }, data: { title: 'late' } }));
	await flow('child of what is gone', () => prisma.attachment.create({ data: { postId: 1, file: 'late' } }));
	await flow('connect to what is gone', () => prisma.attachment.create({ data: { file: 'late', post: { connect: { id: 1 } } } }));
	await flow('optimistic locking', async () => [
		await prisma.post.updateMany({ where: { slug: 'p7', version: 1 }, data: { version: { increment: 1 } } }),
		await prisma.post.deleteMany({ where: { slug: 'p7', version: 1 } }),
	]);
	await flow('$transaction, an array', async () => {
		await prisma.$transaction([prisma.author.delete({ where: { id: 1 } }), prisma.post.delete({ where: { slug: 'none' } })]).catch(() => {});
		return prisma.author.count();
	});
	await flow('$transaction, interactive', async () => {
		const seen = [];
		await prisma.$transaction(async (tx) => {
			seen.push((await tx.author.delete({ where: { id: 1 } })).name);
			seen.push(await tx.post.count());
			throw new Error('back');
		}).catch((e) => seen.push(e.message));
		seen.push(await prisma.post.count());
		return seen;
	});
	await flow('raw', async () => [
		await prisma.$executeRaw`DELETE FROM attachment WHERE file = ${'f8'}`,
		await prisma.$queryRaw`DELETE FROM post WHERE slug = ${'p8'} RETURNING slug`,
	]);

	if (await managed()) {
		await flow('+restore', async () => {
			const { id } = await prisma.author.create({
				data: { name: 'eve', posts: { create: { slug: 'p90', title: 'Post 90', attachments: { create: { file: 'f90' } }, tags: { connect: [{ name: 'red' }, { name: 'green' }] } } } },
			});
			await prisma.author.delete({ where: { id } });
			const gone = await prisma.post.findUnique({ where: { slug: 'p90' } });
			await prisma.$queryRaw`SELECT softdelete.restore(${'author'}, ${String(id)})::int`;
			return [gone, await prisma.post.findUnique({ where: { slug: 'p90' }, select: { title: true, attachments: { select: { file: true } }, tags: { select: { name: true }, orderBy: { id: 'asc' } } } })];
		});
		await flow('+undo', async () => {
			await prisma.post.delete({ where: { slug: 'p90' } });
			const [{ id }] = await prisma.$queryRaw`SELECT max(id)::text AS id FROM softdelete.deletions`;
			return [await prisma.$queryRaw`SELECT softdelete.undo(${id})::int AS rows`, await tagsOf('p90')];
		});
		await flow('+restore, an integer', () => prisma.$queryRaw`SELECT softdelete.restore(${'post'}, ${4})::int AS rows`);
	}
};

main(async () => {
	await flows();
	await prisma.$disconnect();
});
