-- Limits for users, invitations, and how many letters of each owner left on a day.

-- NULL is what the settings say for everybody.
ALTER TABLE users ADD COLUMN clients_max INTEGER;
ALTER TABLE users ADD COLUMN letters_max INTEGER;

-- Addresses that may make themselves an account with a role. The link works once; only the hash of what
-- is in it is kept.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'manager', 'editor', 'admin')),
    hash TEXT NOT NULL UNIQUE,
    -- The name is copied: the invitation outlives its writer.
    invited_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
);
CREATE UNIQUE INDEX invitations_open ON invitations (email_key) WHERE used_at IS NULL;
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- Letters that mail servers took, or may have taken, kept by the transactions that record them.
CREATE TABLE letter_days (
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- UTC, 'YYYY-MM-DD'
    day TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (owner_id, day)
);
CREATE INDEX letter_days_by_day ON letter_days (day);
