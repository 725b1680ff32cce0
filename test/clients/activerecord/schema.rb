# frozen_string_literal: true

require "active_record"

ActiveRecord::Base.establish_connection(adapter: "postgresql")
ActiveRecord::Migration.verbose = false

class Forum < ActiveRecord::Migration[6.1]
  def change
    create_table(:authors) { |t| t.string :name, null: false }
    create_table :posts do |t|
      t.references :author, foreign_key: { on_delete: :cascade }
      t.string :slug, null: false, index: { unique: true }
      t.string :title, null: false
      t.integer :lock_version, null: false, default: 0
      t.integer :attachments_count, null: false, default: 0
    end
    create_table :attachments do |t|
      t.references :post, null: false, foreign_key: { on_delete: :cascade }
      t.string :file, null: false
    end
    create_table(:tags) { |t| t.string :name, null: false, index: { unique: true } }
    create_table :posts_tags, primary_key: %i[post_id tag_id] do |t|
      t.references :post, null: false, foreign_key: { on_delete: :cascade }
      t.references :tag, null: false, foreign_key: { on_delete: :cascade }
    end
  end
end
Forum.migrate(:up)
