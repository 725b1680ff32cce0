# frozen_string_literal: true

# ActiveRecord: models, associations, dependent:, locking, upserts, migrations, schema.rb.
require "active_record"
require "json"
require "stringio"

ActiveRecord::Base.establish_connection(adapter: "postgresql", pool: 3)
ActiveRecord::Migration.verbose = false

class Author < ActiveRecord::Base
  has_many :posts # the database cascades
end

class Post < ActiveRecord::Base
  belongs_to :author, optional: true
  has_many :attachments, dependent: :destroy
  has_and_belongs_to_many :tags
  validates :slug, uniqueness: true
end

class Attachment < ActiveRecord::Base
  belongs_to :post, counter_cache: true
end

class Tag < ActiveRecord::Base
  has_and_belongs_to_many :posts
end

CONNECTION = ActiveRecord::Base.connection
MANAGED = CONNECTION.select_value("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'softdelete')")

def flow(name)
  result =
    begin
      JSON.generate(yield)
    rescue StandardError => e
      state = e.cause.respond_to?(:result) && e.cause.result&.error_field(PG::PG_DIAG_SQLSTATE)
      ["error:", e.class, state].select(&:present?).join(" ")
    end
  puts "#{name}\t#{result}"
end

def migrate(&change)
  Class.new(ActiveRecord::Migration[6.1]) { define_method(:change, &change) }.migrate(:up)
  [Post, Tag, Attachment].each(&:reset_column_information)
end

flow("create") do
  authors = Author.create!([{ name: "ada" }, { name: "bob" }])
  tags = Tag.create!([{ name: "red" }, { name: "green" }])
  (1..8).each do |n|
    Post.create!(slug: "p#{n}", title: "Post #{n}", author: authors[n % 2], tags: tags, attachments: [Attachment.new(file: "f#{n}")])
  end
  [Author.count, Post.count, Attachment.count, Post.joins(:tags).count]
end
flow("destroy") do
  post = Post.find_by!(slug: "p1").destroy
  [post.destroyed?, Post.exists?(post.id), Attachment.where(post_id: post.id).count]
end
flow("delete") { [Post.delete(2), Post.delete(2), Post.find(3).delete.slug] }
flow("delete_all, delete_by, destroy_by") { [Post.where(slug: "p4").delete_all, Post.delete_by(slug: "p4"), Attachment.destroy_by(file: "f8").size] }
flow("find what is gone") { Post.find(1) }
flow("list") { Post.order(:id).pluck(:slug, :attachments_count) }
flow("count, exists, any") { [Post.count, Post.exists?(slug: "p1"), Post.where(slug: "p5").any?, Post.maximum(:id), Post.group(:author_id).count] }
flow("includes") { Post.includes(:author, :attachments, :tags).order(:id).map { |p| [p.slug, p.author.name, p.attachments.size, p.tags.map(&:name).sort] } }
flow("eager_load, joins, missing") do
  [Post.eager_load(:tags).where(tags: { name: "red" }).order(:id).map(&:slug), Author.joins(:posts).distinct.order(:id).map(&:name),
   Post.where.missing(:attachments).pluck(:slug)]
end
flow("unique again") { Post.create!(slug: "p1", title: "again").lock_version }
flow("unique, live: the model's validation") { Post.create!(slug: "p1", title: "again") }
flow("unique, live: the database") { Post.new(slug: "p1", title: "again").save(validate: false) }
flow("find_or_create_by, create_or_find_by") do
  Tag.find_by(name: "green").destroy
  [Tag.find_or_create_by!(name: "green").name, Tag.find_or_create_by!(name: "green").name,
   Tag.create_or_find_by!(name: "green").name, Tag.delete_by(name: "green"), Tag.create_or_find_by!(name: "green").name]
end
flow("upsert_all by column") { Post.upsert_all([{ slug: "p2", title: "new" }, { slug: "p5", title: "new" }], unique_by: :slug, returning: :slug).rows }
flow("upsert_all by index") { Post.upsert_all([{ slug: "p3", title: "new" }, { slug: "p5", title: "newer" }], unique_by: :index_posts_on_slug, returning: %i[slug title]).rows }
flow("insert_all") { Post.insert_all([{ slug: "p4", title: "new" }, { slug: "p5", title: "ignored" }], returning: :slug).rows }
flow("insert_all!") { Tag.insert_all!([{ name: "blue" }, { name: "red" }]).rows }
flow("key again") do
  Tag.create!(id: 100, name: "loose").destroy
  [Tag.create!(id: 100, name: "loose").id, Tag.delete(100), Tag.upsert_all([{ id: 100, name: "loose" }], returning: :name).rows]
