-- An account whose owner has deleted it: nobody can use it any more, and what was theirs goes batch by batch.
ALTER TABLE users ADD COLUMN deleted_at TEXT;
CREATE INDEX users_deleted ON users (id) WHERE deleted_at IS NOT NULL;

-- What belongs to a user is found by them.
CREATE INDEX selections_by_owner ON selections (owner_id);
CREATE INDEX posts_by_author ON posts (author_id, id) WHERE author_id IS NOT NULL;
