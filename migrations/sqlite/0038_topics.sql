-- What an owner's mailings are about, so that a reader can leave one kind of them and keep the others.
CREATE TABLE topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- The name in lower case.
    name_key TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Offered to readers on the page by which they leave.
    public BOOLEAN NOT NULL,
    -- Everybody gets it who does not leave it; otherwise only who has asked for it.
    by_default BOOLEAN NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (owner_id, name_key)
);

-- Addresses that have asked for a topic which nobody gets by default. Who has left one is in the ledger: there is a row only
-- where a wish differs from the default.
CREATE TABLE topic_wishes (
    topic_id INTEGER NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    address_key TEXT NOT NULL,
    email TEXT NOT NULL,
    since TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (topic_id, address_key)
);