end
flow("HABTM remove, add") do
  post = Post.find_by!(slug: "p5")
  red, green = Tag.where(name: %w[red green]).order(name: :desc)
  seen = []
  post.tags << green
  seen << post.reload.tags.map(&:name).sort
  post.tags.delete(red)
  seen << post.reload.tags.map(&:name).sort
  post.tags << red
  seen << post.reload.tags.map(&:name).sort
  post.tags = []
  seen << post.reload.tags.size
  post.tags = [red, green]
  seen << post.reload.tags.map(&:name).sort
end
flow("HABTM, the same twice") { Post.find_by!(slug: "p5").tags << Tag.find_by!(name: "red") }
flow("has_many replace") do
  post = Post.find_by!(slug: "p6")
  post.attachments = [Attachment.new(file: "new")]
  [post.reload.attachments.map(&:file), post.attachments_count]
end
flow("save what is gone") do
  post = Post.find_by!(slug: "p7")
  Post.delete(post.id)
  post.update!(title: "late")
end
flow("reload, touch, destroy what is gone") do
  tag = Tag.create!(name: "short")
  Tag.delete(tag.id)
  [tag.update_columns(name: "long"), tag.destroy.destroyed?, (tag.reload rescue $!.class)]
end
flow("child of what is gone") { Attachment.new(post_id: 1, file: "late").save!(validate: false) }
flow("optimistic locking") do
  one, two = Post.find_by!(slug: "p8"), Post.find_by!(slug: "p8")
  one.update!(title: "first")
  two.destroy
end
flow("transaction, savepoint") do
  seen = []
  Author.transaction do
    seen << Author.find_by!(name: "ada").destroy.name
    Author.transaction(requires_new: true) do
      seen << Author.delete_all
      raise ActiveRecord::Rollback
    end
    seen << Author.pluck(:name)
    raise ActiveRecord::Rollback
  end
  seen << Author.order(:id).pluck(:name)
end
flow("lock") { Post.transaction { [Post.lock("FOR UPDATE SKIP LOCKED").order(:id).map(&:slug), Post.find_by!(slug: "p5").with_lock { |_| "locked" }] } }
flow("find_each, in_batches") { [Post.find_each(batch_size: 2).map(&:slug), Attachment.in_batches(of: 1).delete_all] }
flow("prepared statements") { (1..9).map { |n| Tag.where(name: "t#{n}").delete_all } }
flow("migration") do
  migrate do
    add_column :tags, :weight, :integer, null: false, default: 0
    add_index :tags, :weight
    change_column :tags, :weight, :bigint
    rename_column :tags, :weight, :rank
    remove_index :posts, name: :index_posts_on_slug
  end
  [Tag.column_names.include?("rank"), Post.find_by!(slug: "p5").slug]
end
flow("migration: a unique index") do
  migrate { add_index :posts, :slug, unique: true }
  Post.find_by!(slug: "p5").slug
end
flow("connection.indexes, foreign_keys") do
  [CONNECTION.indexes(:posts).map(&:columns).include?(["slug"]), CONNECTION.foreign_keys(:attachments).map(&:to_table), CONNECTION.primary_key(:posts)]
end
# keys of deleted rows are taken: they lie above the sequence
flow("#{'+' if MANAGED}reset_pk_sequence!") do
  Tag.where("id > 2").delete_all
  CONNECTION.reset_pk_sequence!("tags")
  [Tag.create!(name: "after").name, Tag.create!(name: "after that").name]
end
CONNECTION.execute("SELECT softdelete.reset_sequence('tags')") if MANAGED
flow("new rows") { [Tag.create!(name: "new").name, Post.create!(slug: "new", title: "New").slug] }

exit unless MANAGED

flow("+restore") do
  author = Author.create!(name: "eve")
  post = Post.create!(slug: "p90", title: "Post 90", author: author, tags: Tag.where(name: "red"), attachments: [Attachment.new(file: "f90")])
  author.destroy
  gone = Post.exists?(post.id)
  [gone, CONNECTION.select_value("SELECT softdelete.restore('authors', #{author.id})"),
   Post.find(post.id).attachments.map(&:file), Post.find(post.id).tags.map(&:name)]
end
flow("+restore of what dependent: :destroy took") do
  post = Post.find_by!(slug: "p90").destroy
  [CONNECTION.exec_query("SELECT softdelete.restore($1, $2)", "restore", [[nil, "posts"], [nil, post.id.to_s]], prepare: true).rows,
   Post.find(post.id).attachments.map(&:file), Post.find(post.id).tags.map(&:name)]
end
flow("+columns") { Post.column_names.last(2) }
flow("+as_json") { Tag.find_by!(name: "red").as_json.keys }
flow("+schema.rb") do
  dump = StringIO.new
  ActiveRecord::SchemaDumper.dump(CONNECTION, dump)
  dump.string.lines.map(&:strip).grep(/softdelete|deleted_at|deletion_id|index_posts_on_slug|check_constraint/).uniq
end
flow("+truncate_tables") { CONNECTION.truncate_tables("attachments") }
