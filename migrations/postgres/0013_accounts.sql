-- What accounts need beside log-in: links of further kinds, own sessions, throttling, a second factor.

ALTER TABLE tokens DROP CONSTRAINT tokens_kind_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_kind_check CHECK (kind IN ('setup', 'confirm', 'reset', 'email'));
-- What the link is about: a new address.
ALTER TABLE tokens ADD COLUMN data TEXT NOT NULL DEFAULT '';
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'system';
-- The second factor: its secret in base32, since when it is asked for (NULL while it is being set up),
-- and the time step of the last code that was taken.
ALTER TABLE users ADD COLUMN totp_secret TEXT;
ALTER TABLE users ADD COLUMN totp_since TIMESTAMPTZ;
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;

-- Codes for whoever has lost the second factor; only hashes are kept, and each goes when it is used.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- From now on `id` is the hash of what the cookie holds, and the owner stands in a column. Everybody
-- logs in once again.
DROP TABLE sessions;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Tries at log-in and the like, by account and by peer address.
CREATE TABLE throttles (
    key TEXT PRIMARY KEY,
    tries BIGINT NOT NULL,
    blocked_until TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX throttles_by_update ON throttles (updated_at);
