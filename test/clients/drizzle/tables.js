'use strict';
// The forum's tables, for drizzle-orm and drizzle-kit.
const { index, integer, pgTable, primaryKey, serial, text } = require('drizzle-orm/pg-core');

const author = pgTable('author', { id: serial().primaryKey(), name: text().notNull() });
const post = pgTable('post', {
	id: serial().primaryKey(),
	authorId: integer('author_id').references(() => author.id, { onDelete: 'cascade' }),
	slug: text().notNull().unique(),
	title: text().notNull(),
	version: integer().notNull().default(1),
}, (t) => [index('post_author').on(t.authorId)]);
const attachment = pgTable('attachment', {
	id: serial().primaryKey(),
	postId: integer('post_id').notNull().references(() => post.id, { onDelete: 'cascade' }),
	file: text().notNull(),
}, (t) => [index('attachment_post').on(t.postId)]);
const tag = pgTable('tag', { id: serial().primaryKey(), name: text().notNull().unique() });
const postTag = pgTable('post_tag', {
	postId: integer('post_id').references(() => post.id, { onDelete: 'cascade' }),
	tagId: integer('tag_id').references(() => tag.id, { onDelete: 'cascade' }),
}, (t) => [primaryKey({ columns: [t.postId, t.tagId] }), index('post_tag_tag').on(t.tagId)]);


module.exports = { author, post, attachment, tag, postTag };
