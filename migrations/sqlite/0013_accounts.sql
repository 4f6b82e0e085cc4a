-- What accounts need beside log-in: links of further kinds, own sessions, throttling, a second factor.

-- SQLite cannot change a CHECK.
CREATE TABLE tokens_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('setup', 'confirm', 'reset', 'email')),
    hash TEXT NOT NULL UNIQUE,
    -- What the link is about: a new address.
    data TEXT NOT NULL DEFAULT '',
    expires_at TEXT NOT NULL,
    used_at TEXT,
    created_at TEXT NOT NULL
);
INSERT INTO tokens_new (id, user_id, kind, hash, expires_at, used_at, created_at)
    SELECT id, user_id, kind, hash, expires_at, used_at, created_at FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'system';
-- The second factor: its secret in base32, since when it is asked for (NULL while it is being set up),
-- and the time step of the last code that was taken.
ALTER TABLE users ADD COLUMN totp_secret TEXT;
ALTER TABLE users ADD COLUMN totp_since TEXT;
ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;

-- Codes for whoever has lost the second factor; only hashes are kept, and each goes when it is used.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- From now on `id` is the hash of what the cookie holds, and the owner stands in a column. Everybody
-- logs in once again.
DROP TABLE sessions;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Tries at log-in and the like, by account and by peer address.
CREATE TABLE throttles (
    key TEXT PRIMARY KEY,
    tries INTEGER NOT NULL,
    blocked_until TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX throttles_by_update ON throttles (updated_at);
