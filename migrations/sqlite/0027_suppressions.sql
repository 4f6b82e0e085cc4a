-- Addresses that a user's mailings leave out, and why. Kept by the address (without case, the domain as A-labels), not by
-- the client: whatever is imported, changed, deleted or made anew lifts nothing.
ALTER TABLE suppressions RENAME TO suppressions_before;
CREATE TABLE suppressions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address_key TEXT NOT NULL,
    email TEXT NOT NULL,
    -- 0 is all that the owner sends.
    topic_id INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL
        CHECK (reason IN ('unsubscribed', 'complaint', 'hard_bounce', 'soft_bounces', 'by_hand', 'imported')),
    source TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    evidence TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- The letter that it came of. Kept when that is deleted.
    delivery_id INTEGER,
    UNIQUE (owner_id, address_key, topic_id, reason)
);
INSERT INTO suppressions (owner_id, address_key, email, reason, source, since, evidence, actor)
    SELECT owner_id, LOWER(email_key), MIN(email_key), 'hard_bounce', 'smtp', MIN(since), MIN(reply), ''
    FROM suppressions_before GROUP BY owner_id, LOWER(email_key);
DROP TABLE suppressions_before;
CREATE INDEX suppressions_newest ON suppressions (owner_id, id);
CREATE INDEX suppressions_since ON suppressions (owner_id, since);

-- By what suppressions know a client's address; those beyond ASCII get theirs from the program at its start.
ALTER TABLE clients ADD COLUMN address_key TEXT NOT NULL DEFAULT '';
UPDATE clients SET address_key = LOWER(email_key) WHERE email_key NOT GLOB '*[^ -~]*';
CREATE INDEX clients_by_address_key ON clients (owner_id, address_key);

-- What a mailing is about, and a run was about when it opened; 0 is everything.
ALTER TABLE mailings ADD COLUMN topic_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN topic_id INTEGER NOT NULL DEFAULT 0;

-- Whom letters of deleted mailings went to: a link in one works for years.
CREATE TABLE former_deliveries (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    lang TEXT NOT NULL,
    deleted_at TEXT NOT NULL
);
CREATE INDEX former_deliveries_by_owner ON former_deliveries (owner_id);
CREATE INDEX former_deliveries_by_age ON former_deliveries (deleted_at);
