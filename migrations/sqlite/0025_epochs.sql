-- A new password, role or block begins a new epoch of an account: what was begun before, and is kept with the epoch it
-- was begun in, is good for nothing any more.
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

-- Links that take a change of address back. SQLite cannot change a CHECK.
CREATE TABLE tokens_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('setup', 'confirm', 'reset', 'email', 'revoke')),
    hash TEXT NOT NULL UNIQUE,
    -- What the link is about: a new address, or the one to go back to.
    data TEXT NOT NULL DEFAULT '',
    expires_at TEXT NOT NULL,
    used_at TEXT,
    created_at TEXT NOT NULL
);
INSERT INTO tokens_new (id, user_id, kind, hash, data, expires_at, used_at, created_at)
    SELECT id, user_id, kind, hash, data, expires_at, used_at, created_at FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- Whose rights an invitation stands for: it goes with them. The log knows it of those that are open.
ALTER TABLE invitations ADD COLUMN inviter_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
UPDATE invitations SET inviter_id = (SELECT a.actor_id FROM audit a JOIN users u ON u.id = a.actor_id
    WHERE a.act = 'invitation_sent' AND a.target = invitations.email ORDER BY a.id DESC LIMIT 1)
    WHERE used_at IS NULL;
DELETE FROM invitations WHERE used_at IS NULL AND inviter_id IS NULL;
CREATE INDEX invitations_by_inviter ON invitations (inviter_id);
